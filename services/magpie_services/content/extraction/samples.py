"""What learning keeps of an item: little, for there are many."""

from typing import NamedTuple

from magpie_services.content.extraction.folding import fold
from magpie_services.core.items import Item

BRAND = "brand"
_TITLE_CHARS = 120
_READ_CHARS = 400  # of each description


class Value(NamedTuple):
    """One value of an attribute, as the catalogue writes both."""

    name: str
    value: str


class Sample(NamedTuple):
    """An item's titles and all its texts, folded, its values and its narrowest category."""

    titles: tuple[str, ...]
    text: str
    values: frozenset[Value]
    category: str


def sample(item: Item) -> Sample:
    """The item as learning reads it."""
    texts = [(item.title, item.description)]
    texts += [(text.title, text.description) for text in item.translations.values()]
    titles = tuple(fold(title[:_TITLE_CHARS]) for title, _ in texts)
    values = {Value(name, value) for name, values in item.attributes.items() for value in values}
    if item.brand:
        values.add(Value(BRAND, item.brand))
    bodies = [fold(description[:_READ_CHARS]) for _, description in texts if description]
    return Sample(titles, "\n".join([*titles, *bodies]), frozenset(values), item.category)
