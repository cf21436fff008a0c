"""Every number of a text, in whatever role it stands, held against the facts."""

import re
from collections.abc import Iterator

from magpie_services.content.verifier import counts, prices, shares, times
from magpie_services.content.verifier.evidence import Facts
from magpie_services.content.verifier.numerals import numbers
from magpie_services.content.verifier.spots import Spot, Verdict, spot
from magpie_services.content.verifier.times import Place
from magpie_services.content.verifier.units import quantity

_HINT = re.compile(
    r"[0-9零〇一二两三四五六七八九十百千万亿半折]|one|two|three|four|five|six|seven|eight|"
    r"nine|ten\b|eleven|twelve|teen|twenty|"
    r"thirty|forty|fifty|sixty|eighty|ninety|hundred|thousand|million|dozen|hal[fv]|third|quarter|fifth"
)
_GLUED = re.compile(r"(?<![a-z0-9])([a-z]+)-?$")
# Letters before a number that are no part of a name such as mp3.
_SIGNS = frozenset(
    re.findall(
        "[a-z]+",
        "no nr top vol rmb us hk nt cny usd gbp eur hkd twd jpy sgd aud cad cn jp a c s au sg ca x",
    )
)
_LAST_ONE = re.compile(
    r"最后一[件个只双套本瓶盒台张条份席位](?!次)|仅此一件|独此一件|(?:last|final|only) (?:one|"
    r"piece|pair|copy|item|place|seat|spot)(?: left)?(?![a-z])(?! (?:that|who|which|you|"
    r"in the))|one (?:piece |pair |item )?left"
)
# Behind a measure: so many make one item (3 件装).
_SOLD_AS = ("装", "套", "组", "起", "一起")
# One, two, three without a measure are turns of phrase more often than counts.
_PHRASE_AFTER = re.compile(
    r"(?:\s|-)?(?:$|[^\w\s-]|分钟|秒钟?|眼|杯|步|页|会儿|of (?:the|your|our|us|you|a)|more thing|"
    r"that\b|for (?:you|the)|to\b|by\b|is\b|in\b|at\b|and\b|or\b|way|day\b|look|glance|thing|"
    r"step|who|which|minutes?|moments?|seconds?|click|tap|word)"
)


def unsupported(view: str, facts: Facts) -> Iterator[Place]:
    """(start, end, verdict) for each number of a plain view that no fact supports."""
    if not _HINT.search(view):
        yield from times.deadlines(view, facts)
        return
    taken: list[tuple[int, int]] = []
    for start, end, verdict in times.dates(view, facts):
        taken.append((start, end))
        if verdict.check:
            yield start, end, verdict
    for start, end, verdict in (
        *times.deadlines(view, facts),
        *shares.parts(view, facts),
        *counts.vague(view, facts),
    ):
        taken.append((start, end))
        yield start, end, verdict
    for match in _LAST_ONE.finditer(view):
        taken.append(match.span())
        if facts.item.stock != 1 and not facts.says(match[0]):
            yield (*match.span(), Verdict("unsupported_stock", "the stock is not one"))
    for number in numbers(view):
        if any(start < number.end and number.start < end for start, end in taken):
            continue
        judged = _judged(spot(view, number), view, facts)
        if judged is not None and judged.check:
            yield number.start, number.end, judged


def _judged(where: Spot, view: str, facts: Facts) -> Verdict | None:
    """What a number comes to: a role of its own, or else words of the catalogue."""
    number = where.number
    one = number.spoken and number.value == 1
    if one and not where.after.startswith(("折", " 折")):
        return None
    for judge in (prices.price, shares.share, counts.count, times.span):
        verdict = judge(where, facts)
        if verdict is not None:
            return verdict
    if (glued := _GLUED.search(where.before)) and glued[1] not in _SIGNS and not number.spoken:
        digits = view[number.start : number.end]
        if facts.names_token(f"{glued[1]}{digits}") or facts.names_token(f"{glued[1]}-{digits}"):
            return None
        if not where.before.endswith("-"):
            return Verdict("unsupported_number", f"no fact says {glued[1]}{digits}")
    said, end = quantity(number.value, view, number.start, number.end)
    if number.spoken and number.value < 10 and where.after.startswith(" "):
        return None  # "two wings up", "chapter two misses you"
    if number.spoken and number.value < 13 and _PHRASE_AFTER.match(where.after):
        return None
    if number.spoken and not said.dimension and len(view[number.start : number.end]) == 1:
        return None  # 三 in some word
    if said.dimension == "count" and number.value == facts.item.stock and not view.startswith(_SOLD_AS, end):
        return None
    if not said.dimension and number.value % 1 and counts.is_rating(number.value, facts):
        return None
    if facts.supports(said, view[end : end + 24]):
        return None
    return Verdict("unsupported_number", f"no fact says {view[number.start : end].strip()}")
