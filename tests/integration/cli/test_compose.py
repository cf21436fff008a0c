"""`magpie compose` and `magpie card` against real processes: from the catalogue, and from files."""

import asyncio
import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from magpie import Magpie
from magpie.v1 import (
    catalog_service_pb2,
    device_pb2,
    event_pb2,
    item_pb2,
    money_pb2,
    profile_service_pb2,
)
from magpie_cli.failures import Exit
from magpie_cli.main import app
from magpie_cli.suite import Suite, SuiteOptions

ROOMS = frozenset({"profile", "candidate", "content"})
ITEM = {
    "itemId": "shirt",
    "text": {"title": "真丝衬衫"},
    "locale": "zh-CN",
    "price": {"currency": "CNY", "minorUnits": "129900"},
    "listPrice": {"currency": "CNY", "minorUnits": "159900"},
    "attributes": {"style": {"values": ["时尚", "简约"]}, "colour": {"values": ["蓝色"]}},
}


async def test_words_their_facts_and_their_verdict(tmp_path: Path) -> None:
    options = SuiteOptions(state=tmp_path, auto_ports=True, rooms=ROOMS)

    async def magpie(*arguments: str, command: str = "compose") -> Result:
        everything = [command, "--state", str(tmp_path), *arguments]
        result = await asyncio.to_thread(CliRunner().invoke, app, everything)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    async def told(*arguments: str) -> Any:
        result = await magpie(*arguments, "--json")
        return json.loads(result.output)

    async with Suite(options) as suite, Magpie(suite.endpoints, timeout_seconds=10) as client:
        await _open_shop(client)
        own = ("--item", "kettle", "--user", "ann")
        found = await told(*own, "--strategy", "price_drop", "--locale", "en", "--variants", "3")
        assert len({(one["title"], one["body"]) for one in found["messages"]}) == 3
        assert {one["strategy"] for one in found["messages"]} == {"STRATEGY_PRICE_DROP"}
        assert [one["passed"] for one in found["verdicts"]] == [True] * 3
        assert found["notes"] == []
        cart = await told(*own, "--strategy", "cart_reminder", "--locale", "en")
        assert cart["messages"][0]["strategy"] == "STRATEGY_CART_REMINDER"
        assert cart["verdicts"][0]["passed"], cart

        shown = await magpie(*own, "--strategy", "price_drop", "--locale", "en")
        assert shown.exit_code == Exit.OK
        for expected in ("◆ Magpie", "item.title", "Kettle Alba", "kettle", "verified", "price drop"):
            assert expected in shown.output

        quiet = await told("--item", "kettle", "--user", "bob", "--locale", "en")
        assert quiet["notes"] == [
            "nothing is known of user bob",
            "user bob did not agree to be described: written as for anybody",
        ]
        lie = await magpie("--item", "kettle", "--text", "Only €20 today!", "--locale", "en")
        assert lie.exit_code == Exit.FAILED
        assert "must not be sent" in lie.output
        honest = await magpie("--item", "kettle", "--text", "Now €45.", "--locale", "en")
        assert honest.exit_code == Exit.OK
        missing = await magpie("--item", "nothing")
        assert missing.exit_code == Exit.BAD_INPUT
        assert "'nothing' is not in the catalogue" in missing.output

        item, portrait = tmp_path / "item.json", tmp_path / "portrait.json"
        item.write_text(json.dumps(ITEM), "utf-8")
        portrait.write_text(json.dumps({"traits": ["年轻", "时尚", "注重品质"]}), "utf-8")
        files = ("--item-file", str(item), "--portrait-file", str(portrait), "--locale", "zh-CN")
        premium = await told(*files, "--strategy", "premium", "--description")
        assert premium["messages"][0]["strategy"] == "STRATEGY_PREMIUM"
        assert premium["messages"][0]["description"]
        assert premium["verdicts"][0]["passed"], premium

        card = tmp_path / "card.jpg"
        drawn = await magpie("--item", "kettle", "--ratio", "1", "--out", str(card), command="card")
        assert drawn.exit_code == Exit.OK, drawn.output
        assert "without a picture" in drawn.output
        assert card.read_bytes().startswith(b"\xff\xd8\xff")
        nowhere = await magpie("--item", "kettle", "--out", str(tmp_path / "none" / "x.jpg"), command="card")
        assert nowhere.exit_code == Exit.BAD_INPUT


async def _open_shop(client: Magpie) -> None:
    """A kettle whose price dropped, and Ann, who put it into her cart."""
    kettle = item_pb2.Item(
        item_id="kettle",
        text=item_pb2.ItemText(title="Kettle Alba"),
        locale="en",
        categories=["Kettles"],
        price=money_pb2.Money(currency="EUR", minor_units=4_500),
        list_price=money_pb2.Money(currency="EUR", minor_units=6_000),
        stock=50,
    )
    await client.catalog.UpsertItems(
        catalog_service_pb2.UpsertItemsRequest(items=[kettle], request_id="shop")
    )
    consent = device_pb2.Consent(purpose=device_pb2.PURPOSE_PERSONALISATION, granted=True)
    await client.profile.SetConsent(
        profile_service_pb2.SetConsentRequest(user_id="ann", consents=[consent], request_id="ann")
    )
    put = event_pb2.Event(
        event_id="e1", user_id="ann", kind=event_pb2.EVENT_KIND_ADD_TO_CART, item_id="kettle"
    )
    put.occur_time.GetCurrentTime()
    await client.profile.RecordEvents(profile_service_pb2.RecordEventsRequest(events=[put]))
