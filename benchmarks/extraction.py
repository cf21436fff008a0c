"""Attributes from free text: hides what the catalogue says of a fifth of its items and reads it from words.

    python benchmarks/extraction.py

The lexicon is learnt from the other four fifths. Each language is read by itself. `precision` is the share
of values found that the catalogue has, `recall` that of the catalogue's values which are found, both over
colour, material, style, season, size and brand, the two languages together. Single letters (sizes S, M, L)
are never read from texts; they count as not found. Beside it: the words known before any catalogue
(`seeds_…`), a plain search for every known value (`search_…`), and texts that say what a thing is not
(`negated_read`).
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable

from harness import report, say

from magpie_services.content.attributes import HAN
from magpie_services.content.extraction.extractor import Extractor
from magpie_services.content.extraction.lexicon import learn
from magpie_services.content.extraction.samples import BRAND, sample
from magpie_services.core.items import Item
from magpie_services.wire.items import item_from_proto
from magpie_simulator.catalogue import draw_goods, item_message
from magpie_simulator.draws import Luck
from magpie_simulator.parameters import Parameters

SEED = 20_261_124
ITEMS = 4_000
HELD_OUT = 0.2
LOCALES = ("zh-CN", "en")
Values = set[tuple[str, str]]
NEGATED = {
    "en": (
        "not {}", "no {} here", "{}-free", "faux {}", "without any {}", "imitation {}", "non-{}", "{} look",
        "instead of {}", "never {} or suede", "vegan {}", "free from {}", "{}-effect finish",
    ),
    "zh-CN": ("非{}", "仿{}", "不含{}", "没有{}", "人造{}", "{}质感", "不是{}", "{}纹", "拒绝{}", "无{}"),
}  # fmt: skip


def main() -> None:
    """Measures, prints."""
    shop = {locale: catalogue(locale) for locale in LOCALES}
    known = [index for index in range(ITEMS) if random.Random(f"{SEED}:{index}").random() >= HELD_OUT]
    hidden = sorted(set(range(ITEMS)) - set(known))
    started = time.process_time()
    # What the service reads: every item once, both languages in it.
    lexicon = learn([sample(shop["zh-CN"][index]) for index in known])
    learning = time.process_time() - started
    say(f"{len(lexicon.entries):,} words learnt from {len(known):,} items in {learning:.1f} s")
    readers: dict[str, Callable[[Item], Values]] = {
        "": lambda item: {(one.name, one.value) for one in learnt.attributes(item)},
        "seeds_": lambda item: {(one.name, one.value) for one in seeds.attributes(item)},
        "search_": lambda item: {value for value in every if value[1] in item.title + item.description},
    }
    learnt, seeds = Extractor(lexicon), Extractor()
    every = {value for index in known for value in values(shop["zh-CN"][index])}
    figures: dict[str, float] = {}
    for prefix, read in readers.items():
        told: Counter[str] = Counter()
        for locale in LOCALES:
            for index in hidden:
                tally(
                    told,
                    locale,
                    read(bare(shop[locale][index])),
                    of_language(shop[locale][index], locale),
                )
        for scope in ("all", *LOCALES):
            end = "" if scope == "all" else f"_{scope[:2]}"
            figures[f"{prefix}precision{end}"] = share(told, f"{scope} right", f"{scope} found")
            figures[f"{prefix}recall{end}"] = share(told, f"{scope} right", f"{scope} there")
    figures["negated_read"] = negated(learnt, every)
    items = [bare(shop[locale][index]) for locale in LOCALES for index in hidden]
    started = time.process_time()
    for item in items:
        learnt.attributes(item)
    figures["items_per_cpu_second"] = round(len(items) / (time.process_time() - started))
    figures["learning_cpu_seconds"] = round(learning, 2)
    report("extraction", figures, {"items": ITEMS, "held_out": len(hidden), "words": len(lexicon.entries)})


def catalogue(locale: str) -> list[Item]:
    """The simulator's goods, their own text in that locale and the other as a translation."""
    goods = draw_goods(Parameters(seed=SEED, users=10, items=ITEMS, arrivals_share=0.0), Luck(SEED))
    return [
        item_from_proto(
            item_message(goods, at, locale=locale, price=9_900, list_price=0, stock=9, stars=(0, 0))
        )
        for at in range(len(goods))
    ]


def values(item: Item) -> Values:
    """What the catalogue says of an item."""
    return {(name, value) for name, found in item.attributes.items() for value in found} | {
        (BRAND, item.brand)
    }


def of_language(item: Item, locale: str) -> Values:
    """The values that a text of that language can say: brands, words of its script, what both write alike."""
    return {
        (name, value)
        for name, value in values(item)
        if name == BRAND or bool(HAN.search(value)) is (locale == "zh-CN") or value in item.description
    }


def bare(item: Item) -> Item:
    """The item with nothing but its category and its own text."""
    return Item(
        item_id=item.item_id,
        title=item.title,
        description=item.description,
        locale=item.locale,
        categories=item.categories,
    )


def tally(told: Counter[str], locale: str, found: Values, there: Values) -> None:
    """Counts for the language and for all. A value in the other language, of the same item, is right too."""
    for scope in ("all", locale):
        told[f"{scope} found"] += len(found)
        told[f"{scope} there"] += len(there)
        told[f"{scope} right"] += len(found & there)


def negated(reader: Extractor, every: Iterable[tuple[str, str]]) -> float:
    """The share of texts that deny a material of the catalogue and from which it is read all the same."""
    texts = [
        (frame.format(value), value)
        for name, value in sorted(every)
        if name == "material"
        for frame in NEGATED["en" if value.isascii() else "zh-CN"]
    ]
    read = sum(
        any(value == one.value for one in reader.attributes(Item(item_id="x", title=text)))
        for text, value in texts
    )
    return read / len(texts)


def share(told: Counter[str], part: str, whole: str) -> float:
    """A share of the counts, to four digits."""
    return round(told[part] / max(1, told[whole]), 4)


if __name__ == "__main__":
    main()
