"""Numbers, money and dates as each language writes them (CLDR, by Babel)."""

from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, is_currency

from magpie_services.core.money import Money

# CLDR writes yuan as "CN¥" outside China; readers of our Chinese see "¥".
_LOCALES = {"zh": "zh_Hans_CN", "zh-CN": "zh_Hans_CN", "zh-TW": "zh_Hant_TW", "en": "en"}


@lru_cache(maxsize=16_384)
def money(amount: Money, locale: str) -> str:
    """ "¥1,299" or "US$19.90"; "" for a currency that no one knows."""
    if not is_currency(amount.currency):
        return ""
    whole = amount.amount == amount.amount.to_integral_value()
    pattern = "¤#,##0" if whole else None
    text = format_currency(
        amount.amount, amount.currency, format=pattern, locale=_locale(locale), currency_digits=not whole
    )
    if locale == "zh-TW" and amount.currency == "TWD":
        text = text.replace("$", "NT$")  # CLDR leaves out what its readers may not
    return text.replace("\u00a0", " ")


@lru_cache(maxsize=4_096)
def count(number: int, locale: str) -> str:
    """ "1,234"."""
    return format_decimal(number, locale=_locale(locale))


def rating(stars: float) -> str:
    """Stars with one decimal, rounded down: a claim never says more than the fact."""
    return str((Decimal(str(stars)) * 10).to_integral_value(ROUND_FLOOR) / 10)


def percent_off(price: int, full: int) -> int:
    """Whole percents taken off, rounded down."""
    return (full - price) * 100 // full


def zhe(price: int, full: int) -> str:
    """The Chinese way to say a discount, tenths of the price to pay, rounded up: 8.5 for 15 % off."""
    tenths = (Decimal(price) * 100 / full).to_integral_value(ROUND_CEILING) / 10
    return f"{tenths.normalize():f}"


@lru_cache(maxsize=4_096)
def day(moment: date, locale: str) -> str:
    """ "11月30日" or "November 30"."""
    return format_date(moment, "MMMM d" if locale == "en" else "M月d日", locale=_locale(locale))


@lru_cache(maxsize=64)
def known(tag: str) -> bool:
    """Whether a BCP 47 tag names a locale that exists."""
    try:
        Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        return False
    return True


def _locale(locale: str) -> str:
    return _LOCALES.get(locale, "en")
