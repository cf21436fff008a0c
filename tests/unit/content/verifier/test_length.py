"""Texts without end: what an item says is read in time that grows with its length, not with its square."""

import pytest

from magpie_services.content.verifier.evidence import dossier
from magpie_services.core.items import Item


@pytest.mark.parametrize("piece", ["1234567890", "1×", "9 x 9 cm x ", "a1-", "1.", "最", "£1,000 "])
def test_an_item_of_a_hundred_thousand_characters_is_read(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    values = {"size": [text[:20_000]] * 5}
    read = dossier(Item(item_id="long", title=text[:5_000], description=text, attributes=values))
    assert read.item.item_id == "long"
