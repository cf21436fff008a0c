"""What no message may hold, whatever the facts: hidden characters, markup, links, personal data."""

import re
from collections.abc import Iterator

from magpie_services.content.verifier import views
from magpie_services.content.verifier.findings import Finding, Severity

_HIDDEN = re.compile(
    "[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\u2800\u3164\ufeff\uffa0\ufff0-\ufffd\ue000-\uf8ff\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
    "|(?<![\u200d\ufe0f\u2190-\u2bff\U0001f000-\U0001faff])\u200d|"
    "\u200d(?![\u2190-\u2bff\U0001f000-\U0001faff])|"
    "[\u0300-\u036f\u0483-\u0489\u20d0-\u20f0]{2,}|[\ud800-\udfff]"
)
_MARKUP = re.compile(
    r"</?[a-zA-Z!?%][^<>]*>?|\{\{|\}\}|[$#@]\{|\{%|%\}|<%|&(?:[a-zA-Z]{2,8}|#\d+|"
    r"#x[0-9a-fA-F]+);|\{[\w .|:]{0,40}\}|%\(\w+\)s|%[sd](?!\w)|"
    r"\[\[|\]\]|!?\[[^\]\n]*\]\([^)\n]*\)|\[(?:name|item|price|product|brand|user|姓名|"
    r"商品名?|价格|用户名?|昵称)\]|【(?:姓名|商品名?|价格|用户名?|昵称)】|"
    r"\\[nrtux](?![a-z])|\*\*\S|__\S+__|```|(?<![\w])(?:undefined|null|NaN|None|"
    r"\[object Object\]|lorem ipsum|TODO|FIXME)(?![\w])",
    re.IGNORECASE,
)
_MARKUP_HINT = re.compile(
    r"[<>{}\[\]&%\\*_`【$#@]|undefined|null|none|nan|object|lorem|todo|fixme", re.IGNORECASE
)
_FORMULA = re.compile(r"\s*(?:[=@|]|[+\-](?=[a-zA-Z(@=+\-])|[+\-]\d+(?=[+\-*/^(]))")
_TOP = (
    "com|cn|net|org|io|top|xyz|shop|vip|cc|me|ly|co|app|info|biz|site|online|store|club|link|"
    "live|ru|tk|tw|hk|uk|de|jp|gg|to|ai|dev|icu|win|wang|ltd|pro|mobi|tv|us|eu"
)
_LINK = re.compile(
    r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*:/{1,3}\S+|www\d?\.\S+|(?:javascript|vbscript|data|"
    r"mailto|tel|intent) ?:\S|hxxp\S*|"
    rf"(?<![a-z0-9@])[a-z0-9][a-z0-9-]*(?:\.|。|\[\.\]|\(\.\)|\(dot\)|\[dot\]|"
    rf" dot )(?:[a-z0-9-]+\.)*(?:{_TOP})(?![a-z0-9'])(?=/|$|[\s,.!?;:)\]\u4e00-\u9fff])|"
    r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])|[¥$€£₤][a-z0-9]{8,14}[¥$€£₤]|(?:点击|戳|打开|"
    r"复制)(?:此|这个|下方|下面|本)?(?:链接|网址|口令)|淘口令|复制.{0,6}打开(?:淘宝|微信|抖音)"
)
_LINK_HINT = re.compile(
    r"://|www|\.[a-z]{2}|:\S|dot|。[a-z]|\d\.\d|链接|网址|口令|复制|hxxp|[¥$€£₤][a-z0-9]{8}"
)
# Words before a full stop that is no domain's: "look.me" is, "it. To" is not, for a blank follows.
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_DIGITS = re.compile(r"(?<![\dx])\d(?:[ \-.()]?\d){6,22}[x]?(?!\d)|(?<!\d)\d{17}x")
_MAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]+ ?(?:@|\(at\)|\[at\]) ?[\w-]+(?: ?(?:\.|\(dot\)|\[dot\]| dot ) ?[a-z]{2,})+|"
    r"(?<![\w.+-])[\w.+-]+ at [\w-]+(?:\.[a-z]{2,}| dot [a-z]{2,})+"
)
_CHAT = re.compile(
    r"(?:微信号?|威信|薇信|徽信|微❤|wei ?xin|wechat|weixin|vx|v信|(?<![a-z])wx|(?<!\w)qq群?|"
    r"扣扣|企鹅号?|line id|(?:whatsapp|telegram)(?= ?[:@])|飞机号|小红书号|抖音号|公众号|淘宝号) ?(?:号|id|"
    r":|=|是|为|加|at)* ?[:：]? ?@?[a-z0-9][a-z0-9_-]{4,}|加(?:我)?(?:微信|威信|薇信|v信|vx|v|"
    r"qq|扣扣|好友|群)(?!i)|扫(?:描)?(?:码|二维码)(?:加|进|入)|(?<![a-z])(?:text|call|dm|"
    r"message|add) (?:me|us) (?:on|at) "
)
_ADDRESS = re.compile(
    r"[㐀-鿿]{1,8}(?:路|街|大道|巷|弄|胡同|村|镇|乡|小区|花园|大厦|"
    r"广场)\s?[\d一二三四五六七八九十百]+\s?(?:号|弄|栋|幢|单元|楼|室|巷)|\d+\s?(?:栋|幢|"
    r"号楼)\s?\d+\s?(?:单元|室)|"
    r"(?<![a-z\d])\d{1,5}[a-z]? (?:[a-z]+ ){1,3}(?:street|st|road|rd|avenue|ave|lane|ln|drive|"
    r"boulevard|blvd|close|crescent|court)(?![a-z])|(?<![a-z])p\.?o\.? box \d+|"
    r"(?<![a-z0-9])[a-z]{1,2}\d[a-z\d]? \d[abd-hjlnp-uw-z]{2}(?![a-z0-9])"
)
_ADDRESS_HINT = re.compile(
    r"\d (?:\w+ )+(?:st|ro|av|la|dr|bo|cl|cr|co)|box|\d [abd-hjlnp-uw-z]{2}(?![a-z0-9])|"
    r"[路街道巷弄村镇乡区园厦场].{0,3}[号弄栋幢楼室元]|[栋幢号].{0,5}[室元]|\d\d [a-z]"
)
_CHAT_HINT = re.compile(r"[微威薇徽v扣企飞号码群]|w(?:x|e)|q|line|tele|(?:text|call|dm|message|add) ")
_LONG_NUMBER = re.compile(r"\d[ \-.()]?\d[ \-.()]?\d")
_PERSON = re.compile(
    r"(?:尊敬的|亲爱的|[您你]好|嗨|联系|致电|咨询|找|询)[\s,:]*[㐀-鿿]{1,3}?(?:先生|女士|小姐|太太)|"
    r"(?<![a-z])(?:dear|hi|hello|hey) (?:mr|mrs|ms|miss|dr)\.? [a-z]{2,}"
)
_PERSON_HINT = re.compile(r"先生|女士|小姐|太太|(?<![a-z])(?:m[rs]s?|miss|dr)(?![a-z])")
_HAN_DIGITS = str.maketrans("零〇一幺二三四五六七八九", "001123456789")
_SPOKEN_NUMBER = re.compile("[零〇一幺二三四五六七八九]{7,}")


