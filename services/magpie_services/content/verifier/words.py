"""Words of the lexicon and brands of the catalogue found in a text, held against the facts."""

import re
from bisect import bisect_right
from collections.abc import Iterator

from magpie_services.content.verifier import views
from magpie_services.content.verifier.evidence import Facts
from magpie_services.content.verifier.findings import Finding, Severity
from magpie_services.content.verifier.lexicon import Entry, Hit, cleared, lexicon

_STOPS = re.compile(r"[,.!?;: \u3000，。！？；：、…—·]+")
_SUPERLATIVE = re.compile(r" ([a-z]{2,}est|most(?= [a-z]+(?:al|ed|ing|ful|ive|ous|ant|ent|ble|ic|ar|y) )) ")
# Who made it: a name after these words, in Latin letters and with a capital.
_MAKER = re.compile(
    r"(?:\b[Bb]y|\b[Ff]rom|来自|出自|源自) ?((?:[A-Z][\w'’&-]*)(?: (?:& |of )?[A-Z][\w'’&-]*)*)(?![\w…])"
)
# Where it was made: a name after these words, likewise.
_ORIGIN = re.compile(
    r"\b(?:[Mm]ade|[Dd]esigned|[Cc]rafted|[Ww]oven|[Bb]rewed|[Gg]rown|[Bb]uilt|[Bb]orn|[Rr]oasted|[Bb]ottled)"
    r" in ([A-Z][\w'’-]*(?: [A-Z][\w'’-]*)*)(?![\w…])"
)
# What the reader is said to be: words before these, of which one at least an app must have declared.
_TRAIT = re.compile(
    r" (?:your (?P<side>(?:[a-z]+ )?[a-z]+) (?:side|streak|soul|spirit|nature|personality|instincts?)|"
    r"(?:a|an|any|every|the) (?P<soul>(?:[a-z]+ )?[a-z]+) "
    r"(?:souls?|spirits?(?! level)|(?<! look )at heart|in you|"
    r"(?:(?:person|type) )?like you)|"
    r"(?:youre|you are) (?:the|a|an) (?P<type>(?:[a-z]+ )?[a-z]+) (?:type|kind|one)) "
)
# Words there that say nothing of the reader.
_NO_TRAIT = frozenset(
    re.findall(
        "[a-z]+",
        "good bright left right other free single living holiday festive person people friend somebody "
        "someone bit lot little gift touch treat",
    )
)
_TRAIT_HAN = re.compile(
    r"(?:^|[^㐀-鿿]|[给为致像让]|送给|适合|献给|写给|留给)(?P<trait>(?:爱(?!你|您)|懂|会(?!有|员)|很(?![久多])|讲究|挑剔|有品|骨子里)[㐀-鿿]{0,5}?)的[你您](?![㐀-鿿]?[的家])"
)
_NO_MAKER = re.compile(
    r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|January|February|March|April|May|June|July|August|"
    r"September|October|November|December|I|The|A|An|Our|Your|My|This|That|Now|Here|Us|You|Me|All|CN|HK|NT|US"
)
_CLAUSE = re.compile(r"[,;!?] ")
_ADDRESS = re.compile(r"^(?:someone|somebody|anyone) |的你$")
_REASONS = {
    Severity.BLOCK: "a push must not say {}",
    Severity.NEEDS_EVIDENCE: "no fact supports {}",
    Severity.WARN: "{} says nothing that could be checked",
}


def findings(
    text: str, squeezed: str, spaced: str, facts: Facts, least: Severity = Severity.WARN
) -> Iterator[Finding]:
    """What the words of a text claim beyond the facts, of a level or above it."""
    known = lexicon()
    hits = whole(known.han(squeezed), text, squeezed) if squeezed else []
    for hit in _unsupported(hits, facts, squeezed, least, han=True):
        yield finding(hit.entry, hit.word, *views.squeezed_origin(text, hit.start, hit.end))
    if facts.vocabulary is not None:
        for start, end, brand in facts.vocabulary.found(text, squeezed, spaced):
            if not (facts.says_han(brand) or facts.says_latin(brand)):
                yield finding(Entry("brand", Severity.NEEDS_EVIDENCE, concept=brand), brand, start, end)
    for match in _MAKER.finditer(text):
        named = views.spaced(match[1]).split()
        if not _NO_MAKER.fullmatch(match[1].split()[0]) and not all(map(facts.names_token, named)):
            yield finding(Entry("brand", Severity.NEEDS_EVIDENCE, concept=match[1]), match[1], *match.span(1))
    for match in _ORIGIN.finditer(text):
        if not all(map(facts.names_token, views.spaced(match[1]).split())):
            yield finding(Entry("unsupported_claim", Severity.NEEDS_EVIDENCE), match[0], *match.span())
    yield from _traits(text, spaced, facts)
    if spaced.isspace():
        return
    for hit in _unsupported(cleared(known.latin(spaced)), facts, spaced, least, han=False):
        start, end = views.spaced_origin(text, hit.start, hit.end)
        # "no rush at all, natural hearts" speaks of nothing all natural.
        if hit.entry.core or not _CLAUSE.search(text, start, end):
            yield finding(hit.entry, hit.word, start, end)
    if "est " in spaced or " most " in spaced:
        for match in _SUPERLATIVE.finditer(spaced):
            word = match[1]
            if f" {word} " in known.entries or _quoted(*match.span(1), spaced, facts, han=False):
                continue
            entry = Entry("superlative", Severity.BLOCK)
            yield finding(entry, word, *views.spaced_origin(text, *match.span(1)))


