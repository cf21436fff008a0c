"""Shares: percentages, tenths to pay (折) and fractions of a price."""

import re
from fractions import Fraction

from magpie_services.content.verifier.evidence import Facts
from magpie_services.content.verifier.spots import FINE, Spot, Verdict, before
from magpie_services.content.verifier.units import Quantity

_PERCENT = re.compile(r" ?(?:%|percent\b|per cent\b|pct\b|个百分点|趴)")
_TENTHS = re.compile(r" ?成(?!人|年|分|本|功|员|都|为|品|长|套|熟|立|语|就)")
_ZHE = re.compile(r" ?折(?!叠|纸|射|断|中|腾|耳|扇|痕|页|旧|磨|线|返)")
_OF_HUNDRED = re.compile(r"百分之 ?$")
_OFF_AFTER = re.compile(
    r"\s*(?:off\b|discount|less\b|cheaper|lower\b|down\b|reduction|price (?:cut|drop)|saving|"
    r"的?(?:折扣|优惠|降幅|降价|让利)|saved|below)"
)
_OFF_BEFORE = before(
    r"省下?了?|立减|直降|立省|减免?|优惠|降(?:价|幅)?了?|便宜了?|\bsav(?:e[sd]?|ings?)|\bdown|"
    r"discount(?: of)?|reduced(?: by)?|cut(?: by)?|"
    r"dropped(?: by)?|lower(?: by)?|fell|less|off",
    r"[\s:约高达近by]*(?:up to |you |of |a |is )*",
)
_ABOUT = before(
    r"约|大约|将近|接近|近|差不多|\babout|\baround|\bnearly|\balmost|\bapproximately|\broughly", r"\s*", 16
)
_OVER = before(r"超过?|高于|over|more than|at least|至少", r"\s*", 14)
_UP_TO = before(r"低至|最低|up to|as much as|高达|最高", r"\s*", 14)
_TO_PAY = re.compile(
    r"\s*(?:of (?:the |its )?(?:list|original|old|former|usual|regular|full|previous) price|的价格?)"
)
# Fractions and fixed words, with the share taken off.
_PARTS = (
    (
        r"半价|对折|(?<![一二三四五六七八九.])五折|腰斩|(?:价格?|钱|只要|只需|仅需|砍掉|砍去)一半|"
        r"一半的?钱|(?:省|便宜|减)(?:了|下)?一半|减半|一半的?价",
        Fraction(1, 2),
    ),
    (
        r"half[- ]?(?:the )?(?:price|cost)|half what it|half of what it|"
        r"for half(?=\s*(?:[.,!;:]|$|what|of (?:the|its)))|half off|"
        r"50/50 off|in half|halved|sav(?:e|es|ing) (?:you )?half",
        Fraction(1, 2),
    ),
    (r"(?:省|便宜)(?:了|下)?三分之一|(?:a|one)[- ]third (?:off|less|cheaper)", Fraction(1, 3)),
    (r"sav(?:e|es|ing) (?:you )?(?:a|one)[- ]third", Fraction(1, 3)),
    (r"(?:省|便宜)(?:了|下)?四分之一|(?:a|one)[- ]quarter (?:off|less|cheaper)", Fraction(1, 4)),
    (r"sav(?:e|es|ing) (?:you )?(?:a|one)[- ]quarter", Fraction(1, 4)),
    (r"(?:a|one)[- ]fifth (?:off|less)|sav(?:e|es|ing) (?:you )?(?:a|one)[- ]fifth", Fraction(1, 5)),
    (r"(?:省|便宜)(?:了|下)?三分之二|two[- ]thirds (?:off|less)", Fraction(2, 3)),
    (r"sav(?:e|es|ing) (?:you )?two[- ]thirds", Fraction(2, 3)),
    (r"three[- ]quarters (?:off|less)|sav(?:e|es|ing) (?:you )?three[- ]quarters", Fraction(3, 4)),
)
_PARTS_FOUND = [(re.compile(words), taken) for words, taken in _PARTS]
_PARTS_HINT = re.compile(r"半|折|腰|省|便宜|half|halv|third|quarter|fifth")


def share(spot: Spot, facts: Facts) -> Verdict | None:
    """What a percentage or a 折 comes to; None where the number is none."""
    value, off = Fraction(spot.number.value), facts.discount * 100
    if _ZHE.match(spot.after):
        return _zhe(spot, facts)
    percent = _PERCENT.match(spot.after)
    hundredth = _OF_HUNDRED.search(spot.before)
    if tenths := _TENTHS.match(spot.after):
        value *= 10
    if not (percent or hundredth or tenths):
        return None
    found = percent or tenths
    tail = spot.after[found.end() :] if found else spot.after
    wrong = Verdict("unsupported_percent", f"the facts do not say {float(value):g} %")
    if _TO_PAY.match(tail):
        value = 100 - value
        return FINE if off and abs(off - value) < 1 else wrong
    about_price = _OFF_AFTER.match(tail) or _OFF_BEFORE.search(spot.before)
    if off and _says(value, off, spot.before):
        return FINE
    if about_price:
        return wrong
    return FINE if Quantity(spot.number.value.normalize(), "%") in facts.quantities else wrong


def parts(view: str, facts: Facts) -> list[tuple[int, int, Verdict]]:
    """Half price, a third off: those that the prices do not make."""
    if not _PARTS_HINT.search(view):
        return []
    found = []
    for finder, taken in _PARTS_FOUND:
        for match in finder.finditer(view):
            # A share may be said with a little less than a twentieth to spare, never more than is taken off.
            if not taken <= facts.discount < taken + Fraction(1, 20):
                reason = "the prices do not make this discount"
                found.append((*match.span(), Verdict("unsupported_percent", reason)))
    return found


def _says(value: Fraction, off: Fraction, head: str) -> bool:
    if _ABOUT.search(head):
        return abs(off - value) <= Fraction(3, 2)
    if _OVER.search(head):
        return off - 5 <= value < off
    if _UP_TO.search(head):
        return False  # "up to" speaks of a sale of many things
    return 0 <= off - value < 1


def _zhe(spot: Spot, facts: Facts) -> Verdict:
    said, pay = Fraction(spot.number.value), 10 - facts.discount * 10
    said = said / 10 if said >= 10 else said  # 85折 is 8.5折
    roughly = _ABOUT.search(spot.before) or spot.after.lstrip(" 折").startswith(("左右", "上下"))
    fine = abs(said - pay) < Fraction(1, 5) if roughly else 0 <= said - pay < Fraction(1, 10)
    if facts.discount and fine and not _UP_TO.search(spot.before):
        return FINE
    return Verdict("unsupported_percent", "the prices do not make this discount")
