"""The grammar files of a locale and a kind of app, loaded once, and which locale answers for a BCP 47 tag."""

from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from magpie_services.content.grammar.notation import GrammarError, Line, Sections, parse, references
from magpie_services.content.grammar.pruning import Pruner
from magpie_services.content.grammar.taiwan import traditional
from magpie_services.content.strategies import Strategy

LOCALES = ("zh-CN", "zh-TW", "en")
PACKS = ("shop", "social", "education", "health")
OPENERS = ("none", "hello", "news", "question", "personal")
CALLS = ("none", "look", "details", "decide", "ask")
_TRADITIONAL = frozenset(["hant", "tw", "hk", "mo"])


class Grammar:
    """All words of a locale in one pack; `ways(section, tone, filled)` says what of them can be said."""

    def __init__(self, locale: str, pack: str, sections: Sections) -> None:
        self.locale = locale
        self.pack = pack
        self.language = locale.partition("-")[0]
        self.sections = sections
        self.ways = Pruner(sections).ways

    def speaks(self, strategy: Strategy) -> bool:
        """Whether this pack has words for a strategy."""
        return f"{strategy}.title" in self.sections and f"{strategy}.body" in self.sections


@cache
def grammar(locale: str, pack: str) -> Grammar:
    """The grammar of one of LOCALES in one of PACKS. Raises GrammarError for a file that is faulty."""
    folder = "zh-CN" if locale == "zh-TW" else locale
    return load(resources.files(__package__).joinpath(folder), locale, pack)


def load(folder: Traversable, locale: str, pack: str) -> Grammar:
    """Reads `common.grammar` and the pack's file; a section of the pack takes the place of a common one.

    What zh-TW says is what zh-CN says, in the characters and words of Taiwan.
    """
    sections: dict[str, Sections] = {}
    merged: dict[str, tuple[Line, ...]] = {}
    for name in ("common", pack):
        file = folder.joinpath(f"{name}.grammar")
        text = file.read_text("utf-8")
        if locale == "zh-TW":
            text = traditional(text)
        sections[name] = parse(text, f"{locale}/{name}.grammar")
        merged |= sections[name]
    for name, found in sections.items():
        _check(found, merged, f"{locale}/{name}.grammar")
    return Grammar(locale, pack, merged)


def resolve(*tags: str) -> str | None:
    """The locale that answers for the first tag that has one; None where none has.

    zh-TW answers for zh-Hant, zh-TW, zh-HK and zh-MO, zh-CN for all other Chinese, en for all English.
    """
    for tag in tags:
        language, *rest = tag.replace("_", "-").casefold().split("-")
        if language == "zh":
            traditional = "hans" not in rest and not _TRADITIONAL.isdisjoint(rest)
            return "zh-TW" if traditional else "zh-CN"
        if language == "en":
            return "en"
    return None


def _check(found: Sections, all_: Sections, file: str) -> None:
    """Raises GrammarError for a section that no one asks for or a name that leads nowhere or in a circle."""
    for name, lines in found.items():
        group, _, part = name.partition(".")
        known = {"opener": OPENERS, "call": CALLS, "safe": ("title", "body")}.get(group)
        if known is None:
            known = ("title", "body", "emoji") if group in set(Strategy) else ("",)
        if part not in known:
            place = lines[0].place if lines else 1
            raise GrammarError(file, place, f"[{name}] is not a section that anything asks for")
        for line in lines:
            for other in references(line.sequence):
                if other not in all_:
                    raise GrammarError(file, line.place, f"<{other}> has no section")
                if other == name or _leads(other, name, all_, set()):
                    raise GrammarError(file, line.place, f"<{other}> leads back to [{name}]")


def _leads(start: str, goal: str, sections: Sections, seen: set[str]) -> bool:
    seen.add(start)
    for line in sections[start]:
        for other in references(line.sequence):
            if other == goal or (
                other not in seen and other in sections and _leads(other, goal, sections, seen)
            ):
                return True
    return False
