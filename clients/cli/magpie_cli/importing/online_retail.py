"""The built-in mapping `online-retail`: the UCI log of a British gift shop, an invoice line a row.

Cleaning follows what the rows mean: a code that is no product code is a fee or a correction, a price of 0 is
a stock note (its description too), an invoice that starts with C takes back an earlier one.
"""

import re
from collections import Counter, deque
from dataclasses import dataclass
from functools import lru_cache
from statistics import median

from magpie.v1 import event_pb2, item_pb2, money_pb2
from magpie_cli.importing import titles, values
from magpie_cli.importing.mapping import zone
from magpie_cli.importing.rows import RowIds
from magpie_cli.importing.table import BadRow, Row

NAME = "online-retail"
COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
CURRENCY = "GBP"
LOCALE = "en"
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
ABSURD_QUANTITY = 10_000
ABSURD_PRICE = 1_000_000
RECENT_PRICES = 50
_LONDON = zone("Europe/London")
_PRODUCT = re.compile(r"\d{5}[A-Z]{0,3}|DCGS[A-Z0-9]+")
_REPEATED_TIMES = 4_096


@dataclass(frozen=True)
class Line:
    """One clean invoice line. `user_id` is empty for an unknown customer; `returned` takes it back."""

    row: int
    invoice: str
    item_id: str
    title: str
    quantity: int
    at_ms: int
    price_minor: int
    user_id: str
    country: str
    returned: bool
    event_id: str


class Cleaner:
    """Rows to lines. What is left out is counted by reason in `reasons`, kept returns in `returns`."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()
        self.returns = 0
        self._ids = RowIds()

    def line(self, row: Row) -> Line | None:
        """The line, or None where cleaning leaves it out. Raises BadRow for a cell that cannot be read."""
        cells = row.cells
        try:
            column = "InvoiceDate"
            at_ms = _time_ms(cells[column].strip())
            column = "Quantity"
            quantity = int(cells[column])
            column = "UnitPrice"
            price = values.number(cells[column])
            column = "CustomerID"
            customer = cells[column].strip()
            user_id = str(int(values.whole(customer))) if customer else ""
        except ValueError as error:
            text = str(error) if str(error).startswith("must be") else "must be a whole number"
            raise BadRow(row.number, column, text) from None
        invoice = cells["InvoiceNo"].strip().upper()
        item_id = cells["StockCode"].strip().upper()
        returned = invoice.startswith("C")
        reason = _reason(invoice, item_id, quantity, price, returned)
        if reason:
            self.reasons[reason] += 1
            return None
        self.returns += returned
        return Line(
            row=row.number,
            invoice=invoice,
            item_id=item_id,
            title=titles.tidy(cells["Description"]),
            quantity=abs(quantity),
            at_ms=at_ms,
            price_minor=round(price * 100),
            user_id=user_id,
            country=cells["Country"].strip(),
            returned=returned,
            event_id=self._ids.of(cells, at_ms),
        )


def _reason(invoice: str, item_id: str, quantity: int, price: float, returned: bool) -> str:
    if not _PRODUCT.fullmatch(item_id):
        return "no product code"
    if price <= 0:
        return "price of 0 or less"
    if not invoice.removeprefix("C").isdecimal():
        return "no invoice"
    if price > ABSURD_PRICE:
        return "absurd price"
    if abs(quantity) > ABSURD_QUANTITY:
        return "absurd quantity"
    if quantity == 0 or (quantity < 0) is not returned:
        return "quantity against the kind of invoice"
    return ""


@lru_cache(maxsize=_REPEATED_TIMES)
def _time_ms(text: str) -> int:
    return values.time_ms(text, TIME_FORMAT, _LONDON)


class Events:
    """Lines to events; the country and language go with a customer's first event only."""

    def __init__(self) -> None:
        self.anonymous = 0
        self._introduced: set[str] = set()

    def event(self, line: Line) -> event_pb2.Event | None:
        """The event, or None where the customer is not known."""
        if not line.user_id:
            self.anonymous += 1
            return None
        event = event_pb2.Event(
            event_id=line.event_id,
            user_id=line.user_id,
            kind=event_pb2.EVENT_KIND_RETURN_ITEM if line.returned else event_pb2.EVENT_KIND_PURCHASE,
            occur_time=values.timestamp(line.at_ms),
            item_id=line.item_id,
            category=titles.category_of(line.title),
            quantity=line.quantity,
            platform="web",
        )
        event.unit_price.currency, event.unit_price.minor_units = CURRENCY, line.price_minor
        if line.user_id not in self._introduced:
            self._introduced.add(line.user_id)
            event.attributes["locale"] = LOCALE
            event.attributes["country"] = line.country
        return event


class _Seen:
    """What the lines say of one item so far."""

    def __init__(self, first_ms: int) -> None:
        self.titles: Counter[str] = Counter()
        self.prices: deque[int] = deque(maxlen=RECENT_PRICES)
        self.first_ms = first_ms


class Catalogue:
    """Items from the lines they were sold by: the commonest spelling, the median of the latest 50 prices."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self._touched: dict[str, None] = {}
        self._given: dict[str, bytes] = {}

    def observe(self, line: Line) -> None:
        """Learns from a line; a return says nothing of an item."""
        if line.returned or not line.title:
            return
        seen = self._seen.setdefault(line.item_id, _Seen(line.at_ms))
        seen.titles[line.title] += 1
        seen.prices.append(line.price_minor)
        self._touched[line.item_id] = None

    def changes(self) -> list[item_pb2.Item]:
        """The items that are new or different since this was last asked."""
        changed = []
        for item_id in self._touched:
            item = _item(item_id, self._seen[item_id])
            state = item.SerializeToString(deterministic=True)
            if self._given.get(item_id) != state:
                self._given[item_id] = state
                changed.append(item)
        self._touched.clear()
        return changed


def _item(item_id: str, seen: _Seen) -> item_pb2.Item:
    title = seen.titles.most_common(1)[0][0]
    price = money_pb2.Money(currency=CURRENCY, minor_units=int(median(seen.prices)))
    return item_pb2.Item(
        item_id=item_id,
        text=item_pb2.ItemText(title=title),
        locale=LOCALE,
        categories=[titles.category_of(title)],
        price=price,
        publish_time=values.timestamp(seen.first_ms),
    )
