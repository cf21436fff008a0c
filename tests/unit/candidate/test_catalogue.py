"""Which change makes a version."""

import msgspec
from tests import shop

from magpie_services.candidate.catalogue import revised, withdrawn

FIRST = revised(None, shop.item(1), shop.NOW_MS)


def test_a_new_item_is_version_1_and_was_published_when_first_seen() -> None:
    seen = revised(None, shop.item(1, published_ms=0, version=99, withdrawn=True), shop.NOW_MS)
    assert seen is not None
    assert (seen.version, seen.updated_ms, seen.published_ms, seen.withdrawn) == (
        1,
        shop.NOW_MS,
        shop.NOW_MS,
        False,
    )


def test_the_same_again_is_no_change() -> None:
    assert revised(FIRST, shop.item(1), shop.NOW_MS + 5) is None
    assert revised(FIRST, shop.item(1, published_ms=0), shop.NOW_MS + 5) is None
    assert revised(FIRST, shop.item(1, version=7, updated_ms=3), shop.NOW_MS + 5) is None


def test_a_change_is_the_next_version() -> None:
    change = revised(FIRST, shop.item(1, stock=0), shop.NOW_MS + 5)
    assert change is not None
    assert (change.version, change.updated_ms, change.stock) == (2, shop.NOW_MS + 5, 0)


def test_a_withdrawn_item_comes_back_as_a_change() -> None:
    gone = withdrawn(FIRST, shop.NOW_MS + 1)
    assert gone is not None
    assert (gone.version, gone.withdrawn) == (2, True)
    assert withdrawn(gone, shop.NOW_MS + 2) is None
    assert withdrawn(None, shop.NOW_MS) is None
    back = revised(gone, shop.item(1), shop.NOW_MS + 2)
    assert back == msgspec.structs.replace(gone, version=3, withdrawn=False, updated_ms=shop.NOW_MS + 2)


def test_coming_back_from_being_sold_out_is_remembered() -> None:
    assert FIRST is not None
    assert FIRST.restock_ms == 0
    gone = revised(FIRST, shop.item(1, stock=0, restock_ms=9), shop.NOW_MS + 1)
    assert gone is not None
    assert gone.restock_ms == 0
    unknown = revised(gone, shop.item(1, stock=None), shop.NOW_MS + 2)
    assert unknown is not None
    assert unknown.restock_ms == 0
    back = revised(gone, shop.item(1, stock=4), shop.NOW_MS + 2)
    assert back is not None
    assert (back.version, back.restock_ms) == (3, shop.NOW_MS + 2)
    fewer = revised(back, shop.item(1, stock=3), shop.NOW_MS + 3)
    assert fewer is not None
    assert fewer.restock_ms == shop.NOW_MS + 2
    assert revised(fewer, shop.item(1, stock=3, restock_ms=0), shop.NOW_MS + 4) is None
