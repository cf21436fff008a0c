"""Prices: which amount stands where, in which currency, and in which role."""

import re
from decimal import Decimal

from magpie_services.content.verifier.currencies import SIGN_AFTER, SIGN_BEFORE, meant
from magpie_services.content.verifier.evidence import Facts
from magpie_services.content.verifier.spots import FINE, Spot, Verdict, before
from magpie_services.content.verifier.units import Quantity

_FILLER = (
    r"[\s:,，(=~—–-]*(?:(?:还|是|要|为|卖|售|标|定|掏|花|付|价格?|标价|售价|的|得|都|本|它|可|整整|足足|高达|达|"
    r"约|共|一共|总共|再|能|"
    r"the|a|an|at|of|price[ds]?|it|its|costs?|is|are|for|still|only|just|you|up|to be|around|"
    r"about|another|by|full|even|tag|was|stood|on|sticker)"
    r"[\s:,，(=~—–-]*)*"
)
_LIST_BEFORE = before(
    r"原价|原本|原来|原先|原售价?|之前|此前|以前|曾经?|早前|先前|前价|旧价|划线价|吊牌价|"
    r"市场价|门市价|专柜价|零售价|指导价|官方价|定价|牌价|"
    r"过去|从前|上次|平时|平日|日常|往常|本来|昔日|而不是|而非|不是|不再|不用|不必|告别|"
    r"\bwas|\bwere|formerly|previous(?:ly)?|original(?:ly)?|earlier|before|used to|instead of|"
    r"rather than|list price|listed|rrp|msrp|"
    r"regular(?:ly)?|usual(?:ly)?|normal(?:ly)?|once|\bold|until (?:now|recently)|\breg\.?|"
    r"compared (?:with|to)|against|versus|\bvs\.?|"
    r"had been|\bnot|no longer|goodbye|bye",
    _FILLER,
)
_FROM = before(r"从|由|自|(?:\bdown )?\bfrom", _FILLER)
_LOWERED_AFTER = re.compile(
    r"[\s,，)]*(?:→|➜|➡|⇒|=>|->|-->|>|一路)?\s*(?:直?降(?:价)?[到至为成]|变[成为]?|[改换][成为作]|下调|"
    r"[㐀-鿿]{0,2}[到至成](?=[\s¥$€£a-z]*\d)|调[整到至为]+|→|➜|➡|⇒|=>|->|>|到(?!手|货|账)|至(?!今|少|尊)|"
    r"(?:down )?to\b|becomes?|now\b)"
)
_LIST_AFTER = re.compile(
    r"\s*(?:的?(?:原价|划线价|吊牌价|旧价|市场价|定价)|originally|previously|formerly|"
    r"before\b(?! you)|earlier\b|in the past|\(was\)|"
    r"list price|rrp\b|regular price|used to be|[)\]]?\s*(?:→|➜|➡|⇒|=>|->))"
)
_SAVED_BEFORE = before(
    r"省[下出]?来?|[余多]出来?|立省|节省|节约|立减|直降|直减|减免?|优惠(?!价)|少花|少付|少了|少|降(?:价)?|落|下调|便宜|"
    r"返现?|抵扣?|差价|低|让利|"
    r"\bsav(?:e[ds]?|ings?)|\bless|\boff(?!\s?[:,;(-])|\bcut|\bdown(?! to)|reduced|dropp?(?:ed|s)?|fell|"
    r"falls|fallen|knock(?:ed|s)?|shav(?:ed|es?)|tak(?:es?|en|ing)|took|discount|cheaper|"
    r"lower(?:ed)?|difference|keep|pocket|minus|slashed|trimmed|lost|lopped",
    r"[\s:,，(-]*(?:(?:了|下来?|去|掏|花|付|出|你|您|整整|足足|高达|达|约|的|是|为|价|金额|额|有|by|you|"
    r"up to|just|another|around|about|a|of|in|is|with|will|can|exactly|the|price|its|it|s|"
    r"right|off|"
    r"for you|here)[\s:,，(-]*)*",
)
_SAVED_AFTER = re.compile(
    r"\s*(?:off\b(?! your)|saved|saving|less\b|cheaper|lower\b|discount|back\b|below|"
    r"under (?:its|the)|knocked|shaved|in savings|price cut|price drop|down\b(?! to)|"
    r"reduction|smaller|lighter|的?(?:优惠|折扣|差价|立减|直降|降幅|减免|差额)|便宜|少|"
    r"in your pocket|to spare|stays? )"
)
_BOUND_BEFORE = before(
    r"不到|不足|低于|少于|\bunder|\bbelow|less than|for less than|within|不超过", r"\s*", 14
)
_BOUND_AFTER = re.compile(r"\s*(?:以内|以下|之内|不到|or less|or under)")
_PRICE_BEFORE = before(
    r"现价|现在|现|如今|眼下|目前|今日价?|只要|仅需|只需|到手价?|降[到至为]|减到|减至|仅|售价|"
    r"特价|价格|标价|卖|只卖|仅售|当前|这会儿|价|"
    r"\bnow|\bjust|\bfor just|\bfor only|price[ds]?|\bcosts?|\bdown to|\bat just|\bat only",
    r"[\s:,，(]*(?:(?:的|是|为|只|要|需|卖|价|到手|仅|at|for|is|just|only|of|:|to)[\s:,，(]*)*",
)
_BARE_SAVED = before(r"立省|立减|直降|省下?|减免?|\bsav(?:e[sd]?|ing)", r"[\s:了你您]*(?:you |up to |a )?")
_TOKEN_BEFORE = re.compile(
    r"(?:满|券|红包|定金|押金|运费|邮费|deposit|coupon|voucher|shipping|delivery)[\s:]*(?:of )?$"
)


