"""Every number of a text, held against the facts it could come from."""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from babel.numbers import list_currencies

from magpie_services.content.evidence import Evidence

_NUM = r"(?<!\d)(?<!\d[.,])(\d[\d,]*(?:\.\d+)?)"
# A sign and the currencies it may mean.
_SIGNS = """
$ USD AUD CAD HKD MXN NZD SGD TWD XCD BRL CLP COP ARS, us$ USD, hk$ HKD, nt$ TWD, a$ AUD, ca$ CAD, c$ CAD,
nz$ NZD, mx$ MXN, r$ BRL, ec$ XCD, s$ SGD, ¥ CNY JPY, cn¥ CNY, jp¥ JPY, € EUR, £ GBP, ₩ KRW, ₹ INR, ₫ VND,
₪ ILS, ₱ PHP, ₽ RUB, ฿ THB, ₺ TRY, ₴ UAH, ₦ NGN, ₲ PYG, ₸ KZT, rmb CNY, fcfa XAF, f_cfa XOF, cfpf XPF,
元 CNY TWD HKD, 块 CNY, 块钱 CNY, 人民币 CNY, 日元 JPY, 美元 USD, 欧元 EUR, 英镑 GBP, 港币 HKD, 韩元 KRW,
yuan CNY, dollar USD AUD CAD HKD NZD SGD, euro EUR, pound GBP, yen JPY, won KRW
"""
_SYMBOLS = {
    sign.replace("_", " "): currencies for sign, *currencies in (entry.split() for entry in _SIGNS.split(","))
}
# English words that are codes too.
_WORDS = {"all", "try", "top", "mad", "pen", "cup", "bob", "ang", "sos", "mop"}
_CODES = frozenset(code.casefold() for code in list_currencies()) - _WORDS
_MONEY_BEFORE = re.compile(
    r"((?:us|hk|nt|ca|nz|mx|ec|cn|jp|[acrs])?[$¥]|[€£₩₹₫₪₱₽฿₺₴₦₲₸]|rmb|f ?cfa|cfpf|"
    r"(?<![a-z])[a-z]{3}(?= ?\d)) ?" + _NUM
)
_MONEY_AFTER = re.compile(
    _NUM + r" ?(元|块钱|块(?!钱)|人民币|日元|美元|欧元|英镑|港币|韩元|"
    r"yuan|rmb|(?:dollar|euro|pound)(?=s?\b)|(?:yen|usd|cny|eur|gbp|jpy|krw)\b|€|£)"
)
_SAVED = re.compile(r"(?:省下?的?|立减|直降|减|优惠|少|降了|saves? (?:you )?|saving) ?$")
_SAVED_AFTER = re.compile(r" ?(?:off\b|saved|less|cheaper)")
_LIST = re.compile(r"(?:原价|划线价|was|formerly|earlier|instead of|before) ?$")
_NOW = re.compile(r"(?:现价|现在|只要|仅需|到手|降到|now|now at|down to|for just) ?$")
_PERCENT = re.compile(rf"{_NUM} ?(?:%|percent\b|per cent\b)")
_PERCENT_OFF = re.compile(r" ?(?:off|discount|的?折扣|优惠)")
_PERCENT_OFF_BEFORE = re.compile(r"(?:省|立减|直降|减|优惠|降了?|save|down) ?$")
_ZHE = re.compile(rf"(?:{_NUM}|([一二三四五六七八九]))([一二三四五六七八九])? ?折(?!叠|纸|射|断|中|腾|耳)")
_HALF = re.compile(r"半价|half[- ]price|half off")
_SCALE = re.compile(r"满分 ?5 ?分?|(?:out )?of 5\b|/ ?5\b")
_RATING = re.compile(
    rf"{_NUM} ?(?:颗?星|分(?!钟|之|类|享|期|钱)|stars?\b)"
    r"|(?:评分|rated|均分|平均|average of|评价) ?(\d(?:\.\d+)?)"
)
_RATED_BEFORE_SCALE = re.compile(r"(\d(?:\.\d+)?) ?$")
_COUNT = re.compile(
    rf"{_NUM}\+? ?(?:(?:条|个|位|人|名)+ ?(?:人|买家)?(?:评|打)"
    r"|ratings?\b|reviews?\b|(?:people|person) rated)"
)
_STOCK = re.compile(
    rf"(?:只剩下?|仅剩|还剩|剩下|目前剩|剩|余|库存(?:还有)?|店里还有|还有|只有|only|just|last) ?{_NUM}"
    rf"|{_NUM} ?(?:pieces? |items? )?(?:left\b|remaining\b|in stock|still here|more of)"
)
_RANK = re.compile(rf"第 ?{_NUM} ?(?:位|名)|(?:\bno\.?|number|#|\btop) ?{_NUM}")
_DAYS = re.compile(rf"{_NUM} ?(?:天|days?\b)")
_DATE_ZH = re.compile(r"(?<!\d)(\d{1,2}) ?月 ?(\d{1,2}) ?[日号]")
_DATE_ISO = re.compile(r"(?<!\d)\d{4}[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?!\d)")
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_DATE_EN = re.compile(rf"\b({'|'.join(_MONTHS)}) (\d{{1,2}})\b")
_TOKEN = re.compile(r"[a-z]*\d[a-z0-9]*(?:[.,:/x×*-]\d[a-z0-9]*)*%?")
_SPOKEN = re.compile(r"[二两三四五六七八九十百千万]+ ?(?:件|元|块|天|星|倍|年|小时|个月|人|成|款|瓶|只)")

