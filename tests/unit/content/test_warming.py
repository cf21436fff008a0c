"""What was warmed up does not load when somebody waits."""

import pytest

from magpie_services.content.compose import Brief, Composer
from magpie_services.content.grammar import packs
from magpie_services.content.warming import warm_up
from magpie_services.core.items import Item
from magpie_services.core.portraits import Portrait

NOW_MS = 1_800_000_000_000


@pytest.mark.parametrize("pack", packs.PACKS)
def test_the_first_message_in_any_language_loads_no_grammar(pack: str) -> None:
    packs.grammar.cache_clear()
    composer = Composer(pack=pack)
    warm_up(composer, NOW_MS)
    loaded = packs.grammar.cache_info().misses
    assert loaded == len(packs.LOCALES)
    for locale in packs.LOCALES:
        item = Item(item_id="i", title="Kettle", locale=locale)
        composer.compose(Brief(item=item, portrait=Portrait(user_id="u"), locale=locale), NOW_MS)
    assert packs.grammar.cache_info().misses == loaded
