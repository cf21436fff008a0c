"""Words in texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magpie_services.content.extraction.folding import fold
from magpie_services.content.extraction.matching import Matcher

WORDS = (
    "leather",
    "blue",
    "navy blue",
    "cotton",
    "suede",
    "xl",
    "棉",
    "真皮",
    "蓝",
    "蓝色",
    "简约",
    "米白色",
)


def found(text: str) -> list[str]:
    folded = fold(text)
    matches = Matcher(WORDS, ["蓝牙"]).find(folded)
    assert all(folded[one.start : one.end] == one.word for one in matches)
    return [one.word for one in matches]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Navy Blue dress in cotton", ["navy blue", "cotton"]),
        ("Ｂｌｕｅ Leather", ["blue", "leather"]),
        ("bluebird, blues, XLS", []),
        ("XL码 size XL", ["xl", "xl"]),
        ("藍色真皮包，簡約", ["蓝色", "真皮", "简约"]),
        ("非常简约", ["简约"]),
        ("蓝牙耳机", []),
        ("米白色棉T恤", ["米白色", "棉"]),
        ("not only cotton but blue", ["cotton", "blue"]),
        ("No-iron cotton shirt", ["cotton"]),
        ("", []),
    ],
)
def test_whole_words_are_found_and_the_longest_wins(text: str, words: list[str]) -> None:
    assert found(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "not leather", "no leather or suede", "without any real leather", "isn't leather", "faux leather",
        "faux-leather", "vegan leather", "imitation suede", "cotton-free", "cotton free", "leather-look",
        "leather like", "made of synthetic leather", "not made of real leather", "instead of leather",
        "free from cotton", "polish for leather", "bluish", "blue-ish", "goes with your blue",
        "非真皮", "仿真皮", "不含棉", "不是真皮", "人造真皮", "没有棉、真皮", "真皮质感", "真皮纹",
        "拒绝真皮", "是否真皮", "無真皮", "媲美真皮",
    ],
)  # fmt: skip
def test_what_a_thing_is_not_is_not_found(text: str) -> None:
    assert found(text) == []


@given(st.text(max_size=200))
def test_folding_keeps_every_place(text: str) -> None:
    assert len(fold(text)) == len(text)
    found(text)
