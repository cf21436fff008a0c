"""The log of a grocer's marketing campaigns: who was contacted, who redeemed a coupon, what was bought.

The files are those of 84.51°'s Complete Journey, a folder of CSV tables, some gzipped; times are days.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from magpie_services.kit.errors import Invalid

KINDS = ("A", "B", "C")
LEVELS = ("product", "type", "category", "department", "maker")
DEMOGRAPHICS = (
    "demographics_known",
    "age",
    "income",
    "owner",
    "owner_unknown",
    "married",
    "married_unknown",
    "household_size",
    "kids",
)
_AGES = ("19-24", "25-34", "35-44", "45-54", "55-64", "65+")
_INCOMES = (
    *("Under 15K", "15-24K", "25-34K", "35-49K", "50-74K", "75-99K"),
    *("100-124K", "125-149K", "150-174K", "175-199K", "200-249K", "250K+"),
)

Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Table:
    """Columns of equal length, by name."""

    columns: dict[str, NDArray[Any]]

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def take(self, chosen: NDArray[np.bool_]) -> "Table":
        """The rows where true."""
        return Table({name: column[chosen] for name, column in self.columns.items()})


@dataclass(frozen=True)
class Log:
    """Households, products and campaigns are numbers from 0; campaigns in the order of their first day.

    `campaigns`: id, kind ("A", "B", "C"), start, end. `contacts`: campaign, household. `redemptions`:
    campaign, household, coupon, day. `coupons`: campaign, coupon, product. `purchases`: household, product,
    basket, store, spend, discount, coupon_discount, day. `products`: department_name, private and, for each
    of `LEVELS`, a number from 0. `demographics` [households, 9] has numbers, 0 where nothing is known.
    """

    campaigns: Table
    contacts: Table
    redemptions: Table
    coupons: Table
    purchases: Table
    products: Table
    demographics: Doubles

    @property
    def households(self) -> int:
        return len(self.demographics)

    def before(self, day: int) -> "Log":
        """What was known on the morning of a day; contacts and coupons of campaigns that had started only."""
        started = self.campaigns["start"] < day
        return replace(
            self,
            contacts=self.contacts.take(started[self.contacts["campaign"]]),
            redemptions=self.redemptions.take(self.redemptions["day"] < day),
            coupons=self.coupons.take(started[self.coupons["campaign"]]),
            purchases=self.purchases.take(self.purchases["day"] < day),
        )


def read(folder: Path) -> Log:
    """The log in a folder. Raises Invalid naming the file, or the column, that is missing or wrong."""
    products = _read(folder, "products", "product_id", "manufacturer_id", "department", "brand")
    products |= _read(folder, "products", "product_category", "product_type")
    campaigns = _read(
        folder, "campaign_descriptions", "campaign_id", "campaign_type", "start_date", "end_date"
    )
    contacts = _read(folder, "campaigns", "campaign_id", "household_id")
    redeemed = _read(
        folder, "coupon_redemptions", "campaign_id", "household_id", "coupon_upc", "redemption_date"
    )
    coupons = _read(folder, "coupons", "campaign_id", "coupon_upc", "product_id")
    bought = _read(
        folder, "transactions", "household_id", "product_id", "basket_id", "store_id", "sales_value"
    )
    bought |= _read(folder, "transactions", "retail_disc", "coupon_disc", "coupon_match_disc")
    bought |= _read(folder, "transactions", "transaction_timestamp")
    people = _read(
        folder, "demographics", "household_id", "age", "income", "home_ownership", "marital_status"
    )
    people |= _read(folder, "demographics", "household_size", "kids_count")

    kinds = np.array([name.removeprefix("Type ") for name in campaigns["campaign_type"]])
    if not np.isin(kinds, KINDS).all():
        raise Invalid("campaign_descriptions.campaign_type", "is none of Type A, Type B, Type C")
    start = _days(campaigns["start_date"])
    order = np.lexsort((campaigns["campaign_id"], start))
    ids = campaigns["campaign_id"][order]
    homes = np.unique(np.concatenate([bought["household_id"], contacts["household_id"]]))
    goods = products["product_id"].astype(np.int64)
    coupon, item = (_places(goods, some["product_id"]) for some in (coupons, bought))
    return Log(
        campaigns=Table(
            {
                "id": ids,
                "kind": kinds[order],
                "start": start[order],
                "end": _days(campaigns["end_date"])[order],
            }
        ),
        contacts=Table(
            {
                "campaign": _known(ids, contacts["campaign_id"], "campaigns.campaign_id"),
                "household": _places(homes, contacts["household_id"]),
            }
        ),
        redemptions=Table(
            {
                "campaign": _known(ids, redeemed["campaign_id"], "coupon_redemptions.campaign_id"),
                "household": _known(homes, redeemed["household_id"], "coupon_redemptions.household_id"),
                "coupon": redeemed["coupon_upc"].astype(np.int64),
                "day": _days(redeemed["redemption_date"]),
            }
        ),
        # A few products are in no catalogue.
        coupons=Table(
            {
                "campaign": _known(ids, coupons["campaign_id"], "coupons.campaign_id"),
                "coupon": coupons["coupon_upc"].astype(np.int64),
                "product": coupon,
            }
        ).take(coupon >= 0),
        purchases=Table(
            {
                "household": _places(homes, bought["household_id"]),
                "product": item,
                "basket": bought["basket_id"].astype(np.int64),
                "store": bought["store_id"],
                "spend": bought["sales_value"],
                "discount": bought["retail_disc"],
                "coupon_discount": bought["coupon_disc"] + bought["coupon_match_disc"],
                "day": _days(bought["transaction_timestamp"]),
            }
        ).take(item >= 0),
        products=_products(products),
        demographics=_demographics(homes, people),
    )


def _products(read: dict[str, NDArray[Any]]) -> Table:
    kind = [f"{of}|{name}" for of, name in zip(read["product_category"], read["product_type"], strict=True)]
    told: tuple[Any, ...] = (
        np.arange(len(kind)),
        kind,
        read["product_category"],
        read["department"],
        read["manufacturer_id"],
    )
    numbers = {
        level: np.unique(one, return_inverse=True)[1].reshape(-1)
        for level, one in zip(LEVELS, told, strict=True)
    }
    return Table({**numbers, "department_name": read["department"], "private": read["brand"] == "Private"})


def _demographics(homes: Ints, people: dict[str, NDArray[Any]]) -> Doubles:
    found = np.zeros((len(homes), len(DEMOGRAPHICS)))
    for row, home in enumerate(_places(homes, people["household_id"]).tolist()):
        if home < 0:
            continue
        owner, married = people["home_ownership"][row], people["marital_status"][row]
        found[home] = (
            1.0,
            _place(_AGES, people["age"][row], "age") - 2.5,
            _place(_INCOMES, people["income"][row], "income") - 4.0,
            owner in ("Homeowner", "Probable Homeowner"),
            not owner,
            married == "Married",
            not married,
            int(str(people["household_size"][row])[0]) - 2.0,
            int(str(people["kids_count"][row])[0]),
        )
    return found


def _place(names: tuple[str, ...], name: str, column: str) -> int:
    if name not in names:
        raise Invalid(f"demographics.{column}", f"is none of {', '.join(names)}")
    return names.index(name)


def _read(folder: Path, name: str, *columns: str) -> dict[str, NDArray[Any]]:
    """Columns of NAME.csv, NAME.csv.gz or, where that is all there is, of NAME_sample.csv.gz."""
    tries = [folder / f"{name}{ending}" for ending in (".csv", ".csv.gz", "_sample.csv", "_sample.csv.gz")]
    file = next((one for one in tries if one.is_file()), None)
    if file is None:
        raise Invalid("data", f"has no {tries[0].name}")
    try:
        table = csv.read_csv(file)
    except pa.ArrowInvalid as error:
        raise Invalid(file.name, f"is no table: {error}") from None
    for column in columns:
        if column not in table.schema.names:
            raise Invalid(f"{file.name}: {column}", "is missing")
    return {column: table[column].to_numpy() for column in columns}


def _days(times: NDArray[Any]) -> Ints:
    return times.astype("datetime64[D]").astype(np.int64)


def _places(names: NDArray[Any], asked: NDArray[Any]) -> Ints:
    """Where in `names` each name is, -1 where nowhere."""
    order = np.argsort(names, kind="stable")
    asked = asked.astype(names.dtype)
    found = order[np.minimum(np.searchsorted(names, asked, sorter=order), len(names) - 1)]
    return np.where(names[found] == asked, found, -1)


def _known(names: NDArray[Any], asked: NDArray[Any], column: str) -> Ints:
    found = _places(names, asked)
    if (found < 0).any():
        raise Invalid(column, f"{asked[np.argmin(found)]} is unknown")
    return found
