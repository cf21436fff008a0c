"""The people of a world: what they like, when they are around, what they can pay, how they take to pushes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from magpie_simulator.catalogue import Goods
from magpie_simulator.draws import Luck
from magpie_simulator.parameters import Parameters
from magpie_simulator.words import BRANDS, CATEGORIES, STYLES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ZONES = ("Asia/Shanghai", "Europe/London", "America/New_York", "Asia/Singapore", "Europe/Berlin")
COUNTRIES = ("CN", "GB", "US", "SG", "DE")
PLATFORMS = ("android", "ios", "web")
_PLATFORM_EDGES = (0.55, 0.9)
# Shares of the zones among speakers of each language.
_ZONE_SHARES = {"zh-CN": (0.90, 0.01, 0.03, 0.06, 0.0), "en": (0.05, 0.40, 0.38, 0.07, 0.10)}
# Hours of the local day when people are about: at work with breaks, or free.
_HOURS = np.arange(24)
_LATE, _LUNCH, _MORNING = (21.0, 2.2), (12.5, 1.2), (8.5, 1.3)


@dataclass(frozen=True)
class People:
    """U users. `taste` [U, C] is 0 to 1; `brands` [U, B] and `styles` [U, S] are about 1 (0.4 to 2);
    `budget` [U] moves what they find dear, in logarithms of price; `hours` [U, 24] is how likely they are
    about at each local hour, summing to 1; `attention` is about 1; `traits` has bits by words.TRAITS."""

    taste: Floats
    brands: Floats
    styles: Floats
    budget: Floats
    elasticity: Floats
    visits: Floats
    hours: Floats
    attention: Floats
    zone: Ints
    chinese: Bools
    platform: Ints
    annoyed: Bools
    bot: Bools
    consents: Bools
    personalised: Bools
    teaches: Bools
    traits: Ints
    quirks: Ints

    def __len__(self) -> int:
        return len(self.zone)


def user_id(index: int) -> str:
    """The public id of a user."""
    return f"u{index:06d}"


def user_index(identity: str) -> int:
    """The user behind a public id; -1 when it is none of ours."""
    return (
        int(identity[1:]) if identity[:1] == "u" and identity[1:].isascii() and identity[1:].isdigit() else -1
    )


def draw_people(parameters: Parameters, luck: Luck) -> People:
    """The users of a world."""
    count = parameters.users
    keys = np.arange(count)
    dice = luck.uniform("people", 0, keys, 12)
    bell = luck.normal("people.bell", 0, keys, 6)
    chinese = _speaks_chinese(parameters, dice[:, 0])
    budget = 0.45 * bell[:, 0]
    platform = np.searchsorted(_PLATFORM_EDGES, dice[:, 3])
    styles = np.exp(0.55 * luck.normal("people.styles", 0, keys, len(STYLES)))
    taste = _tastes(luck.uniform("people.taste", 0, keys, len(CATEGORIES)))
    elasticity = np.exp(0.5 * bell[:, 1] - 0.4 * budget)
    return People(
        taste=taste,
        brands=np.exp(0.35 * luck.normal("people.brands", 0, keys, len(BRANDS))),
        styles=styles,
        budget=budget,
        elasticity=elasticity,
        visits=np.clip(parameters.visits_per_day * np.exp(0.7 * bell[:, 2] - 0.25), 0.02, 0.95),
        hours=_hours(dice[:, 1], bell[:, 3]),
        attention=np.exp(0.45 * bell[:, 4] - 0.1),
        zone=_zones(chinese, dice[:, 2]),
        chinese=chinese,
        platform=platform,
        annoyed=dice[:, 4] < parameters.annoyed_share,
        bot=dice[:, 5] < parameters.bot_share,
        consents=dice[:, 6] < np.array(parameters.consent_shares)[platform],
        personalised=dice[:, 7] < 0.94,
        teaches=dice[:, 8] < 0.92,
        traits=_traits(dice[:, 9], styles, taste, budget, elasticity),
        quirks=(dice[:, 10] * 2**31).astype(np.int64),
    )


def matches(people: People, goods: Goods) -> Floats:
    """How brand, style and quality of each item suit each user, about 0 to 1; [U, N], float32."""
    style = people.styles @ goods.styles.T / np.maximum(1.0, goods.styles.sum(axis=1))
    suits = style * people.brands[:, goods.brand] * goods.quality
    return np.asarray(1.0 - np.exp(-0.9 * suits), dtype=np.float32)


def _speaks_chinese(parameters: Parameters, dice: Floats) -> Bools:
    if len(parameters.locales) == 1:
        return np.full(len(dice), parameters.locales[0] == "zh-CN")
    share = 0.65 if parameters.locales[0] == "zh-CN" else 0.35
    return np.asarray(dice < share)


def _tastes(dice: Floats) -> Floats:
    """Few strong likes and many weak ones: two or three aisles of twelve carry most of a user."""
    raw = (-np.log(dice)) ** 2.2
    return np.asarray(raw / raw.max(axis=1, keepdims=True))


def _hours(dice: Floats, bell: Floats) -> Floats:
    """A mixture of evening, lunch break and morning, shifted for who sleeps late."""
    weights = np.stack([0.55 - 0.3 * dice, 0.15 + 0.2 * dice, 0.1 + 0.2 * dice], axis=1)
    shift = 0.9 * bell
    hours = np.full((len(dice), 24), 0.01)
    for weight, (peak, width) in zip(weights.T, (_LATE, _LUNCH, _MORNING), strict=True):
        distance = np.abs(_HOURS[None, :] - (peak + shift)[:, None])
        distance = np.minimum(distance, 24 - distance)
        hours += weight[:, None] * np.exp(-0.5 * (distance / width) ** 2) / width
    hours[:, 2:6] *= 0.15
    return np.asarray(hours / hours.sum(axis=1, keepdims=True))


def _zones(chinese: Bools, dice: Floats) -> Ints:
    zones = np.zeros(len(dice), dtype=np.int64)
    for speaks, locale in ((True, "zh-CN"), (False, "en")):
        some = chinese == speaks
        edges = np.cumsum(_ZONE_SHARES[locale])[:-1]
        zones[some] = np.searchsorted(edges, dice[some])
    return zones


def _traits(dice: Floats, styles: Floats, taste: Floats, budget: Floats, elasticity: Floats) -> Ints:
    """Bits by words.TRAITS. True of the user for the most part, as far as they declare anything."""
    sport, books, baby, home = 9, 11, 10, 6
    true = [
        dice < 0.4,
        styles[:, 1] > 1.3,
        budget > 0.3,
        taste[:, home] > 0.5,
        taste[:, sport] > 0.5,
        (styles[:, 5] > 1.4) | (taste[:, books] > 0.7),
        elasticity > 1.6,
        taste[:, baby] > 0.7,
    ]
    bits = sum(np.where(holds, 1 << bit, 0) for bit, holds in enumerate(true))
    return np.asarray(np.where(dice * 10 % 1 < 0.6, bits, 0), dtype=np.int64)