Complaint = tuple[int, int, str, str]


class _Text:
    """A text whose numbers are struck off as they are explained."""

    def __init__(self, view: str) -> None:
        self.view = view
        self.left = view

    def take(self, finder: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Matches not yet taken; each is struck off."""
        found = list(finder.finditer(self.left))
        for match in found:
            start, end = match.span()
            self.left = f"{self.left[:start]}{' ' * (end - start)}{self.left[end:]}"
        return iter(found)


def unsupported(view: str, evidence: Evidence) -> Iterator[Complaint]:
    """(start, end, check, reason) for each number of a plain view that no fact supports."""
    if (
        not any(char.isdigit() for char in view)
        and not _SPOKEN.search(view)
        and "折" not in view
        and "half" not in view
        and "半" not in view
    ):
        return
    text = _Text(view)
    yield from _dates(text, evidence)
    yield from _money(text, evidence)
    yield from _percents(text, evidence)
    yield from _ratings(text, evidence)
    yield from _counts(text, evidence)
    for match in _TOKEN.finditer(text.left):
        token = match[0].rstrip(".,:/-")
        if not evidence.has_number(token):
            yield (*match.span(), "unsupported_number", f"no fact says {token}")
    for match in _SPOKEN.finditer(text.left):
        if not evidence.says(match[0]):
            yield (*match.span(), "unsupported_number", f"no fact says {match[0]}")


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None


def _money(text: _Text, evidence: Evidence) -> Iterator[Complaint]:
    for finder, amount_at, sign_at in ((_MONEY_BEFORE, 2, 1), (_MONEY_AFTER, 1, 2)):
        for match in finder.finditer(text.left):
            sign, amount = match[sign_at].strip(), _number(match[amount_at].rstrip(","))
            if sign not in _SYMBOLS and sign not in _CODES:
                continue
            start, end = match.span()
            before = text.view[max(0, start - 16) : start]
            roles = {"price", "list", "saved", "because"}
            if _SAVED.search(before) or _SAVED_AFTER.match(text.view, end):
                roles = {"saved"}
            elif _LIST.search(before):
                roles = {"list"}
            elif _NOW.search(before):
                roles = {"price"}
            currencies = _SYMBOLS.get(sign, [sign.upper()])
            text.left = f"{text.left[:start]}{' ' * (end - start)}{text.left[end:]}"
            said = (
                {f"{currency} {amount.normalize():f}" for currency in currencies}
                if amount is not None
                else set()
            )
            if any(role in roles and known in said for role, known in evidence.prices):
                continue
            # A title such as "100 $1 ideas" may say an amount that is no price.
            if len(roles) == 1 or not evidence.says(match[0].strip()):
                yield (start, end, "unsupported_price", f"no price of the item is {match[0].strip()}")


def _percents(text: _Text, evidence: Evidence) -> Iterator[Complaint]:
    off = evidence.discount * 100
    for match in text.take(_PERCENT):
        number = _number(match[1])
        start, end = match.span()
        claimed = Fraction(number) if number is not None else Fraction(-1)
        about_price = _PERCENT_OFF.match(text.view, end) or _PERCENT_OFF_BEFORE.search(
            text.view[max(0, start - 8) : start]
        )
        if off and 0 <= off - claimed < 1:
            continue
        if about_price or not evidence.has_number(match[0].replace(" ", "")):
            yield (start, end, "unsupported_percent", f"the facts do not say {match[0]}")
    pay = 10 - off / 10
    for match in text.take(_ZHE):
        digits = match[1] or str("一二三四五六七八九".index(match[2]) + 1)
        if match[3]:
            digits += "." + str("一二三四五六七八九".index(match[3]) + 1)
        number = _number(digits)
        said = Fraction(number) if number is not None else Fraction(0)
        said = said / 10 if said >= 10 else said  # 85折 is 8.5折
        if not (off and 0 <= said - pay < Fraction(1, 10)):
            yield (*match.span(), "unsupported_percent", "the prices do not make this discount")
    for match in text.take(_HALF):
        if off < 50 and not evidence.says(match[0]):
            yield (*match.span(), "unsupported_percent", "the price is not half the list price")


def _ratings(text: _Text, evidence: Evidence) -> Iterator[Complaint]:
    item = evidence.item
    for match in _SCALE.finditer(text.left):
        start, end = match.span()
        stars = _RATED_BEFORE_SCALE.search(text.left[:start])
        if stars and not _is_rating(stars[1], evidence):
            yield (stars.start(1), end, "unsupported_rating", f"the rating is not {stars[1]}")
        if item.rating_count > 0:
            begin = stars.start(1) if stars else start
            text.left = f"{text.left[:begin]}{' ' * (end - begin)}{text.left[end:]}"
    for match in text.take(_COUNT):
        number = _number(match[1])
        if number != item.rating_count:
            yield (*match.span(), "unsupported_count", f"{item.rating_count} people rated it")
    for match in text.take(_RATING):
        said = match[1] or match[2]
        if not _is_rating(said, evidence) and not evidence.says(match[0]):
            yield (*match.span(), "unsupported_rating", f"the rating is not {said}")


def _is_rating(said: str, evidence: Evidence) -> bool:
    number, item = _number(said), evidence.item
    if number is None or item.rating_count <= 0 or item.rating < 1:
        return False
    exact = Decimal(str(item.rating))
    return 0 <= exact - number < Decimal("0.1") or abs(exact - number) <= Decimal("0.05")


def _counts(text: _Text, evidence: Evidence) -> Iterator[Complaint]:
    for match in text.take(_STOCK):
        said = match[1] or match[2]
        if _number(said) != evidence.item.stock and not evidence.has_number(match[0].strip()):
            yield (*match.span(), "unsupported_stock", f"the stock is not {said}")
    for match in text.take(_RANK):
        said = match[1] or match[2]
        if _number(said) != (evidence.extra.popular_rank or None) and not evidence.says(match[0]):
            yield (*match.span(), "unsupported_rank", f"no fact gives rank {said}")
    for match in text.take(_DAYS):
        if _number(match[1]) != (evidence.extra.bought_days_ago or None) and not evidence.says(match[0]):
            yield (*match.span(), "unsupported_number", f"no fact says {match[0]}")


def _dates(text: _Text, evidence: Evidence) -> Iterator[Complaint]:
    for finder in (_DATE_ISO, _DATE_ZH, _DATE_EN):
        for match in text.take(finder):
            month = _MONTHS.index(match[1]) + 1 if match[1] in _MONTHS else int(match[1])
            if (month, int(match[2])) not in evidence.dates and not evidence.says(match[0]):
                yield (*match.span(), "unsupported_date", f"no fact gives the date {match[0]}")
