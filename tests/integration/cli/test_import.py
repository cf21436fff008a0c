"""Imports into real services: the same file again changes nothing, a faulty row stops no other."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from magpie import Magpie
from magpie.v1 import catalog_service_pb2, profile_service_pb2
from magpie_cli.importing import job
from magpie_cli.importing.mapping import ColumnMapping
from magpie_cli.suite import Suite, SuiteOptions

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
LOG = HEADER + (
    "536365,85123A,WHITE HOLDER,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"
    "536365,85123A,WHITE HOLDER,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"
    "536365,POST,POSTAGE,1,2010-12-01 08:26:00,18.0,17850.0,United Kingdom\n"
    "536366,22633,HAND WARMER,3,2010-12-01 09:00:00,1.85,,United Kingdom\n"
    "536367,22633,HAND WARMER,many,2010-12-01 09:01:00,1.85,17850.0,United Kingdom\n"
    "C536379,85123A,WHITE HOLDER,-1,2010-12-01 09:41:00,2.55,17850.0,United Kingdom\n"
)
VIEWS = ColumnMapping(kind="events", columns={"user_id": "u", "item_id": "i", "time": "t", "kind": "k"})


@pytest.fixture
async def magpie(tmp_path: Path) -> AsyncIterator[Magpie]:
    options = SuiteOptions(
        state=tmp_path / "state", auto_ports=True, rooms=frozenset({"profile", "candidate"})
    )
    async with Suite(options) as suite, Magpie(suite.endpoints, timeout_seconds=20) as client:
        yield client


async def test_imports(magpie: Magpie, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(LOG)

    async def whole() -> job.Report:
        return await job.import_online_retail(
            magpie, log, events=True, items=True, strict=False, progress=lambda read: None
        )

    first, again = await whole(), await whole()
    assert first.events is not None
    assert first.items is not None
    assert again.events is not None
    assert again.items is not None
    assert (first.events.accepted, first.events.duplicates, first.items.accepted) == (3, 0, 2)
    assert (again.events.accepted, again.events.duplicates) == (0, 3)
    assert (again.items.accepted, again.items.duplicates) == (0, 2)
    assert first.cleaned == {"no product code": 1, "customer not known (used for items only)": 1}
    assert first.examples == [{"row": 6, "column": "Quantity", "reason": "must be a whole number"}]
    items = await magpie.catalog.GetItems(catalog_service_pb2.GetItemsRequest(item_ids=["85123A"]))
    assert items.items[0].text.title == "WHITE HOLDER"

    views = tmp_path / "views.csv"
    views.write_text("u,i,t,k\na,1,2026-01-01T00:00:00Z,view\na,2,2999-01-01T00:00:00Z,view\n")
    report = await job.import_events(magpie, views, VIEWS, strict=False, progress=lambda read: None)
    assert report.events is not None
    assert report.events.accepted == 1
    assert report.events.examples[0]["row"] == 3
    assert report.events.examples[0]["field"] == "occur_time"
    seen = await magpie.profile.GetPortraits(profile_service_pb2.GetPortraitsRequest(user_ids=["a"]))
    assert seen.users[0].portrait.version > 0
