"""The built-in mapping of the UCI log: what is left out and why, what items its lines tell of."""

import pytest

from magpie.v1 import event_pb2
from magpie_cli.importing.online_retail import Catalogue, Cleaner, Events, Line
from magpie_cli.importing.table import BadRow, Row
from magpie_cli.importing.titles import category_of, tidy

GOOD = {
    "InvoiceNo": "536365",
    "StockCode": "85123a",
    "Description": "WHITE HANGING HEART  T-LIGHT HOLDER ",
    "Quantity": "6",
    "InvoiceDate": "2011-07-01 08:26:00",
    "UnitPrice": "2.55",
    "CustomerID": "17850.0",
    "Country": "United Kingdom",
}


def row(number: int = 2, /, **changes: str) -> Row:
    return Row(number, {**GOOD, **changes})


def clean(**changes: str) -> Line:
    line = Cleaner().line(row(**changes))
    assert line is not None
    return line


def test_a_good_line() -> None:
    line = clean()
    assert (line.item_id, line.title) == ("85123A", "WHITE HANGING HEART T-LIGHT HOLDER")
    assert (line.user_id, line.quantity, line.price_minor, line.returned) == ("17850", 6, 255, False)
    assert line.at_ms == 1309505160_000  # London is an hour ahead of UTC in July


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        *(
            ({"StockCode": code}, "no product code")
            for code in (
                "POST",
                "DOT",
                "M",
                "m",
                "D",
                "BANK CHARGES",
                "AMAZONFEE",
                "C2",
                "CRUK",
                "S",
                "PADS",
                "B",
            )
        ),
        ({"StockCode": "gift_0001_20"}, "no product code"),
        ({"UnitPrice": "0.0"}, "price of 0 or less"),
        ({"UnitPrice": "-11062.06"}, "price of 0 or less"),
        ({"InvoiceNo": "A563185"}, "no invoice"),
        ({"Quantity": "80995"}, "absurd quantity"),
        ({"InvoiceNo": "C581484", "Quantity": "-80995"}, "absurd quantity"),
        ({"Quantity": "-5"}, "quantity against the kind of invoice"),
        ({"InvoiceNo": "C536379", "Quantity": "1"}, "quantity against the kind of invoice"),
        ({"Quantity": "0"}, "quantity against the kind of invoice"),
    ],
)
def test_what_is_left_out_is_counted_by_reason(changes: dict[str, str], reason: str) -> None:
    cleaner = Cleaner()
    assert cleaner.line(row(**changes)) is None
    assert cleaner.reasons == {reason: 1}


@pytest.mark.parametrize("code", ["85123A", "10002", "15056BL", "DCGS0076", "DCGSSBOY"])
def test_product_codes(code: str) -> None:
    assert clean(StockCode=code).item_id == code


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("InvoiceDate", "yesterday"),
        ("Quantity", "six"),
        ("UnitPrice", "nan"),
        ("CustomerID", "x"),
        ("Quantity", ""),
    ],
)
def test_a_cell_that_cannot_be_read_names_row_and_column(column: str, value: str) -> None:
    with pytest.raises(BadRow) as caught:
        Cleaner().line(row(7, **{column: value}))
    assert (caught.value.number, caught.value.column) == (7, column)


def test_events_of_purchases_and_returns() -> None:
    maker = Events()
    bought = maker.event(clean())
    returned = maker.event(clean(InvoiceNo="C536379", Quantity="-1"))
    assert bought is not None
    assert returned is not None
    assert (bought.kind, bought.quantity, bought.category) == (event_pb2.EVENT_KIND_PURCHASE, 6, "Holder")
    assert (bought.unit_price.currency, bought.unit_price.minor_units) == ("GBP", 255)
    assert dict(bought.attributes) == {"locale": "en", "country": "United Kingdom"}
    assert (returned.kind, returned.quantity) == (event_pb2.EVENT_KIND_RETURN_ITEM, 1)
    assert not returned.attributes
    assert maker.event(clean(CustomerID="")) is None
    assert maker.anonymous == 1


def test_ids_repeat_with_the_file_and_count_equal_lines_of_one_invoice() -> None:
    def ids() -> list[str]:
        cleaner = Cleaner()
        rows = [row(2), row(3), row(4, Quantity="7"), row(5, InvoiceDate="2011-07-01 08:27:00")]
        return [line.event_id for one in rows if (line := cleaner.line(one))]

    assert ids() == ids()
    assert len(set(ids())) == 4


def test_items_take_the_commonest_title_and_the_median_price_and_change_only_when_different() -> None:
    catalogue = Catalogue()
    for title, price in (("MUG RED", "1"), ("RED MUG", "2"), ("RED MUG", "9")):
        catalogue.observe(clean(Description=title, UnitPrice=price))
    catalogue.observe(clean(InvoiceNo="C1", Quantity="-1", UnitPrice="500"))
    (item,) = catalogue.changes()
    assert (item.text.title, list(item.categories), item.locale) == ("RED MUG", ["Mug"], "en")
    assert (item.price.currency, item.price.minor_units) == ("GBP", 200)
    assert catalogue.changes() == []
    catalogue.observe(clean(Description="RED MUG", UnitPrice="2"))
    assert catalogue.changes() == []
    catalogue.observe(clean(Description="RED MUG", UnitPrice="9"))
    catalogue.observe(clean(Description="RED MUG", UnitPrice="9"))
    assert [item.price.minor_units for item in catalogue.changes()] == [550]


@pytest.mark.parametrize(
    ("title", "category"),
    [
        ("WHITE HANGING HEART T-LIGHT HOLDER", "Holder"),
        ("JUMBO BAG RED RETROSPOT", "Bag"),
        ("LUNCH BAG  BLACK SKULL.", "Bag"),
        ("REGENCY CAKESTAND 3 TIER", "Cakestand"),
        ("PACK OF 72 RETROSPOT CAKE CASES", "Case"),
        ("SET OF 3 CAKE TINS PANTRY DESIGN", "Tin"),
        ("ALARM CLOCK BAKELIKE RED", "Clock"),
        ("JAM JAR WITH PINK LID", "Jar"),
        ("PAPER BUNTING RETROSPOT", "Bunting"),
        ("SET OF 72 RETROSPOT PAPER DOILIES", "Doily"),
        ("GLASS", "Other"),
        ("?", "Other"),
    ],
)
def test_categories_are_head_nouns(title: str, category: str) -> None:
    assert category_of(title) == category


def test_tidy() -> None:
    assert tidy("  *Boombox  Ipod Classic , ") == "Boombox Ipod Classic"
