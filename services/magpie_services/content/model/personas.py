"""For whom a text is written: a group of users, by nothing that is personal or sensitive.

A group is a tone, a look at prices and a stage with the shop: 27 in all. No id, trait, place, age or past of
anybody is in it, so none can reach the language model or the pool.
"""

from collections.abc import Mapping
from typing import NamedTuple

from magpie_services.content.choice import price_view
from magpie_services.content.strategies import Tone
from magpie_services.core.portraits import Portrait, Stage

PRICES: Mapping[str, str] = {
    "bargain": "likes a bargain",
    "even": "weighs price and quality",
    "choice": "minds quality more than price",
}
STAGES: Mapping[str, str] = {
    "new": "does not know the app well yet",
    "regular": "knows the app well",
    "away": "has not been around for a while",
}
TONES: Mapping[Tone, str] = {
    Tone.PLAIN: "matter of fact and friendly",
    Tone.PLAYFUL: "light-hearted, with a smile",
    Tone.PREMIUM: "composed and quiet",
}
_STAGE_OF = {
    Stage.NEW: "new",
    Stage.ACTIVE: "regular",
    Stage.LOYAL: "regular",
    Stage.LAPSING: "away",
    Stage.DORMANT: "away",
}


class Persona(NamedTuple):
    """A group: its tone, a key of PRICES and a key of STAGES."""

    tone: Tone
    price: str
    stage: str


def group(portrait: Portrait, now_ms: int) -> tuple[str, str]:
    """The keys of PRICES and STAGES for a user."""
    return price_view(portrait), _STAGE_OF[portrait.stage(now_ms)]
