"""The words of Taiwan: the simplified grammar in traditional characters (OpenCC), and what differs beyond."""

from opencc import OpenCC

# What OpenCC has written, and what a shop in Taiwan writes; longer ones first.
_WORDS = (
    ("打過分", "評過分"),
    ("打分", "評分"),
    ("均分", "平均"),
    ("現價", "現在"),
    ("開啟", "打開"),
    ("關鍵詞", "關鍵字"),
    ("專案", "項目"),
    ("釋出", "發佈"),
    ("好訊息", "好消息"),
    ("價籤", "標價"),
    ("尺寸和說明", "尺寸與說明"),
    ("“", "「"),
    ("”", "」"),
)


def traditional(text: str) -> str:
    """A grammar file in simplified characters as Taiwan's readers expect it."""
    found = str(OpenCC("s2twp").convert(text))
    for mainland, taiwan in _WORDS:
        found = found.replace(mainland, taiwan)
    return found
