"""Pictures over real https, from hosts that behave and hosts that do not."""

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_address
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.unit.content.card.paintings import painted, saved

from magpie_services.content.card.decoding import Unusable
from magpie_services.content.card.web import Address, Web, is_public

PICTURE = saved(painted(), "JPEG")
LIMIT = len(PICTURE) + 1_000
LOOPBACK = ip_address("127.0.0.1")
METADATA = ip_address("169.254.169.254")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for cdn.example.com and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cdn.example.com")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("cdn.example.com")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


class Site:
    """A web server: answers by path, and remembers who was asked for what."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[tuple[str, str]] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = request.split(" ")[1]
            headers = dict(line.lower().split(": ", 1) for line in request.split("\r\n")[1:-2])
            self.asked.append((headers["host"], path))
            await self._write(path, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _write(self, path: str, writer: asyncio.StreamWriter) -> None:
        def send(status: str, body: bytes = b"", *headers: str) -> None:
            writer.write(
                "\r\n".join([f"HTTP/1.1 {status}", "connection: close", *headers, "", ""]).encode() + body
            )

        match path:
            case "/picture.jpg":
                send("200 OK", PICTURE, f"content-length: {len(PICTURE)}")
            case "/moved.jpg":
                send("302 Found", b"", "location: /picture.jpg", "content-length: 0")
            case "/loop.jpg":
                send("302 Found", b"", "location: /loop.jpg", "content-length: 0")
            case "/inside.jpg":
                send("302 Found", b"", f"location: https://inside.example.com:{self.port}/picture.jpg")
            case "/metadata.jpg":
                send("302 Found", b"", "location: http://169.254.169.254/latest/meta-data/")
            case "/elsewhere.jpg":
                send("302 Found", b"", f"location: https://evil.example.net:{self.port}/picture.jpg")
            case "/announced.jpg":
                send("200 OK", b"x", "content-length: 999999999")
            case "/endless.jpg":
                send("200 OK")
                for _ in range(200):
                    writer.write(b"\xff" * 10_000)
                    await writer.drain()
            case "/packed.jpg":
                send("200 OK", b"\x1f\x8b", "content-encoding: gzip", "content-length: 2")
            case "/slow.jpg":
                send("200 OK", b"", "content-length: 1000")
                for _ in range(100):
                    writer.write(b"\xff")
                    await writer.drain()
                    await asyncio.sleep(0.05)
            case "/length.jpg":
                send("200 OK", b"", "content-length: many")
            case _:
                send("404 Not Found", b"", "content-length: 0")
        await writer.drain()


@pytest_asyncio.fixture
async def site(certificate: Path) -> AsyncIterator[Site]:
    site = Site()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(site.answer, "127.0.0.1", 0, ssl=context)
    site.port = server.sockets[0].getsockname()[1]
    yield site
    server.close()


async def resolve(host: str, port: int) -> list[Address]:
    """inside.* is at the metadata service of a cloud, all others here."""
    if host.startswith("nowhere"):
        raise OSError("no such host")
    return [METADATA] if host.startswith("inside") else [LOOPBACK]


@pytest_asyncio.fixture
async def web(site: Site, certificate: Path) -> AsyncIterator[Web]:
    web = Web(
        [
            f"cdn.example.com:{site.port}",
            f"nowhere.example.com:{site.port}",
            f"inside.example.com:{site.port}",
        ],
        LIMIT,
        seconds=0.6,
        resolve=resolve,
        permits=lambda address: address == LOOPBACK,
        trust=ssl.create_default_context(cafile=str(certificate)),
    )
    yield web
    await web.close()


@pytest.mark.parametrize("path", ["picture.jpg", "moved.jpg"])
async def test_a_picture_is_fetched_by_the_address_that_was_checked(web: Web, site: Site, path: str) -> None:
    assert await web.fetch(f"https://cdn.example.com:{site.port}/{path}") == PICTURE
    assert {host for host, _ in site.asked} == {f"cdn.example.com:{site.port}"}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("loop.jpg", "TOO_MANY_REDIRECTS"),
        ("inside.jpg", "NOT_PUBLIC"),
        ("metadata.jpg", "NOT_ALLOWED"),
        ("elsewhere.jpg", "NOT_ALLOWED"),
        ("announced.jpg", "TOO_LARGE"),
        ("endless.jpg", "TOO_LARGE"),
        ("packed.jpg", "REFUSED"),
        ("slow.jpg", "TOO_SLOW"),
        ("length.jpg", "UNREACHABLE"),
        ("missing.jpg", "REFUSED"),
    ],
)
async def test_a_host_that_misbehaves_is_left(web: Web, site: Site, path: str, reason: str) -> None:
    assert await refusal(web.fetch, f"https://cdn.example.com:{site.port}/{path}") == reason


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://cdn.example.com:{port}/picture.jpg", "NOT_ALLOWED"),
        ("https://cdn.example.com/picture.jpg", "NOT_ALLOWED"),  # another port
        ("https://user@cdn.example.com:{port}/picture.jpg", "NOT_ALLOWED"),
        ("https://cdn.example.com@evil.example.net:{port}/picture.jpg", "NOT_ALLOWED"),
        ("https://evilcdn.example.com:{port}/picture.jpg", "NOT_ALLOWED"),
        ("https://127.0.0.1:{port}/picture.jpg", "NOT_ALLOWED"),
        ("https://inside.example.com:{port}/picture.jpg", "NOT_PUBLIC"),
        ("https://nowhere.example.com:{port}/picture.jpg", "UNREACHABLE"),
        ("https://cdn.example.com:99999/picture.jpg", "NOT_ALLOWED"),
        ("https://[::1/picture.jpg", "UNREACHABLE"),
        ("https://", "NOT_ALLOWED"),
        ("ftp://cdn.example.com/picture.jpg", "NOT_ALLOWED"),
    ],
)
async def test_an_address_that_may_not_be_asked_is_not(
    web: Web, site: Site, address: str, reason: str
) -> None:
    assert await refusal(web.fetch, address.format(port=site.port)) == reason
    assert site.asked == []


async def test_a_host_that_is_not_who_it_says_is_left(site: Site) -> None:
    stranger = Web(
        [f"cdn.example.com:{site.port}"], LIMIT, 0.6, resolve=resolve, permits=lambda address: True
    )
    assert await refusal(stranger.fetch, f"https://cdn.example.com:{site.port}/picture.jpg") == "UNREACHABLE"
    await stranger.close()


async def test_one_private_address_among_public_ones_is_enough_to_leave(site: Site) -> None:
    async def both(host: str, port: int) -> list[Address]:
        return [ip_address("93.184.216.34"), ip_address("10.0.0.7")]

    web = Web([".example.com"], LIMIT, 0.6, resolve=both)
    assert await refusal(web.fetch, "https://cdn.example.com/picture.jpg") == "NOT_PUBLIC"
    await web.close()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a9fe:a9fe::",
    ],
)  # fmt: skip
def test_addresses_inside_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34"])
def test_addresses_of_the_open_internet_are(address: str) -> None:
    assert is_public(ip_address(address))


async def refusal(fetch: Callable[[str], Awaitable[bytes]], address: str) -> str:
    with pytest.raises(Unusable) as error:
        await fetch(address)
    return error.value.reason
