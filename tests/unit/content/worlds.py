"""Items and people for the tests of the content room."""

from magpie_services.core.items import Item
from magpie_services.core.memory import ItemMemory
from magpie_services.core.money import Money
from magpie_services.core.portraits import Portrait

NOW_MS = 1_790_100_000_000


def shirt(**changes: object) -> Item:
    """A blue shirt on sale, well rated, few left, new."""
    fields: dict[str, object] = {
        "item_id": "shirt",
        "version": 3,
        "title": "真丝衬衫",
        "locale": "zh-CN",
        "attributes": {"style": ["时尚", "简约"], "colour": ["蓝色"], "节日": ["中秋"]},
        "price": Money("CNY", 129_900),
        "list_price": Money("CNY", 159_900),
        "brand": "云上",
        "categories": ["服饰", "衬衫"],
        "stock": 3,
        "rating": 4.76,
        "rating_count": 1_234,
        "published_ms": NOW_MS - 86_400_000,
    }
    return Item(**(fields | changes))  # type: ignore[arg-type]


def holder(**changes: object) -> Item:
    """An English candle holder whose title shouts."""
    fields: dict[str, object] = {
        "item_id": "holder",
        "version": 7,
        "title": "WHITE HANGING HEART T-LIGHT HOLDER",
        "locale": "en",
        "attributes": {"style": ["Modern", "simple"], "colour": ["White"], "season": ["Autumn"]},
        "price": Money("GBP", 255),
        "list_price": Money("GBP", 399),
        "brand": "Fern & Co",
        "categories": ["Home", "Candle holders"],
        "stock": 1,
        "rating": 4.7,
        "rating_count": 321,
        "published_ms": NOW_MS - 86_400_000,
    }
    return Item(**(fields | changes))  # type: ignore[arg-type]


def person(*traits: str, item: Item | None = None, because: Item | None = None) -> Portrait:
    """Somebody with these traits who viewed and bought `because` and bought `item` twice."""
    items = {}
    if because is not None:
        items[because.item_id] = ItemMemory(views=2, purchases=1)
    if item is not None:
        items[item.item_id] = ItemMemory(purchases=2)
    return Portrait(user_id="somebody", version=9, traits=list(traits), items=items)
