"""Everything that could be said for one brief, and a choice among it whose probability is known.

A form is chosen in seven steps, each with its own weights: strategy, tone, title, body, opener, call to
action, emoji. Only what can be filled and fits is ever an option, so the product is the exact propensity.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from magpie_services.content.dice import Dice
from magpie_services.content.facts import Phrase, Slots
from magpie_services.content.grammar import Forms, Grammar, Pattern
from magpie_services.content.grammar.patterns import ADDRESS
from magpie_services.content.limits import Limits, columns
from magpie_services.content.strategies import Strategy, Tone

Options = list[tuple[str | int, float]]
MAX_ROLLS = 48


class Form(NamedTuple):
    """Which words: the strategy and tone, and the places of the patterns in the grammar."""

    strategy: Strategy
    tone: Tone
    title: int
    body: int
    opener: int
    call: int
    emoji: int

    def variant_id(self, locale: str) -> str:
        """The name by which choices are learnt: "zh-CN:premium:plain:t3:b1:o0:c2:e0"."""
        places = f"t{self.title}:b{self.body}:o{self.opener}:c{self.call}:e{self.emoji}"
        return f"{locale}:{self.strategy}:{self.tone}:{places}"


def parse_variant(variant_id: str, locale: str) -> Form | None:
    """The form that a full variant id of this locale names, None for anything else."""
    parts = variant_id.split(":")
    if len(parts) != 8 or parts[0] != locale:
        return None
    try:
        places = [int(part[1:]) for part in parts[3:]]
        return Form(Strategy(parts[1]), Tone(parts[2]), *places)
    except ValueError:
        return None


class Plan:
    """The forms possible for one brief. `names` are the item's, longest first; weights need not sum to 1."""

    def __init__(
        self,
        grammar: Grammar,
        slots: Slots,
        names: tuple[Phrase, ...],
        limits: Limits,
        strategies: Mapping[Strategy, float],
        tones: Mapping[Strategy, Mapping[Tone, float]],
    ) -> None:
        self._grammar = grammar
        self._slots = slots
        self._filled = slots.keys()
        self._names = names
        self._limits = limits
        self._strategies = strategies
        self._tones = tones
        self._known: dict[tuple[object, ...], Options] = {}

    def draw(self, dice: Dice, taken: Iterable[Form]) -> tuple[Form, float] | None:
        """A form that is not taken, and its chance among those; None when none was found."""
        refused = set(taken)
        open_chance = 1.0 - sum(self.chance(form) for form in refused)
        for _ in range(MAX_ROLLS):
            rolled = self._roll(dice)
            if rolled is None:
                return None
            form, chance = rolled
            if form not in refused:
                return form, min(1.0, chance / open_chance) if open_chance > 1e-9 else 1.0
        return None

    def chance(self, form: Form) -> float:
        """The probability of drawing a form, 0 for one that is not possible here."""
        chance = 1.0
        for step, key in enumerate(form):
            options = self._options(form[:step])
            weight = next((weight for option, weight in options if option == key), 0.0)
            if not weight:
                return 0.0
            chance *= weight / sum(weight for _, weight in options)
        return chance

    def name_for(self, pattern: Pattern, room: int) -> Phrase | None:
        """The longest name of the item that fits with a pattern into `room` columns."""
        if not pattern.names_item:
            return None
        left = room - self._width(pattern)
        return next((name for name in self._names if name.columns <= left), None)

    def fits(self, pattern: Pattern, room: int) -> bool:
        """Whether a pattern can be filled within `room` columns."""
        if not pattern.needs <= self._filled:
            return False
        left = room - self._width(pattern)
        return left >= 0 and (not pattern.names_item or bool(self._names and self._names[-1].columns <= left))

    def _width(self, pattern: Pattern) -> int:
        return pattern.columns + sum(self._slots[name].columns for name in pattern.needs)

    def _roll(self, dice: Dice) -> tuple[Form, float] | None:
        chance = 1.0
        keys: tuple[str | int, ...] = ()
        for _ in Form._fields:
            options = self._options(keys)
            if not options:
                return None
            key, part = dice.pick(options)
            keys, chance = (*keys, key), chance * part
        return Form(*keys), chance  # type: ignore[arg-type]

    def _options(self, keys: tuple[str | int, ...]) -> Options:
        found = self._known.get(keys)
        if found is None:
            found = self._find(keys)
            self._known[keys] = found
        return found

    def _find(self, keys: tuple[str | int, ...]) -> Options:
        # Every eligible strategy can speak in every tone: the grammar has, for each, a title and a body that
        # need nothing but the strategy's own facts (a test holds it to that).
        if not keys:
            return list(self._strategies.items())
        strategy = Strategy(str(keys[0]))
        if len(keys) == 1:
            return list(self._tones[strategy].items())
        tone, forms = Tone(str(keys[1])), self._grammar.strategies[strategy]
        if len(keys) == 2:
            return self._titles(forms, tone)
        if len(keys) == 3:
            return self._bodies(forms, tone, forms.titles[int(keys[2])])
        body = forms.bodies[int(keys[3])]
        left = self._limits.body_columns - self._used(body)
        if len(keys) == 4:
            openers = self._fitting(self._grammar.openers, tone, left)
            return [(0, 2.0), *((at, 1.0) for at, _ in openers if at and self._opens(int(at), body))]
        left -= self._grammar.openers[int(keys[4])].columns + 1
        if len(keys) == 5:
            calls = self._fitting(self._grammar.calls, tone, left)
            kept = [
                (at, one) for at, one in calls if body.echoes.isdisjoint(self._grammar.calls[int(at)].echoes)
            ]
            return kept or [(0, 1.0)]
        return self._emoji(forms.titles[int(keys[2])], forms.emoji, tone)

    def _titles(self, forms: Forms, tone: Tone) -> Options:
        """Titles that fit and leave a body to go with them."""
        fitting = self._fitting(forms.titles, tone, self._limits.title_columns)
        return [(at, one) for at, one in fitting if self._bodies(forms, tone, forms.titles[int(at)])]

    def _bodies(self, forms: Forms, tone: Tone, title: Pattern) -> Options:
        """Bodies that fit; the item is named once at least, and the user addressed once at most.

        The premium strategy speaks to a person: where their traits are known, title or body must say so.
        """
        key = (id(forms), tone, title.names_item, title.addresses)
        found = self._known.get(key)
        if found is None:
            fitting = self._fitting(forms.bodies, tone, self._limits.body_columns)
            must = forms is self._grammar.strategies[Strategy.PREMIUM] and not ADDRESS.isdisjoint(
                self._filled
            )
            found = []
            for at, one in fitting:
                body = forms.bodies[int(at)]
                addressed = title.addresses + body.addresses
                if (title.names_item or body.names_item) and (addressed == 1 if must else addressed <= 1):
                    found.append((at, one))
            self._known[key] = found
        return found

    def _opens(self, opener: int, body: Pattern) -> bool:
        """An opener that runs on into the body needs one that starts as a plain clause."""
        if not self._grammar.openers[opener].attached:
            return True
        first = body.parts[0]
        return not body.has_colon and (isinstance(first, str) or first.name == "item")

    def _fitting(self, patterns: tuple[Pattern, ...], tone: Tone, room: int, first: int = 0) -> Options:
        return [
            (at, 1.0)
            for at, pattern in enumerate(patterns, first)
            if tone in pattern.tones and self.fits(pattern, room)
        ]

    def _used(self, body: Pattern) -> int:
        name = self.name_for(body, self._limits.body_columns)
        return self._width(body) + (name.columns if name else 0) + 1

    def _emoji(self, title: Pattern, emoji: tuple[str, ...], tone: Tone) -> Options:
        """One emoji at most, and only where the tone is playful and the title leaves room for it."""
        if tone is not Tone.PLAYFUL:
            return [(0, 1.0)]
        name = self.name_for(title, self._limits.title_columns)
        left = self._limits.title_columns - self._width(title) - (name.columns if name else 0)
        fitting: Options = [(at, 1.0) for at, one in enumerate(emoji, 1) if columns(one) + 1 <= left]
        return [(0, 1.0), *fitting]
