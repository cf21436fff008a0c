"""What items say, worked out once a version and kept while there is room."""

from collections import OrderedDict
from collections.abc import Sequence

from magpie_services.content.facts.extra import Extra
from magpie_services.content.verifier import evidence
from magpie_services.content.verifier.evidence import Dossier, Facts
from magpie_services.content.verifier.vocabulary import Vocabulary
from magpie_services.core.items import Item


class Dossiers:
    """The evidence of items lately spoken of, and the brands that they taught."""

    def __init__(self, kept: int) -> None:
        """Keeps what it worked out of `kept` items."""
        self._kept = kept
        self._dossiers: OrderedDict[tuple[str, int], Dossier] = OrderedDict()
        self._vocabulary = Vocabulary()

    def facts(
        self,
        item: Item,
        because: Item | None,
        traits: Sequence[str],
        extra: Extra,
        now_ms: int,
        *,
        strategy: str = "",
    ) -> Facts:
        """The facts for a text about `item` now. `strategy` is the reason it gives, "" where nobody says."""
        return evidence.gather(
            self._of(item),
            None if because is None else self._of(because),
            traits,
            extra,
            now_ms,
            strategy=strategy,
            vocabulary=self._vocabulary,
        )

    def _of(self, item: Item) -> Dossier:
        key = (item.item_id, item.version)
        found = self._dossiers.get(key)
        # The version alone is the caller's word; the contents decide.
        if found is not None and (found.item is item or found.item == item):
            return found
        found = evidence.dossier(item)
        self._vocabulary.learn(item.brand)
        self._dossiers[key] = found
        self._dossiers.move_to_end(key)
        if len(self._dossiers) > self._kept:
            self._dossiers.popitem(last=False)
        return found