def price(spot: Spot, facts: Facts) -> Verdict | None:
    """What an amount of money comes to; None where the number is none."""
    sign = SIGN_BEFORE.search(spot.before)
    behind = SIGN_AFTER.match(spot.after)
    if sign is None and behind is None:
        return _bare(spot, facts)
    head = spot.before[: sign.start()] if sign else spot.before
    tail = spot.after[behind.end() :] if behind else spot.after
    words = [found[1].strip() for found in (sign, behind) if found]
    currencies = frozenset.intersection(*map(meant, words))
    return _judged(spot.number.value, currencies, head, tail, facts, quoted=True)


def _bare(spot: Spot, facts: Facts) -> Verdict | None:
    """A number without a currency, where only money can stand."""
    number, next_char = spot.number, spot.after.lstrip()[:1]
    # A unit behind it makes it something else: 只要 3 天.
    if number.spoken or (next_char and (next_char.isalnum() or next_char in '%°"/:')):
        return None
    if (
        _BARE_SAVED.search(spot.before)
        or _PRICE_BEFORE.search(spot.before)
        or _LIST_BEFORE.search(spot.before)
    ):
        if (number.value, "") in facts.quantities and not _BARE_SAVED.search(spot.before):
            return None  # "now 12" of a title such as "12 pencils, now 12"
        return _judged(number.value, None, spot.before, spot.after, facts, quoted=False)
    return None


def _judged(
    value: Decimal, currencies: frozenset[str] | None, head: str, tail: str, facts: Facts, *, quoted: bool
) -> Verdict:
    shown = f"{value.normalize():f}"

    def known(role: str) -> bool:
        return any(
            money.amount == value and (currencies is None or money.currency in currencies)
            for money in facts.prices.get(role, ())
        )

    if _TOKEN_BEFORE.search(head):
        return Verdict("unsupported_price", f"no fact gives {shown} for a coupon, a deposit or delivery")
    if _SAVED_BEFORE.search(head) or _SAVED_AFTER.match(tail):
        return FINE if known("saved") else Verdict("unsupported_price", f"the saving is not {shown}")
    lowered = _LOWERED_AFTER.match(tail)
    if (
        _LIST_BEFORE.search(head)
        or _LIST_AFTER.match(tail)
        or (lowered and (_FROM.search(head) or lowered[0].strip(" ,，)")))
    ):
        if known("list") or (
            lowered and known("price") and not _LIST_BEFORE.search(head) and not _FROM.search(head)
        ):
            return FINE
        return Verdict("unsupported_price", f"the price before was not {shown}")
    if _FROM.search(head) and known("list"):
        return FINE
    if _BOUND_BEFORE.search(head) or _BOUND_AFTER.match(tail):
        price = next(iter(facts.prices.get("price", ())), None)
        near = price is not None and price.amount <= value <= price.amount * Decimal("1.25")
        same = price is not None and (currencies is None or price.currency in currencies)
        return FINE if near and same else Verdict("unsupported_price", f"the price is not just under {shown}")
    if known("price"):
        return FINE
    # A title such as "100 $1 ideas" may say an amount that is no price.
    if quoted and not _PRICE_BEFORE.search(head) and Quantity(value.normalize(), "money") in facts.quantities:
        return FINE
    return Verdict("unsupported_price", f"no price of the item is {shown}")
