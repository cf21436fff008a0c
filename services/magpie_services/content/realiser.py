"""Writes a variant: draws its words from the grammar, each fact once, within the room that there is.

The variant was chosen with an exact chance; the words below it are drawn freely by the seed.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from magpie_services.content import slots
from magpie_services.content.dice import Dice
from magpie_services.content.facts.phrases import Phrase
from magpie_services.content.grammar.notation import FactClause, Slot, Text, plain_text
from magpie_services.content.grammar.packs import Grammar
from magpie_services.content.grammar.ways import ITEM, Leaf, Ways
from magpie_services.content.limits import ELLIPSIS, Limits, columns
from magpie_services.content.strategies import RULES, Strategy, Tone
from magpie_services.content.writer import Writer

OPENER_COLUMNS = 20
# A personal opener holds a phrase of the user's, so it has more room, and takes none that is too long for it.
PERSONAL_COLUMNS = 34
MAX_PERSONAL_COLUMNS = 22
CALL_COLUMNS = 24
# How often a text is drawn anew where it is too wide, says a thing twice or echoes what stands before it.
MAX_DRAWS = 12
ECHO_DRAWS = 4
MAX_ATTEMPTS = 4
# A title that names the item rarely has a body that does so too, and then by a short form of the name.
NAME_AGAIN = 0.1
SHORT_NAME_COLUMNS = 24
# A name that takes no more is not cut: a title can be but a name.
WHOLE_NAME_COLUMNS = 36
EMOJI = 0.5
SENTENCES = 6
_PERSONAL = ("liked", "you", "all_you", "someone")
_REASONS = {
    strategy: slots.repeating(rule.needs) for strategy, rule in RULES.items()
}  # all that a strategy is about
_SILENT: frozenset[str] = frozenset()
# What a message has put in words of its own is not said again as a further fact.
EVIDENCE = slots.mask(*slots.EVIDENCE)


class Told(NamedTuple):
    """What may be said: phrases by slot, the mask of those slots, and the item's names, longest first."""

    phrases: Mapping[str, Phrase]
    filled: int
    names: tuple[Phrase, ...]


class Drawn(NamedTuple):
    """Words that fit: `says` the slots that would repeat them, `covers` those filled, `name` the item's."""

    leaves: list[Leaf]
    says: int
    covers: int
    width: int
    name: Phrase | None


_NOTHING = Drawn([], 0, 0, 0, None)


