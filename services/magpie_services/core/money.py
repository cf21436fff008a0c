"""Amounts of money as a currency and an integer of its minor unit; floats only for features and charts."""

from decimal import Decimal

import msgspec

from magpie_services.core.checks import Violation

_EXPONENTS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV"), 0
    ),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def exponent(currency: str) -> int:
    """Decimal digits of the minor unit of an ISO 4217 currency: JPY 0, KWD 3, 2 where not listed."""
    return _EXPONENTS.get(currency, 2)


class Money(msgspec.Struct, frozen=True, order=False):
    """An exact amount: `minor` units (cents, 分, yen) of `currency` (ISO 4217, upper case)."""

    currency: str
    minor: int

    @classmethod
    def parse(cls, currency: str, amount: str | Decimal) -> "Money":
        """Money from a decimal such as "19.90". Raises ValueError where it is finer than the minor unit."""
        scaled = Decimal(amount).scaleb(exponent(currency))
        if not scaled.is_finite() or scaled != scaled.to_integral_value():
            raise ValueError(f"{amount} is not a whole number of minor units of {currency}")
        return cls(currency, int(scaled))

    @property
    def amount(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    @property
    def major(self) -> float:
        """The amount in major units, rounded to a float: for features and charts, never for sums."""
        return self.minor / float(10 ** exponent(self.currency))


def violations(field: str, money: Money | None) -> list[Violation]:
    """What is wrong with a price; None (unknown) is right."""
    if money is None:
        return []
    found = []
    currency = money.currency
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        found.append(Violation(f"{field}.currency", "is not an ISO 4217 code"))
    if money.minor < 0:
        found.append(Violation(f"{field}.minor", "is negative"))
    return found
