"""Currencies as texts write them: signs, codes and words, before and behind an amount."""

import re

from babel.numbers import list_currencies

# A sign and the currencies it may mean.
_SIGNS = """
$ USD AUD CAD HKD MXN NZD SGD TWD XCD BRL CLP COP ARS, us$ USD, hk$ HKD, nt$ TWD, a$ AUD, au$ AUD,
ca$ CAD, c$ CAD, nz$ NZD, mx$ MXN, r$ BRL, ec$ XCD, s$ SGD, sg$ SGD, ¥ CNY JPY, cn¥ CNY, jp¥ JPY,
€ EUR, £ GBP, ₩ KRW, ₹ INR, ₫ VND, ₪ ILS, ₱ PHP, ₽ RUB, ฿ THB, ₺ TRY, ₴ UAH, ₦ NGN, ₲ PYG, ₸ KZT,
rmb CNY, fcfa XAF, f_cfa XOF, cfpf XPF, 元 CNY TWD HKD MOP SGD USD JPY, 圆 CNY JPY, 块 CNY TWD HKD,
块钱 CNY TWD HKD, 人民币 CNY, 日元 JPY, 日圆 JPY, 美元 USD, 美金 USD, 欧元 EUR, 英镑 GBP, 港币 HKD,
港元 HKD, 港纸 HKD, 韩元 KRW, 新台币 TWD, 台币 TWD, 新币 SGD, 澳元 AUD, 加元 CAD, 澳门元 MOP, yuan CNY,
renminbi CNY, kuai CNY, dollar USD AUD CAD HKD NZD SGD TWD, dollars USD AUD CAD HKD NZD SGD TWD,
bucks USD AUD CAD, buck USD AUD CAD, euro EUR, euros EUR, pound GBP, pounds GBP, quid GBP, yen JPY,
won KRW, rupees INR
"""
_SYMBOLS = {
    sign.replace("_", " "): frozenset(currencies)
    for sign, *currencies in (entry.split() for entry in _SIGNS.split(","))
}
# English words that are codes too.
_WORDS = frozenset(
    ("all", "try", "top", "mad", "pen", "cup", "bob", "ang", "sos", "mop", "lak", "won", "php", "rub", "gel")
)
_CODES = {code.casefold(): frozenset((code,)) for code in list_currencies() if code.casefold() not in _WORDS}
_CODE = "|".join(sorted(_CODES))
SIGN_BEFORE = re.compile(
    r"((?:us|hk|nt|ca|nz|mx|ec|cn|jp|au|sg|(?<![a-z])[acrs])?[$¥]|[€£₩₹₫₪₱₽฿₺₴₦₲₸]|f ?cfa|"
    r"cfpf|人民币|新台币|台币|港币|美元|"
    rf"(?<![a-z])(?:rmb|{_CODE})) ?$"
)
SIGN_AFTER = re.compile(
    r" ?(人民币|新台币|台币|日[元圆]|美元|美金|欧元|英镑|港[币元纸]|韩元|新币|澳门元|澳元|"
    r"加元|元(?!素|气|旦|宝|宵|年|月)|圆(?!形|桌|领|盘|角|环|珠|点)|块钱|"
    r"块(?=$|[,。!?;:、.)~\-→]|\s|起|就|的|到|优惠|以内|多|左右|便宜|省|券|直|入|带|拿|买|搞|出头|不到)|"
    rf"(?:yuan|renminbi|kuai|rmb|dollars?|bucks?|euros?|quid|pounds?(?! (?:of|in weight))|yen|"
    rf"rupees|{_CODE})(?![a-z])|"
    r"[€£₩₫₽฿¥](?! ?\d)|\$(?! ?\d))"
)


def meant(sign: str) -> frozenset[str]:
    """The ISO 4217 codes that a sign found by one of the patterns may mean; none for one such as "a¥"."""
    return _SYMBOLS.get(sign) or _CODES.get(sign, frozenset())


def is_money(before: str, after: str) -> bool:
    """Whether a currency stands beside a number with these words before and after it."""
    return bool(SIGN_BEFORE.search(before) or SIGN_AFTER.match(after))
