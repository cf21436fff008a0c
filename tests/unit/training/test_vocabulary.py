"""What an item tower reads."""

from magpie_services.core import item_codes
from magpie_services.core.items import Item, pictured
from magpie_services.training.retrieval import vocabulary


def test_index_zero_is_padding_and_items_are_sorted() -> None:
    known = vocabulary.build([Item(item_id="b"), Item(item_id="a"), Item(item_id="x")], ["b", "a", "gone"])
    assert known.ids == ("", "a", "b", "gone")
    assert known.codes(["b", "x", "gone"]).tolist() == [2, 0, 3]
    assert (known.words[0] == 0).all()


def test_titles_in_chinese_are_read_by_pairs() -> None:
    assert item_codes.tokens("蓝色衬衫 Slim-Fit 2") == ["蓝色", "色衬", "衬衫", "slim", "fit", "2"]


def test_an_item_without_anything_has_no_side_features() -> None:
    known = vocabulary.build([], ["a"])
    assert not any(side.any() for side in (known.words, known.tags, known.brands, known.bands))


def test_pictures_take_no_room_where_nothing_has_one() -> None:
    shown = Item(item_id="a", picture_vector=pictured([3.0, 4.0]))
    assert vocabulary.build([Item(item_id="a")], ["a", "b"]).pictures.shape == (3, 0)
    pictures = vocabulary.build([shown], ["a", "b"]).pictures
    assert pictures.shape == (3, item_codes.PICTURE)
    assert pictures.any(axis=1).tolist() == [False, True, False]


def test_all_levels_of_a_category_and_all_attributes_are_tags() -> None:
    shirt = Item(item_id="s", categories=["Clothes", "Shirts"], attributes={"colour": ["blue", "red"]})
    other = Item(item_id="t", categories=["Clothes", "Trousers"])
    known = vocabulary.build([shirt, other], ["s", "t"])
    assert (known.tags[1] > 0).sum() == 4
    assert set(known.tags[1].tolist()) & set(known.tags[2].tolist()) - {0} == {int(known.tags[2, 1])}


def test_attribute_numbers_are_counted_anew_and_may_be_missing() -> None:
    known = vocabulary.plain(["b", "a", "c"], {"a": [700, 7, 700], "b": [7], "stranger": [9]})
    assert known.ids == ("", "a", "b", "c")
    assert known.tags.tolist() == [[0, 0], [2, 1], [1, 0], [0, 0]]
    assert known.tag_buckets == 3
