"""The benchmark of responses: what it knows of a contact is what could be known, and bad files are named."""

import gzip
import importlib
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from magpie_services.kit.errors import Invalid

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
HOMES, GOODS = 30, 40
PEOPLE = "household_id age income home_ownership marital_status household_size household_comp kids_count"
SOLD = (
    "household_id store_id basket_id product_id quantity sales_value retail_disc coupon_disc "
    "coupon_match_disc week transaction_timestamp"
)


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, ModuleType]:
    """The log and the features: beside the script they are, and not packaged."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(BENCHMARKS)])
    return importlib.import_module("response_log"), importlib.import_module("response_features")


def table(file: Path, head: str, rows: Iterable[Sequence[object]]) -> None:
    lines = [head.replace(" ", ","), *(",".join(map(str, row)) for row in rows)]
    text = "\n".join([*lines, ""])
    if file.suffix == ".gz":
        file.write_bytes(gzip.compress(text.encode()))
    else:
        file.write_text(text)


def shop(folder: Path, until: str, seed: int = 5) -> Path:
    """A small log up to a day; a later end adds rows to it and changes none."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    days = np.arange("2017-01-01", "2017-07-01", dtype="datetime64[D]")
    campaigns = [
        (number, f"Type {'ABC'[number % 3]}", days[20 + 25 * number], days[60 + 25 * number])
        for number in range(5)
    ]
    started = [one for one in campaigns if str(one[2]) <= until]
    contacts = [(one[0], home) for one in campaigns for home in range(HOMES) if (home + one[0]) % 2]
    coupons = [(1_000 + good % 7, good, one[0]) for one in campaigns for good in range(one[0], GOODS, 3)]
    starts = {one[0]: one[2] for one in campaigns}
    answers = [
        (home, 1_000 + int(rng.integers(7)), number, starts[number] + int(rng.integers(40)))
        for number, home in contacts
        if rng.random() < 0.5
    ]
    bought = [
        (
            home,
            home % 3,
            10_000 + n,
            int(rng.integers(GOODS)),
            1,
            2.5 + n % 5,
            n % 2,
            n % 4 == 0,
            0,
            1,
            f"{day} 12:00:00",
        )
        for n, day in enumerate(days)
        for home in rng.choice(HOMES, 8, replace=False).tolist()
    ]
    ids = {one[0] for one in started}
    table(folder / "campaign_descriptions.csv", "campaign_id campaign_type start_date end_date", started)
    table(folder / "campaigns.csv", "campaign_id household_id", [one for one in contacts if one[0] in ids])
    table(
        folder / "coupon_redemptions.csv",
        "household_id coupon_upc campaign_id redemption_date",
        [one for one in answers if one[2] in ids and str(one[3]) < until],
    )
    table(
        folder / "coupons.csv.gz",
        "coupon_upc product_id campaign_id",
        [one for one in coupons if one[2] in ids],
    )
    table(
        folder / "transactions_sample.csv.gz",
        SOLD,
        [one for one in bought if str(one[-1])[:10] < until],
    )
    table(
        folder / "products.csv.gz",
        "product_id manufacturer_id department brand product_category product_type package_size",
        [
            (
                good,
                good % 9,
                ("GROCERY", "MEAT")[good % 2],
                ("National", "Private")[good % 3 == 0],
                f"category {good % 5}",
                f"type {good % 11}",
                "1 LB",
            )
            for good in range(GOODS)
        ],
    )
    some = [(n, "45-54", "35-49K", "Homeowner", "", "5+", "1 Adult Kids", "3+") for n in range(0, HOMES, 2)]
    table(folder / "demographics.csv", PEOPLE, some)
    return folder


def test_what_happens_later_changes_no_feature(
    tmp_path: Path, modules: tuple[ModuleType, ModuleType]
) -> None:
    log, features = modules
    whole = log.read(shop(tmp_path / "whole", "2017-07-01"))
    for number in range(5):
        start = np.datetime64(int(whole.campaigns["start"][number]), "D")
        short = log.read(shop(tmp_path / str(number), str(start)))
        assert len(short.purchases) < len(whole.purchases)
        early, late = features.of(short, number), features.of(whole, number)
        assert early.names == late.names
        np.testing.assert_allclose(early.values, late.values, atol=1e-5)


def test_what_happened_before_is_counted(tmp_path: Path, modules: tuple[ModuleType, ModuleType]) -> None:
    log, features = modules
    whole = log.read(shop(tmp_path / "whole", "2017-07-01"))
    start = int(whole.campaigns["start"][4])
    found = features.of(whole, 4)
    assert sum(found.widths) == found.values.shape[1] == len(found.names)
    assert np.isfinite(found.values).all()
    asked = whole.contacts["household"][whole.contacts["campaign"] == 4]
    past = whole.redemptions.take(whole.redemptions["day"] < start)
    pairs = {*zip(past["household"].tolist(), past["campaign"].tolist(), strict=True)}
    expected = [np.log1p(sum(home == one for one, _ in pairs)) for home in asked.tolist()]
    np.testing.assert_allclose(found.values[:, found.names.index("redeemed")], expected, atol=1e-6)
    bought = whole.purchases.take(whole.purchases["day"] < start)
    lines = np.bincount(bought["household"], None, whole.households)[asked]
    np.testing.assert_allclose(found.values[:, found.names.index("lines")], np.log1p(lines), atol=1e-6)


def test_a_file_or_column_that_is_missing_or_wrong_is_named(
    tmp_path: Path, modules: tuple[ModuleType, ModuleType]
) -> None:
    log, _ = modules
    folder = shop(tmp_path / "shop", "2017-07-01")
    usual = (folder / "campaigns.csv").read_text()
    (folder / "campaigns.csv").write_text(usual.replace("household_id", "home"))
    with pytest.raises(Invalid, match=r"campaigns\.csv: household_id: is missing"):
        log.read(folder)
    (folder / "campaigns.csv").write_text(usual + "99,1\n")
    with pytest.raises(Invalid, match=r"campaigns\.campaign_id: 99 is unknown"):
        log.read(folder)
    (folder / "campaigns.csv").unlink()
    with pytest.raises(Invalid, match=r"data: has no campaigns\.csv"):
        log.read(folder)
