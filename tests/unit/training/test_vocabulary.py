"""What an item tower reads."""

from magpie_services.core.items import Item
from magpie_services.training.retrieval import vocabulary


def test_index_zero_is_padding_and_items_are_sorted() -> None:
    known = vocabulary.build([Item(item_id="b"), Item(item_id="a"), Item(item_id="x")], ["b", "a", "gone"])
    assert known.ids == ("", "a", "b", "gone")
    assert known.codes(["b", "x", "gone"]).tolist() == [2, 0, 3]
    assert (known.words[0] == 0).all()


def test_titles_in_chinese_are_read_by_pairs() -> None:
    assert vocabulary.tokens("蓝色衬衫 Slim-Fit 2") == ["蓝色", "色衬", "衬衫", "slim", "fit", "2"]


def test_an_item_without_anything_has_no_side_features() -> None:
    known = vocabulary.build([], ["a"])
    assert not any(side.any() for side in (known.words, known.categories, known.brands, known.bands))
