"""Serves cards over HTTP to phones, drawn when asked for; a proxy with TLS and a cache stands before it."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from magpie_services.content.card.addresses import CardAddresses, digest
from magpie_services.content.card.cards import MEDIA_TYPE, Cards
from magpie_services.core.items import Item
from magpie_services.kit.errors import CannotStart, MagpieError

log = structlog.get_logger()

MOST_HEADER_BYTES = 8_192
MOST_CONNECTIONS = 128
SECONDS = 10.0  # for one request, from the first byte to the last
# A card that still shows what was named is that for ever; one of an item that changed since, for a while.
_FRESH, _CHANGED = "public, max-age=604800, immutable", "public, max-age=60"

Find = Callable[[str], Awaitable[Item | None]]


class CardServer:
    """GET and HEAD of the addresses that `addresses` made, one request a connection. `find` gives items."""

    def __init__(self, listen: str, addresses: CardAddresses, find: Find, cards: Cards) -> None:
        self.port = 0
        self.started = asyncio.Event()
        self._listen = listen
        self._addresses = addresses
        self._find = find
        self._cards = cards
        self._connections = 0

    async def run(self) -> None:
        """Serve until cancelled. Raises CannotStart when the address is taken."""
        host, _, port = self._listen.rpartition(":")
        try:
            server = await asyncio.start_server(
                self._connected, host or None, int(port), limit=MOST_HEADER_BYTES
            )
        except (OSError, ValueError) as error:
            raise CannotStart(f"cannot listen on {self._listen} for cards: {error}") from error
        self.port = server.sockets[0].getsockname()[1]
        self.started.set()
        log.info("cards.serving", port=self.port)
        async with server:
            await server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        try:
            async with asyncio.timeout(SECONDS):
                if self._connections > MOST_CONNECTIONS:
                    await _answer(writer, "503 Service Unavailable")
                    return
                request = await reader.readuntil(b"\r\n\r\n")
                await self._respond(request.split(b"\r\n", 1)[0].decode("latin-1"), writer)
        # Gone, too slow, or a head without end: nobody is left to tell.
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._connections -= 1
            writer.close()

    async def _respond(self, line: str, writer: asyncio.StreamWriter) -> None:
        method, _, rest = line.partition(" ")
        if method not in ("GET", "HEAD"):
            await _answer(writer, "405 Method Not Allowed", {"allow": "GET, HEAD"})
            return
        asked = self._addresses.read(rest.partition(" ")[0].partition("?")[0])
        if asked is None:
            await _answer(writer, "404 Not Found")
            return
        try:
            item = await self._find(asked.item_id)
        except MagpieError as error:
            log.warning("card.no_item", reason=error.reason)
            await _answer(writer, "503 Service Unavailable", {"retry-after": "5"})
            return
        if item is None:
            await _answer(writer, "404 Not Found")
            return
        card = await self._cards.render(item, asked.locale, asked.ratio)
        # A plain card may stand in for a picture that comes back.
        fresh = not card.plain and asked.digest == digest(item)
        headers = {"content-type": MEDIA_TYPE, "cache-control": _FRESH if fresh else _CHANGED}
        await _answer(writer, "200 OK", headers, card.image, bodiless=method == "HEAD")


async def _answer(
    writer: asyncio.StreamWriter,
    status: str,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    *,
    bodiless: bool = False,
) -> None:
    said = {
        "content-length": str(len(body)),
        "connection": "close",
        "x-content-type-options": "nosniff",
        **(headers or {}),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    writer.write(f"HTTP/1.1 {status}\r\n{head}\r\n".encode("latin-1") + (b"" if bodiless else body))
    await writer.drain()