def findings(text: str, plain: str) -> Iterator[Finding]:
    """What must not be in any message, found in a text and its plain view."""
    for match in _HIDDEN.finditer(text):
        yield _block("hidden_characters", *match.span(), "has characters that cannot be seen")
    if _MARKUP_HINT.search(text):
        for match in _MARKUP.finditer(text):
            yield _block("markup", *match.span(), "looks like markup, a template or what is left of one")
    for start, end in links(plain):
        yield _block("link", *views.plain_origin(text, start, end), "links belong into the link field")
    for start, end in personal(plain):
        yield _block("personal_data", *views.plain_origin(text, start, end), "looks like personal data")


def formula(text: str) -> bool:
    """Whether a text would be taken for a formula by a spreadsheet."""
    return _FORMULA.match(text) is not None


def markup(text: str) -> bool:
    """Whether a text holds markup or characters that cannot be seen."""
    return bool(_HIDDEN.search(text) or (_MARKUP_HINT.search(text) and _MARKUP.search(text)))


def links(plain: str) -> Iterator[tuple[int, int]]:
    """Where a plain view holds addresses of pages, written out or in disguise."""
    if _LINK_HINT.search(plain):
        for match in _LINK.finditer(plain):
            yield match.span()


def personal(plain: str) -> Iterator[tuple[int, int]]:
    """Where a plain view holds numbers, addresses or names of persons."""
    if "@" in plain or " at " in plain or "at)" in plain or "at]" in plain:
        for match in _MAIL.finditer(plain):
            yield match.span()
    if _CHAT_HINT.search(plain):
        for match in _CHAT.finditer(plain):
            yield match.span()
    if _PERSON_HINT.search(plain):
        for match in _PERSON.finditer(plain):
            yield match.span()
    for match in _SPOKEN_NUMBER.finditer(plain):
        if _is_personal(match[0].translate(_HAN_DIGITS)):
            yield match.span()
    if _LONG_NUMBER.search(plain):
        for match in _DIGITS.finditer(plain):
            start = match.start()
            before = plain[max(0, start - 1) : start]
            if _is_personal(re.sub(r"[ \-.()]", "", match[0]), plus=before == "+"):
                yield match.span()
    if _ADDRESS_HINT.search(plain):
        for match in _ADDRESS.finditer(plain):
            yield match.span()


def _is_personal(digits: str, *, plus: bool = False) -> bool:
    """Whether digits are a telephone, an identity card with its check sum, or a payment card (Luhn)."""
    bare = digits.removeprefix("0086").removeprefix("86") if len(digits) > 12 else digits
    if re.fullmatch(r"1[3-9]\d{9}", bare) or re.fullmatch(r"0\d{9,11}|400\d{7}|800\d{7}", digits):
        return True
    if plus and 8 <= len(digits) <= 15:
        return True
    if re.fullmatch(r"\d{17}[\dx]", digits):
        total = sum(int(digit) * weight for digit, weight in zip(digits, _ID_WEIGHTS, strict=False))
        if "10x98765432"[total % 11] == digits[17]:
            return True
    return 13 <= len(digits) <= 19 and digits.isdigit() and _luhn(digits)


def _luhn(digits: str) -> bool:
    total = 0
    for at, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + at % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _block(check: str, start: int, end: int, reason: str) -> Finding:
    return Finding(Severity.BLOCK, check, "", start, end, reason)