def _traits(text: str, spaced: str, facts: Facts) -> Iterator[Finding]:
    """What the reader is said to be that nobody declared."""
    claim = Entry("unsupported_trait", Severity.NEEDS_EVIDENCE)
    if "的你" in text or "的您" in text:
        for match in _TRAIT_HAN.finditer(text):
            if not facts.says_han(views.squeezed(match["trait"])):
                yield finding(claim, match["trait"], *match.span("trait"))
    if " you" in spaced or " soul" in spaced or " heart " in spaced or " spirit" in spaced:
        for match in _TRAIT.finditer(spaced):
            words = next(filter(None, match.groups()))
            if not any(facts.names_token(word) or word in _NO_TRAIT for word in words.split()):
                yield finding(claim, words, *views.spaced_origin(text, match.start() + 1, match.end() - 1))


def finding(entry: Entry, word: str, start: int, end: int) -> Finding:
    """What an entry of the lexicon says of a word found at [start, end) of a text."""
    if entry.concept:
        reason = f"no fact names the {entry.check} {word}"
        return Finding(entry.level, f"unsupported_{entry.check}", "", start, end, reason)
    return Finding(entry.level, entry.check, "", start, end, _REASONS[entry.level].format(word))


def _unsupported(hits: list[Hit], facts: Facts, view: str, least: Severity, *, han: bool) -> list[Hit]:
    bad = [hit for hit in hits if hit.entry.level >= least and not _harmless(hit, facts, view, han=han)]
    if not any(hit.entry.concept for hit in bad):
        return bad
    # 说明黄铜 speaks of brass, not of a bright yellow, where the facts know of brass.
    true = [hit for hit in hits if hit.entry.concept and hit not in bad]
    return [hit for hit in bad if not (hit.entry.concept and any(_crosses(hit, one) for one in true))]


def _crosses(hit: Hit, other: Hit) -> bool:
    return other.start < hit.start < other.end


def _harmless(hit: Hit, facts: Facts, view: str, *, han: bool) -> bool:
    entry = hit.entry
    if entry.concept:
        if entry.level is Severity.WARN:  # a word that is a thing in the catalogue only
            return True
        if facts.has_concept(entry.check, entry.concept):
            return True
        # The colour of another item is no colour of this one, but stays in its name.
        last = hit.start if han else hit.start + hit.word.rfind(" ") + 1
        return any(_quoted(start, hit.end, view, facts, han=han) for start in {hit.start, last})
    for reason in entry.unless:
        if reason == "said":
            word = _ADDRESS.sub("", hit.word)
            if facts.says_han(word) if han else facts.says_latin(word):
                return True
        elif reason == "quoted":
            if _quoted(hit.start, hit.end, view, facts, han=han):
                return True
        elif reason in facts.flags:
            return True
    return False


def _quoted(start: int, end: int, view: str, facts: Facts, *, han: bool) -> bool:
    """Whether words stand as the item's title has them: the whole title, or with a neighbour of theirs."""
    if han:
        around = [view[max(0, start - 2) : end], view[start : end + 2]]
        word = view[start:end]
    else:
        before = view.rfind(" ", 0, start - 1) if start > 1 else start - 1
        # A title may be cut in the middle of its next word, or after these.
        after = view.find(" ", end + 1)
        around = [view[before : end + 1], view[start - 1 : after].rstrip("… ")]
        word = view[start - 1 : end + 1]
    cut = not han and view.startswith("…", end + 1)
    around = [one for one in around if len(one) > len(word) and "\n" not in one]
    word = word.strip()
    for one in facts.dossiers:
        titles = one.titles_squeezed if han else one.titles_spaced
        lines = [line.strip() for line in titles.split("\n")]
        if any(words in titles for words in around) or word in lines:
            return True
        if cut and any(line.startswith(word) for line in lines):
            return True
    return False


def whole(hits: list[Hit], text: str, squeezed: str) -> list[Hit]:
    """Hits whose characters belong together, cleared: 喜欢环保,本色 holds no 保本."""
    if not hits:
        return hits
    stops = views.squeezed_stops(text)
    endings = lexicon().endings
    return cleared(
        [
            hit
            for hit in hits
            if hit.entry.shields
            or stops[bisect_right(stops, hit.start)] >= hit.end
            # Forbidden words are looked for with something between too, 最.好, where no other word ends.
            or (hit.entry.core and squeezed[max(0, hit.start - 1) : hit.start + 1] not in endings)
        ]
    )
