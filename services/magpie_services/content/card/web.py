"""Pictures from the web: https only, from hosts that are allowed, at public addresses, within bounds."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpx

from magpie_services.content.card.decoding import Unusable

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[list[Address]]]

MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_NAT64 = IPv6Network("64:ff9b::/96")
_HEADERS = {"accept": "image/*", "accept-encoding": "identity", "user-agent": "magpie-content"}


class Web:
    """Fetches pictures. `hosts` are names ("cdn.example.com", or ".example.com" for all below it), with
    ":port" where it is not 443. `permits` tells whether an address may be spoken to.
    """

    def __init__(
        self,
        hosts: Sequence[str],
        most_bytes: int,
        seconds: float,
        *,
        resolve: Resolve | None = None,
        permits: Callable[[Address], bool] | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._hosts = tuple(host.strip().casefold() for host in hosts if host.strip())
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._resolve = resolve or addresses
        self._permits = permits or is_public
        # No proxy of the environment: it would connect where we must not, in our name.
        self._client = httpx.AsyncClient(
            verify=trust or ssl.create_default_context(), trust_env=False, timeout=seconds
        )

    async def fetch(self, uri: str) -> bytes:
        """The picture's bytes.

        Raises Unusable: NOT_ALLOWED (scheme, host, port), NOT_PUBLIC (address), REFUSED (another status than
        200, or a compressed body), TOO_MANY_REDIRECTS, TOO_LARGE, TOO_SLOW (all of it together), UNREACHABLE.
        """
        try:
            async with asyncio.timeout(self._seconds):
                return await self._follow(uri)
        except (TimeoutError, httpx.TimeoutException):
            raise Unusable("TOO_SLOW") from None
        # The latter three: an address that is none, a host that is no name, a header that cannot be sent.
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError, ValueError):
            raise Unusable("UNREACHABLE") from None

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def _follow(self, uri: str) -> bytes:
        url = httpx.URL(uri)
        for _ in range(MOST_REDIRECTS + 1):
            host, address = await self._checked(url)
            # Spoken to by the very address that was checked: asking for it again may give another.
            async with self._client.stream(
                "GET",
                url.copy_with(host=str(address)),
                headers={**_HEADERS, "host": url.netloc.decode("ascii")},
                extensions={"sni_hostname": host},
            ) as response:
                if response.status_code in _REDIRECTS and "location" in response.headers:
                    url = url.join(response.headers["location"])
                    continue
                return await self._body(response)
        raise Unusable("TOO_MANY_REDIRECTS")

    async def _checked(self, url: httpx.URL) -> tuple[str, Address]:
        """The host's name and an address of it, both allowed."""
        host, port = url.raw_host.decode("ascii").casefold().rstrip("."), url.port or 443
        if url.scheme != "https" or url.userinfo or not any(_names(one, host, port) for one in self._hosts):
            raise Unusable("NOT_ALLOWED")
        found = await self._resolve(host, port)
        # One that is not public among others that are is no accident.
        if not found or not all(map(self._permits, found)):
            raise Unusable("NOT_PUBLIC")
        return host, found[0]

    async def _body(self, response: httpx.Response) -> bytes:
        # We asked for no compression: who compresses all the same could unpack to anything.
        if response.status_code != 200 or response.headers.get("content-encoding", "identity") != "identity":
            raise Unusable("REFUSED")
        if int(response.headers.get("content-length", 0)) > self._most_bytes:
            raise Unusable("TOO_LARGE")
        data = bytearray()
        async for chunk in response.aiter_raw():
            data += chunk
            if len(data) > self._most_bytes:
                raise Unusable("TOO_LARGE")
        return bytes(data)


async def addresses(host: str, port: int) -> list[Address]:
    """Where a host can be reached, as the system's resolver says. Raises OSError where it knows none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def is_public(address: Address) -> bool:
    """Whether an address is of the open internet: not private, loopback, link-local, shared, reserved, and
    no other notation of such a one (IPv4 within IPv6)."""
    if isinstance(address, IPv6Address):
        within = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in _NAT64:
            within.append(IPv4Address(int(address) & 0xFFFFFFFF))
        if any(inner is not None and not is_public(inner) for inner in within):
            return False
        if address.ipv4_mapped is not None:
            return True
    return address.is_global and not address.is_multicast


def _names(entry: str, host: str, port: int) -> bool:
    """Whether an entry of the list of allowed hosts covers a host and port."""
    name, _, number = entry.partition(":")
    if port != int(number or 443):
        return False
    return host.endswith(name) if name.startswith(".") else host == name
