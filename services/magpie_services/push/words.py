"""The words that are always there: an item's own title and a line that claims nothing. Pure."""

from magpie_services.core.decisions import Copy, Span
from magpie_services.core.items import Item

MAX_TITLE_CHARS = 40
VARIANT = "builtin/safe"
_LINES = {"zh": "点开看看详情。", "en": "Tap to see the details."}


def safe(item: Item, locale: str) -> Copy:
    """Words about an item for when the content service is gone. The title is shortened to 40 characters."""
    language = locale or item.locale
    told = _translation(item, language)
    title = told or item.title
    shown = title if len(title) <= MAX_TITLE_CHARS else f"{title[: MAX_TITLE_CHARS - 1]}…"
    return Copy(
        strategy="plain",
        tone="plain",
        locale=language,
        title=shown,
        body=_LINES.get(language.partition("-")[0].lower(), _LINES["en"]),
        image_uri=item.image_uri,
        link=item.link,
        variant_id=VARIANT,
        safe_template=True,
        spans=[
            Span(
                part="title",
                start=0,
                end=len(shown),
                field="item.title",
                value=title,
                source=item.item_id,
                version=item.version,
            )
        ],
    )


def _translation(item: Item, language: str) -> str:
    """The title in a language, dropping parts of its tag until one is found; "" where there is none."""
    while language:
        if language in item.translations:
            return item.translations[language].title
        language = language.rpartition("-")[0]
    return ""
