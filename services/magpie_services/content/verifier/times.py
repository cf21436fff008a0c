"""Dates, deadlines and spans of days, held against when the offer ends and when things happened."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from magpie_services.content.verifier.evidence import Facts
from magpie_services.content.verifier.spots import FINE, Spot, Verdict, before

Place = tuple[int, int, Verdict]

_MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    "sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_MONTH_KEYS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_HAN_DAY = "[一二三四五六七八九十]{1,3}"
_DATES = re.compile(
    r"(?<![\d.])(?P<y1>\d{4}) ?[-/.年] ?(?P<m1>\d{1,2}) ?[-/.月] ?(?P<d1>\d{1,2}) ?[日号]?(?![\d.])"
    r"|(?<!\d)(?P<m2>\d{1,2}) ?月 ?(?P<d2>\d{1,2}) ?[日号]?(?!\d)"
    rf"|(?P<m3>{_HAN_DAY})月(?P<d3>{_HAN_DAY})[日号]"
    rf"|(?<![a-z])(?P<m4>{_MONTHS})\.? (?:the )?(?P<d4>\d{{1,2}})(?:st|nd|rd|"
    rf"th)?(?:,? (?P<y4>\d{{4}}))?(?![\d%])"
    rf"|(?<![\d.])(?P<d5>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<m5>{_MONTHS})(?![a-z]|"
    rf"(?<=may) [a-z])(?:,? (?P<y5>\d{{4}}))?"
    r"|(?<![\d./])(?P<d6>\d{1,2})/(?P<m6>\d{1,2})/(?P<y6>\d{4}|\d{2})(?![\d/])"
    r"|(?<![\d./])(?P<m7>\d{1,2})/(?P<d7>\d{1,2})(?![\d/])"
    r"|(?<![\d月])(?P<d8>\d{1,2}) ?[日号](?=前|截止|结束|到期|为止|之前|当天|晚|零点)"
)
_DATES_HINT = re.compile(
    r"[月年]|\d ?[日号/-]|\d\.\d+\.|(?<![a-z])(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
)
_WEEKDAYS = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}
_HAN_WEEKDAYS = dict(zip("一二三四五六日天", (0, 1, 2, 3, 4, 5, 6, 6), strict=True))
_ENDS = (
    r"(?:截止|截至|结束|到期|为止|之前|前(?!往|来|面|后|台|所|卫|沿)|止(?!痛|汗)|恢复原价|"
    r"涨价|下架|失效|过期)"
)
_ENDS_EN = (
    r"(?:ends?|ending|until|till|til|by|before|through|expires?|expiring|closes?|closing|"
    r"deadline|over|gone|last day|finishes|only|full price|goes up|go up|going up|increases|rises)"
)
_WEEKDAY = re.compile(
    r"(?:本|这|下)?(?:周|星期|礼拜)(?P<han>[一二三四五六日天])(?!月)|(?<![a-z])(?P<en>(?:mon|"
    r"tues|wednes|thurs|fri|satur|sun)day)s?(?![a-z])"
)
# A day named beside its end. A day alone (今天看看吧) claims nothing.
_ENDS_THEN = re.compile(
    rf"(?P<today>今[天日晚夜]|本日|当[天日])\s?(?:起|将|24点|零点|午夜|晚上?|就|内|即将|"
    rf"的?(?:最后一天|活动|优惠)?)*\s?{_ENDS}"
    rf"|(?:截止|截至|到|至|仅限|只限|限|仅在|只在|只有|仅)\s?(?P<today2>今[天日晚夜])(?!年)"
    rf"|(?P<today3>今[天日])(?:限定|专享|专属|特惠|特价|only|一天)|(?P<today4>最后一[天日]|"
    rf"最后1天|最后一晚|仅此一[天日])"
    rf"|(?P<morrow>明[天日晚早])\s?(?:就|内|即将|[零0]点|凌晨|一早|起|将|会)*\s?{_ENDS}|"
    rf"(?:截止|截至|到|至|仅限|"
    rf"只限)\s?(?P<morrow2>明[天日晚])"
    rf"|(?P<after>后[天日])\s?(?:就|内)?\s?{_ENDS}"
    rf"|(?<![a-z]){_ENDS_EN} (?:at |the end of |midnight |on |of )*(?P<today5>today|tonight|"
    rf"midnight)(?![a-z])|(?P<today6>today|tonight)(?:'s)? (?:only|is the last|is your last|"
    rf"last)|"
    rf"(?P<today7>last day|final day|final hours?|last hours?)(?![a-z])"
    rf"|(?<![a-z]){_ENDS_EN} (?:at |the end of |on )*(?P<morrow3>tomorrow)(?![a-z])|"
    rf"(?P<morrow4>tomorrow) (?:only|is the last|at the latest)"
    rf"|(?P<soon>即将结束|快(?:要)?结束|马上结束|将要结束|即将截止|快截止|马上截止|"
    rf"即将恢复原价|即将到期|倒计时|进入尾声|最后几[天小]|最后时刻)"
    rf"|(?P<soon2>(?:ends?|ending|expir(?:es|ing)|closes?|closing|over|"
    rf"finishes) (?:very )?(?:soon|shortly)|counting down|countdown|final call|"
    rf"last (?:few )?days|won't last|not for long|while it lasts|time is running out|"
    rf"running out of time)"
    rf"|(?P<week>本周[内末]?\s?{_ENDS}|(?:截止|截至|至|仅限|只限|限)(?:本周|这周|周末|本月)|"
    rf"本月[内底]?\s?{_ENDS}|this (?:week|weekend|month) only|{_ENDS_EN} (?:this|"
    rf"the end of the) (?:week|weekend|month))"
)
_ENDS_HINT = re.compile(
    r"今|本日|当[天日]|明[天日晚早]|后[天日]|最后|仅此|结束|截止|恢复原价|到期|倒计时|尾声|周|"
    r"本月|today|tonight|midnight|tomorrow|day|hour|soon|shortly|count|final|last|week|month|"
    r"time is|running"
)
_BEFORE_END = re.compile(
    rf"(?:{_ENDS}|截[止至]|活动|优惠|特惠|期限|\b{_ENDS_EN}|offer|sale|deal)", re.IGNORECASE
)
_ABROAD = (-10, 0, 8)  # hours from UTC of those who may read: today is not one date

_SPAN = re.compile(
    r" ?(天|日(?!本|常|用|系|式|记|历|元|圆|落|出)|周(?!年|岁|边)|个?星期|个月|小时|个小时|"
    r"钟头|分钟|days?\b|nights?\b|weeks?\b|months?\b|hours?\b|hrs?\b|minutes?\b|mins?\b)"
)
_AGO = re.compile(r"\s?(?:之?前|以前|没|未|不见|过去了|ago\b|since\b|have passed|back\b)")
_AGO_BEFORE = before(
    r"距离?上次|上次(?:购买|下单|买|买它|入手|复诊|体检)?|已经?|过去|隔了?|\bit has been|"
    r"\bit's been|\bits been|last (?:bought|ordered|bought it|ordered it|visit)|been",
    r"(?:[\s,，:]|购买|下单|买|已经?|过去|过|有|了|是|约|about|over|around|already|a|it|this|"
    r"was|were|in|到现在|至今|now)*",
)
_LEFT = re.compile(r"\s?(?:后|内|以内|之内|left\b|to go\b|remaining|only\b|until|before|or less|from now)")
_LEFT_BEFORE = before(
    r"还剩?有?|仅剩|只剩|剩下?|剩余|最后|倒计时|还有|仅|只|\bin|\bonly|\bwithin|\blast|\bnext|"
    r"\bfinal|\bjust|ends? in",
    r"(?:[\s:]|the|有|下|不到|about|next)*",
)
_ADDED_AFTER = re.compile(
    r"\s?(?:前|ago).{0,4}(?:上架|上新|到店|新到|added|arrived|listed|published|came in)"
)
_MANY = Decimal(10**9)
_HOURS = ("小时", "个小时", "钟头", "hour", "hr", "分钟", "minute", "min")


def dates(view: str, facts: Facts) -> Iterator[Place]:
    """Every date of a text: supported or not, so that its digits are told apart from other numbers."""
    if not _DATES_HINT.search(view):
        return
    for match in _DATES.finditer(view):
        groups = {name[0]: value for name, value in match.groupdict().items() if value}
        month, day = _month(groups.get("m", "")), _number(groups["d"])
        slashed = {"d6", "m7"} & {name for name, value in match.groupdict().items() if value}
        if match["m7"] and not _dated(view, match):
            continue  # 4/5 is a rating, 1/2 a half
        if not (0 <= month <= 12 and 1 <= day <= 31) and not slashed:
            continue
        said = {(month, day)} | ({(day, month)} if slashed else set())
        year = int(groups["y"]) % 100 if "y" in groups else None
        if _true_date(said, year, view, match, facts):
            yield (*match.span(), FINE)
        else:
            yield (*match.span(), Verdict("unsupported_date", f"no fact gives the date {match[0].strip()}"))


def deadlines(view: str, facts: Facts) -> Iterator[Place]:
    """Days by name and ends of offers in words: those that no fact supports."""
    if not _ENDS_HINT.search(view):
        return
    end, today = facts.extra.offer_ends, _todays(facts)
    wrong = Verdict("unsupported_date", "no fact says that the offer ends then")
    for match in _WEEKDAY.finditer(view):
        if not _BEFORE_END.search(_around(view, match, 16, 12)):
            continue
        day = _HAN_WEEKDAYS[match["han"]] if match["han"] else _WEEKDAYS[match["en"][:3]]
        if end is None or end.weekday() != day or not 0 <= (end - today[0]).days <= 9:
            yield (*match.span(), wrong)
    for match in _ENDS_THEN.finditer(view):
        name = next(name for name, value in match.groupdict().items() if value).rstrip("0123456789")
        days = {"today": (0, 0), "morrow": (1, 1), "after": (2, 2), "soon": (0, 3), "week": (0, 31)}[name]
        if end is None or not any(
            one + timedelta(days[0]) <= end <= one + timedelta(days[1]) for one in today
        ):
            yield (*match.span(), wrong)


def span(spot: Spot, facts: Facts) -> Verdict | None:
    """What a number of days, weeks or hours comes to; None where it is none of this user's or the offer's."""
    unit = _SPAN.match(spot.after)
    if unit is None:
        return None
    tail, said = spot.after[unit.end() :], int(min(spot.number.value, _MANY))
    if _ADDED_AFTER.match(tail):
        age = (facts.now_ms - facts.item.published_ms) / 86_400_000
        fine = facts.item.published_ms > 0 and abs(age - _days(said, unit[1])) <= 1
        return FINE if fine else Verdict("unsupported_date", "it did not come in then")
    if _AGO.match(tail) or _AGO_BEFORE.search(spot.before):
        bought = facts.extra.bought_days_ago
        return (
            FINE
            if bought and _is_ago(said, unit[1], bought)
            else Verdict("unsupported_number", f"no fact says {said}{unit[0]}")
        )
    if _LEFT.match(tail) or _LEFT_BEFORE.search(spot.before):
        if facts.measures(spot.number, unit[1]):
            return FINE
        end = facts.extra.offer_ends
        left = {(end - today).days for today in _todays(facts)} if end else set()
        if unit[1].strip().startswith(_HOURS):
            fine = bool(left) and min(left) >= 0 and (min(left) * 24 <= said <= (max(left) + 1) * 24)
        else:
            fine = any(day in (said, said - 1) for day in left) and unit[1][:1] in "天日d"
        return FINE if fine else Verdict("unsupported_date", "no fact says that so much time is left")
    if said == facts.extra.bought_days_ago and unit[1][:1] in "天日d":
        return FINE
    return None


def _is_ago(said: int, unit: str, days: int) -> bool:
    if unit.startswith(("周", "星期", "个星期", "week")):
        return abs(days / 7 - said) <= 0.5
    if unit.startswith(("个月", "month")):
        return abs(days / 30.4 - said) <= 0.5
    return said == days


def _days(said: int, unit: str) -> float:
    if unit.startswith(("周", "星期", "个星期", "week")):
        return said * 7
    if unit.startswith(("个月", "month")):
        return said * 30.4
    return said / 24 if unit.startswith(("小时", "个小时", "钟头", "hour", "hr")) else said


def _around(view: str, match: re.Match[str], before: int, after: int) -> str:
    """What stands beside a match in its own line."""
    head = view[max(0, match.start() - before) : match.end()].rpartition("\n")[2]
    return head + view[match.end() : match.end() + after].partition("\n")[0]


def _dated(view: str, match: re.Match[str]) -> bool:
    """Whether 11/30 is a date: something beside it is about ends, or it can be no share."""
    return bool(_BEFORE_END.search(_around(view, match, 14, 8))) or int(match["d7"]) > 12


def _true_date(
    said: set[tuple[int, int]], year: int | None, view: str, match: re.Match[str], facts: Facts
) -> bool:
    end = facts.extra.offer_ends
    if (
        end is not None
        and ((end.month, end.day) in said or (0, end.day) in said)
        and year in (None, end.year % 100)
    ):
        return True
    if _BEFORE_END.search(_around(view, match, 14, 8)):
        return False
    for came in facts.came:
        if (came.month, came.day) in said and year in (None, came.year % 100):
            return True
    return facts.says(match[0].strip())


def _todays(facts: Facts) -> list[date]:
    return sorted({facts.day(hours) for hours in _ABROAD})


def _month(text: str) -> int:
    if not text:
        return 0
    return _MONTH_KEYS.index(text[:3]) + 1 if text[0].isascii() and text[0].isalpha() else _number(text)


def _number(text: str) -> int:
    if text.isdigit() and text.isascii():
        return int(text)
    tens, _, ones = text.rpartition("十")
    digit = "零一二三四五六七八九".find
    if "十" not in text:
        return digit(text) if len(text) == 1 else 99
    return (digit(tens) if tens else 1) * 10 + (digit(ones) if ones else 0)
