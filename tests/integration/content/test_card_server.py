"""Cards over HTTP, as phones and proxies ask for them."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from io import BytesIO

import httpx
import pytest
import pytest_asyncio
from PIL import Image
from tests.unit.content.card.paintings import painted, saved

from magpie_services.content.card.addresses import CardAddresses
from magpie_services.content.card.cards import Cards
from magpie_services.content.card.drawing import Style
from magpie_services.content.card.palette import Colour
from magpie_services.content.card.pictures import Pictures
from magpie_services.content.card.web_server import CardServer
from magpie_services.core.items import Item
from magpie_services.core.money import Money
from magpie_services.kit.errors import Unavailable

POT = Item(item_id="pot/✓", title="手冲咖啡壶", locale="zh-CN", price=Money("CNY", 25_900), image_uri="pot")
BARE = Item(item_id="bare", title="Bare")
ADDRESSES = CardAddresses("", b"a secret of enough bytes")


class Shelf:
    """One picture."""

    async def fetch(self, uri: str) -> bytes:
        return saved(painted())


async def find(item_id: str) -> Item | None:
    if item_id == "away":
        raise Unavailable("the catalogue is away")
    return {one.item_id: one for one in (POT, BARE)}.get(item_id)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[CardServer]:
    style = Style(Colour(31, 95, 91), Colour(200, 55, 45))
    pictures = Pictures(Shelf(), None, 1_000_000, time.monotonic)
    cards = Cards(pictures, style, 1_000_000, lambda text: True, lambda title: [])
    server = CardServer("127.0.0.1:0", ADDRESSES, find, cards)
    running = asyncio.create_task(server.run())
    await server.started.wait()
    yield server
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await cards.close()


async def ask(server: CardServer, path: str, method: str = "GET") -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.request(method, f"http://127.0.0.1:{server.port}{path}")


@pytest.mark.parametrize(("ratio", "size"), [(2.0, (1200, 600)), (1.0, (1080, 1080))])
async def test_an_address_of_ours_gives_the_card(
    server: CardServer, ratio: float, size: tuple[int, int]
) -> None:
    path = ADDRESSES.of(POT, "zh-CN", ratio)
    answer = await ask(server, f"/behind/a/proxy{path}?utm=1")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert "immutable" in answer.headers["cache-control"]
    assert Image.open(BytesIO(answer.content)).size == size
    head = await ask(server, path, "HEAD")
    assert (head.headers["content-length"], head.content) == (str(len(answer.content)), b"")


async def test_a_card_of_an_item_that_changed_shows_how_it_is_now_for_a_while(server: CardServer) -> None:
    before = ADDRESSES.of(Item(item_id=POT.item_id, title=POT.title, price=Money("CNY", 1)), "zh-CN")
    answer = await ask(server, before)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=60")
    assert answer.content == (await ask(server, ADDRESSES.of(POT, "zh-CN"))).content
    plain = await ask(server, ADDRESSES.of(BARE, "en"))
    assert (plain.status_code, plain.headers["cache-control"]) == (200, "public, max-age=60")


async def test_what_we_did_not_sign_is_not_drawn(server: CardServer) -> None:
    good = ADDRESSES.of(POT, "zh-CN")
    forged = CardAddresses("", b"another secret of bytes").of(POT, "zh-CN")
    for path in (
        forged,
        good.replace("zh-CN", "en"),
        good.replace("2x1", "1x1"),
        good[:-5],
        "/",
        "/..",
        "/" + "a/" * 900,
    ):
        assert (await ask(server, path)).status_code == 404
    assert (await ask(server, ADDRESSES.of(Item(item_id="gone", title="x"), "en"))).status_code == 404
    assert (await ask(server, ADDRESSES.of(Item(item_id="away", title="x"), "en"))).status_code == 503
    assert (await ask(server, good, "POST")).status_code == 405


@pytest.mark.parametrize(
    "bytes_", [b"", b"\r\n\r\n", b"GET\r\n\r\n", b"\xff\x00" * 9_000, b"GET / HTTP/1.1\r\n" + b"a" * 9_000]
)
async def test_what_is_no_request_ends_the_connection_only(server: CardServer, bytes_: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(bytes_)
    if writer.can_write_eof():
        writer.write_eof()
    with suppress(ConnectionError):
        assert b" 200 " not in await reader.read()
    writer.close()
    assert (await ask(server, ADDRESSES.of(POT, "zh-CN"))).status_code == 200


def test_addresses_are_stable_short_and_follow_what_is_shown() -> None:
    base = CardAddresses("https://cards.example.com/", b"a secret of enough bytes")
    address = base.of(POT, "zh-TW")
    assert address.startswith("https://cards.example.com/")
    assert address == base.of(POT, "zh-TW")
    assert len(address) < 140
    assert base.of(Item(item_id=POT.item_id, title="其他"), "zh-TW") != address
    with pytest.raises(ValueError, match="16 bytes"):
        CardAddresses("", b"short")