class Realiser:
    """Writes in one grammar and tone for one user and item."""

    def __init__(self, grammar: Grammar, tone: Tone, told: Told, limits: Limits, dice: Dice) -> None:
        self._grammar = grammar
        self._tone = tone
        self._told = told
        self._limits = limits
        self._dice = dice
        self._space = 1 if grammar.language == "en" else 0

    def write(self, strategy: Strategy, opener: str, call: str) -> tuple[Writer, Writer] | None:
        """Title and body of a variant; None where no words of it fit."""
        names = self._whole(self._told.names)
        for attempt in range(MAX_ATTEMPTS):
            head = self._opener(opener)
            musts = self._musts(strategy, head.says)
            title = self._title(strategy, head, musts if attempt > 1 else (), names)
            body = title and self._body(strategy, head, title, call, musts, names)
            if title is None or body is None:
                names = self._told.names
                continue
            tail = self._call(call, head, title, body)
            written = self._written(title, [head, body, tail], names)
            if self._tone is Tone.PLAYFUL:
                self._emoji(strategy, written[0])
            if self._light(written):
                return written
            names = self._told.names[attempt + 1 :] or self._told.names[-1:]
        return None

    def describe(self) -> Writer:
        """Sentences about what is known of the item, each fact once; empty where there is nothing to say."""
        text = Writer("description", self._grammar.language)
        said, room = 0, self._limits.description_chars
        for _ in range(SENTENCES):
            filled = self._told.filled & ~said
            ways = self._grammar.ways("description", self._tone, filled & ~ITEM if text.text else filled)
            drawn = self._draw(ways.covering((ITEM,)) if not text.text else ways, said, room)
            if drawn is None or (text.text and not drawn.says):
                continue
            text.space()
            text.write(drawn.leaves, self._told.phrases, drawn.name)
            said |= drawn.says
            room -= drawn.width + 1
        return text

    def fill(self, title: Sequence[Leaf], body: Sequence[Leaf]) -> tuple[Writer, Writer] | None:
        """A title and a body whose leaves are given; None where a fact of theirs is not there, or no room."""
        for names in (self._whole(self._told.names), self._told.names):
            head = self._given(title, self._limits.title_columns, names)
            tail = self._given(body, self._limits.body_columns, names)
            if head is not None and tail is not None:
                written = self._written(head, [tail], names)
                if self._light(written):
                    return written
        return None

    def safe(self) -> Iterator[tuple[Writer, Writer]]:
        """The safe template with the item's name, then the one that names nothing."""
        for filled in (self._told.filled & ITEM, 0):
            titles = self._grammar.ways("safe.title", Tone.PLAIN, filled)
            bodies = self._grammar.ways("safe.body", Tone.PLAIN, filled)
            title = self._draw(titles.covering((ITEM,)) or titles, 0, self._limits.title_columns)
            body = self._draw(bodies, 0, self._limits.body_columns)
            if title is not None and body is not None:
                yield self._written(title, [body], self._told.names)

    def _musts(self, strategy: Strategy, said: int) -> tuple[int, ...]:
        """What title and body have to say between them."""
        musts = [ITEM, *(must for must in RULES[strategy].says if not must & said)]
        if strategy is Strategy.PREMIUM and self._told.filled & slots.ADDRESS and not said & slots.ADDRESS:
            musts.append(slots.ADDRESS)  # it speaks to a person, where anything is known of them
        return tuple(musts)

    def _opener(self, opener: str) -> Drawn:
        if opener == "none":
            return _NOTHING
        personal = opener == "personal"
        filled = personal_slots(self._told.phrases) if personal else self._told.filled
        ways = self._grammar.ways(f"opener.{opener}", self._tone, filled)
        return self._draw(ways, 0, PERSONAL_COLUMNS if personal else OPENER_COLUMNS) or _NOTHING

    def _title(
        self, strategy: Strategy, head: Drawn, musts: tuple[int, ...], names: tuple[Phrase, ...]
    ) -> Drawn | None:
        section, filled, room = f"{strategy}.title", self._told.filled, self._limits.title_columns
        ways = self._grammar.ways(section, self._tone, filled & ~head.says) or self._grammar.ways(
            section, self._tone, filled
        )
        return self._draw(ways.covering(musts), head.says, room, _heard(head), names)

    def _body(
        self,
        strategy: Strategy,
        head: Drawn,
        title: Drawn,
        call: str,
        musts: tuple[int, ...],
        names: tuple[Phrase, ...],
    ) -> Drawn | None:
        """The core of the body: says what the title owes, and nothing twice if there is a way around it."""
        section, said = f"{strategy}.body", head.says | title.says
        room = self._limits.body_columns - head.width - self._space
        if call != "none":
            room -= CALL_COLUMNS + self._space
        owed = tuple(must for must in musts if not must & title.covers)
        shown = (head.covers | title.covers) & EVIDENCE
        # Nothing twice; then nothing but the reason; then nothing of the user at least.
        hidden = [said, said & ~_REASONS[strategy], said & slots.ADDRESS]
        if title.covers & ITEM:
            names = tuple(name for name in names if name.columns <= SHORT_NAME_COLUMNS) or names[-1:]
            if self._dice.roll() >= NAME_AGAIN:
                hidden.insert(0, said | ITEM)
        for mask in hidden:
            ways = self._grammar.ways(section, self._tone, self._told.filled & ~mask).covering(owed)
            drawn = self._draw(ways, said | shown, room, _heard(head) | _heard(title), names)
            if drawn is not None:
                return drawn
        return None

    def _call(self, call: str, *before: Drawn) -> Drawn:
        """The call to action: one that does not echo what stands before it, if there is any."""
        if call == "none":
            return _NOTHING
        heard, said = _SILENT, 0
        for drawn in before:
            heard |= _heard(drawn)
            said |= drawn.says
        ways = self._grammar.ways(f"call.{call}", self._tone, self._told.filled & ~said)
        return self._draw(ways, said, CALL_COLUMNS, heard) or _NOTHING

    def _draw(
        self,
        ways: Ways,
        said: int,
        room: int,
        heard: frozenset[str] = _SILENT,
        names: tuple[Phrase, ...] | None = None,
    ) -> Drawn | None:
        """Words that fit into `room`, whose clauses say nothing of `said`; None where none were found."""
        if not ways:
            return None
        names = self._told.names if names is None else names
        fallback = None
        for draw in range(MAX_DRAWS):
            drawn = self._fitted(ways.draw(self._dice), said, room, names)
            if drawn is None:
                continue
            if not heard or draw >= ECHO_DRAWS or heard.isdisjoint(_heard(drawn)):
                return drawn
            fallback = drawn
        return fallback or self._fitted(ways.narrowest(self._widths(names)), said, room, names)

    def _given(self, leaves: Sequence[Leaf], room: int, names: tuple[Phrase, ...]) -> Drawn | None:
        needs = 0
        for leaf in leaves:
            if isinstance(leaf, Slot):
                needs |= leaf.bit
        return None if needs & ~self._told.filled else self._fitted(list(leaves), 0, room, names)

    def _widths(self, names: tuple[Phrase, ...]) -> dict[str, int]:
        widths = {name: phrase.columns for name, phrase in self._told.phrases.items()}
        return widths | {"item": names[-1].columns} if names else widths

    def _fitted(self, leaves: list[Leaf], said: int, room: int, names: tuple[Phrase, ...]) -> Drawn | None:
        """The leaves with their clauses and the longest name that fits; None where none does."""
        phrases = self._told.phrases
        says = covers = width = items = clauses = 0
        for leaf in leaves:
            if type(leaf) is Text:
                width += leaf.columns
            elif type(leaf) is Slot:
                if says & leaf.bit:
                    return None
                says |= leaf.says
                covers |= leaf.bit
                width += leaf.columns
                if leaf.bit == ITEM:
                    items += 1
                elif not leaf.words:
                    width += phrases[leaf.name].columns
            else:
                clauses += 1
        least = items * names[-1].columns if items else 0
        if width + least > room:
            return None
        if clauses:
            filled = self._told.filled & ~ITEM
            whole: list[Leaf] = []
            for leaf in leaves:
                if type(leaf) is not FactClause:
                    whole.append(leaf)
                    continue
                barred = said | says | covers & EVIDENCE
                left = room - width - least
                clause = self._clause(filled & ~barred, barred, left)
                if clause is None and not leaf.optional:
                    barred &= ~EVIDENCE  # better said again than not at all
                    clause = self._clause(filled & ~barred, barred, left)
                if clause is not None:
                    whole += clause.leaves
                    says |= clause.says
                    covers |= clause.covers
                    width += clause.width
                elif not leaf.optional:
                    return None
                elif whole and type(whole[-1]) is Text:
                    whole[-1] = _without_comma(whole[-1])
            leaves = whole
        name = None
        if items:
            left = (room - width) // items
            name = self._name(names, left)
            width += items * name.columns
        return Drawn(leaves, says, covers, width, name)

    def _clause(self, filled: int, said: int, room: int) -> Drawn | None:
        """A clause about something that is filled; None where there is nothing, or none that fits."""
        ways = self._grammar.ways("fact", self._tone, filled)
        return self._fitted(ways.draw(self._dice), said, room, ()) if ways else None

    def _name(self, names: tuple[Phrase, ...], room: int) -> Phrase:
        """One of the whole names that fit, in English the longest; a cut one only where none does."""
        fitting = [name for name in names if name.columns <= room]
        whole = self._whole(tuple(fitting))
        if len(whole) < 2 or whole[0].text.endswith(ELLIPSIS) or self._grammar.language == "en":
            return whole[0] if whole else names[-1]
        return whole[self._dice.below(len(whole))]

    def _whole(self, names: tuple[Phrase, ...]) -> tuple[Phrase, ...]:
        """The names that are not cut, if any of them is short enough for a title."""
        whole = tuple(name for name in names if not name.text.endswith(ELLIPSIS))
        return whole if whole and whole[-1].columns <= WHOLE_NAME_COLUMNS else names

    def _emoji(self, strategy: Strategy, title: Writer) -> None:
        """One emoji after every second playful title that leaves room for it."""
        ways = self._grammar.ways(f"{strategy}.emoji", Tone.PLAYFUL, 0)
        if not ways or self._dice.roll() >= EMOJI:
            return
        drawn = self._draw(ways, 0, self._limits.title_columns - columns(title.text) - 1)
        if drawn is not None:
            title.text += " "
            title.write(drawn.leaves, {}, None)

    def _written(self, title: Drawn, parts: list[Drawn], names: tuple[Phrase, ...]) -> tuple[Writer, Writer]:
        head, body = Writer("title", self._grammar.language), Writer("body", self._grammar.language)
        head.write(title.leaves, self._told.phrases, title.name)
        for part in parts:
            if part.leaves:
                body.space()
                body.write(part.leaves, self._told.phrases, part.name)
        return head, body

    def _light(self, written: tuple[Writer, Writer]) -> bool:
        """Whether both texts fit by their bytes too."""
        title, body = written
        limits = self._limits
        return len(title.text.encode()) <= limits.title_bytes and len(body.text.encode()) <= limits.body_bytes


def personal_slots(phrases: Mapping[str, Phrase]) -> int:
    """The slots that a personal opener may fill: what is known of the user, where it is short enough."""
    found = 0
    for name in _PERSONAL:
        phrase = phrases.get(name)
        if phrase is not None and phrase.columns <= MAX_PERSONAL_COLUMNS:
            found |= slots.BITS[name]
    return found


@cache
def _without_comma(text: Text) -> Text:
    """The words before a clause that stays away."""
    return plain_text(text.text.rstrip("，、；：,;: "))


def _heard(drawn: Drawn) -> frozenset[str]:
    """The words of ours that the ear remembers."""
    found = _SILENT
    for leaf in drawn.leaves:
        if type(leaf) is not FactClause and leaf.heard:  # type: ignore[union-attr]
            found |= leaf.heard  # type: ignore[union-attr]
    return found
