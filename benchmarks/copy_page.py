"""Writes docs/copy.md: pushes as they come, nothing picked, with what each piece of them stands on.

.venv/bin/python benchmarks/copy_page.py docs/copy.md
"""

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from copywriting import situations

from magpie.v1 import content_service_pb2 as content_pb
from magpie_services.content import servicer
from magpie_services.content.compose import Brief, Composer
from magpie_services.content.strategies import Strategy
from magpie_services.core.decisions import Copy
from magpie_services.core.items import Item
from magpie_services.core.money import Money
from magpie_services.core.portraits import Portrait

NOW_MS = 1_795_600_000_000  # 25 November 2026
PUSHES, EXAMPLES, SEED = 30, 10, 7
LOCALES = {"en": "English", "zh-CN": "Simplified Chinese", "zh-TW": "Traditional Chinese"}
CARDS = ("dress", "kettle", "backpack", "lamp", "cream")

_HEAD = """# Copy

What Magpie writes, as it comes: the first {pushes} of a seed in each language, none picked, for made-up users
of the simulated marketplace. Written by `benchmarks/copy_page.py`; how well it is written is measured by
`benchmarks/copy.py` ([benchmarks.md](benchmarks.md)).

How a text comes about: facts of the item, of the user's past and of the charts say which *strategies* can
speak; a variant (strategy, tone, opener, call) is chosen by what was learnt of such variants, with a known
chance; a grammar file draws its words, every claim from a typed fact; the verifier, which shares nothing with
the grammar, holds the text against the facts, and again when the push is handed over. `magpie compose` shows
any of it:

```sh
magpie compose --item ITEM --user USER --strategy price_drop --locale en
```
"""
_SPANS = """
## What the pieces stand on

Every piece that claims something carries the fact it was made from, with the version of the catalogue. The
first push of each language:
"""
_EXAMPLE = """
## A worked example

Attributes 时尚、简约、蓝色; portrait 年轻、时尚、注重品质; strategy: recommend what is worth more
(`premium`). Ten variants, in the order of their seeds:
"""


def main() -> None:
    """Parses the path, writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.parse_args().page.write_text("\n".join(_lines()) + "\n", "utf-8")


def _lines() -> Iterator[str]:
    yield _HEAD.format(pushes=PUSHES)
    firsts: dict[str, Copy] = {}
    for locale, name in LOCALES.items():
        yield f"## {name}\n"
        yield "| | why | title | body |\n|---|---|---|---|"
        for number, copy in enumerate(_pushes(locale, "shop", PUSHES), 1):
            firsts.setdefault(locale, copy)
            why = copy.strategy.replace("_", " ")
            yield f"| {number} | {why} | {_cell(copy.title)} | {_cell(copy.body)} |"
        yield f"\nCards, drawn by `docs/draw_cards.py`:\n\n{' '.join(_cards(locale))}\n"
    yield _SPANS
    for copy in firsts.values():
        yield f"> **{copy.title}** {copy.body}\n"
        yield "| piece | fact | value |\n|---|---|---|"
        for span in copy.spans:
            if span.part != "description":
                said = getattr(copy, span.part)[span.start : span.end]
                yield f"| {_cell(said)} | `{span.field}` | {_cell(span.value)} |"
        yield ""
    yield _EXAMPLE
    for number, copy in enumerate(_worked_example(), 1):
        yield f"{number}. **{copy.title}** {copy.body}"


def _cards(locale: str) -> Iterator[str]:
    for name in CARDS:
        yield f'<img src="cards/{name}.{locale}.jpg" width="240" alt="{name}, {locale}">'


def _pushes(locale: str, pack: str, count: int) -> Iterator[Copy]:
    shop = situations.marketplace(locale, NOW_MS)
    composer = Composer(pack=pack)
    for brief in islice(shop.briefs(count, locale, SEED), count):
        yield _written(composer, _read(brief))


def _read(brief: content_pb.Brief) -> Brief:
    return servicer.brief_of(brief, "brief")


def _worked_example() -> Iterator[Copy]:
    item = Item(
        item_id="shirt",
        version=1,
        title="真丝衬衫",
        locale="zh-CN",
        brand="云上",
        categories=["女装", "衬衫"],
        attributes={"style": ["时尚", "简约"], "colour": ["蓝色"]},
        price=Money("CNY", 129_900),
        list_price=Money("CNY", 159_900),
        stock=50,
        rating=4.7,
        rating_count=321,
    )
    portrait = Portrait(user_id="somebody", locale="zh-CN", traits=["年轻", "时尚", "注重品质"])
    composer = Composer()
    for seed in range(EXAMPLES):
        yield _written(composer, Brief(item=item, portrait=portrait, strategy=Strategy.PREMIUM, seed=seed))


def _written(composer: Composer, brief: Brief) -> Copy:
    return composer.compose(brief, NOW_MS).messages[0]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    main()
