"""The words that are always there: an item's own title and a line that claims nothing. Pure."""

import unicodedata

from magpie_services.core.decisions import Copy, Span
from magpie_services.core.items import Item
from magpie_services.core.untrusted import clean, safe_image, safe_link

MAX_TITLE_COLUMNS = 40  # the narrowest lock screen; East Asian wide characters take two
VARIANT = "builtin/safe"
_TAIWAN = ("zh-tw", "zh-hk", "zh-mo", "zh-hant")
# What is said of anything, and in place of a title of which nothing may be shown.
_LINES = {
    "zh": ("点开看看详情。", "给你看一款"),
    "zh-tw": ("點開看看詳情。", "給你看一款"),
    "en": ("Tap to see the details.", "Something to look at"),
}


def safe(item: Item, locale: str) -> Copy:
    """Words about an item for when the content service is gone; within the narrowest limits, no markup."""
    language = locale or item.locale
    body, nameless = _LINES[_line(language.lower())]
    raw = _translation(item, language) or item.title
    title = shortened(clean(raw))
    fact = Span(
        part="title",
        start=0,
        end=len(title),
        field="item.title",
        value=raw,
        source=item.item_id,
        version=item.version,
    )
    return Copy(
        strategy="plain",
        tone="plain",
        locale=language,
        title=title or nameless,
        body=body,
        image_uri=safe_image(item.image_uri),
        link=safe_link(item.link),
        variant_id=VARIANT,
        safe_template=True,
        spans=[fact] if title else [],
    )


def shortened(text: str) -> str:
    """The text within the columns of a title; what does not fit is an ellipsis, which may be wide too."""
    if sum(map(_columns, text)) <= MAX_TITLE_COLUMNS:
        return text
    room, end = MAX_TITLE_COLUMNS - 2, 0
    while room >= _columns(text[end]):
        room -= _columns(text[end])
        end += 1
    return f"{text[:end].rstrip()}…"


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WFA" else 1


def _line(language: str) -> str:
    if language.startswith(_TAIWAN):
        return "zh-tw"
    return "zh" if language.partition("-")[0] == "zh" else "en"


def _translation(item: Item, language: str) -> str:
    """The title in a language, dropping parts of its tag until one is found; "" where there is none."""
    while language:
        if language in item.translations:
            return item.translations[language].title
        language = language.rpartition("-")[0]
    return ""
