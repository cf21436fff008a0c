"""How the shop's scheduler asks Magpie for pushes: about whom, and by which policy."""

from dataclasses import dataclass

import numpy as np

from magpie.v1 import push_service_pb2 as push_pb
from magpie_simulator.people import Ints
from magpie_simulator.tally import CLICK_VALUE, DISMISSAL_COST, OPT_OUT_COST
from magpie_simulator.world import World

ACTIVE_DAYS = 7


@dataclass(frozen=True)
class Asking:
    """One way to ask. `active` and `others` are the shares asked about each day of those who came to the shop
    in the last week and of the rest: a log that favours the active, as the logs of shops do."""

    exploration: float
    no_send: float
    active: float = 1.0
    others: float = 1.0
    valued: bool = False

    def users(self, world: World) -> Ints:
        """Whom to ask about today: fixed for the day, so that a day lived again asks about the same."""
        users = np.flatnonzero(world.reachable)
        active = world.minds.last_visit[users] > world.day - ACTIVE_DAYS
        share = np.where(active, self.active, self.others)
        return np.asarray(users[world.luck.one("asked", world.day, users) < share])

    def policy(self, world: World) -> push_pb.Policy:
        """The policy of the request, with what outcomes are worth to the shop where that counts."""
        policy = push_pb.Policy(exploration=self.exploration, no_send_share=self.no_send)
        if self.valued:
            policy.objective.CopyFrom(_objective(world))
        return policy


# Everything drawn evenly, the logs that the first models learn from; or as Magpie would.
WAYS: dict[str, Asking | None] = {
    "none": None,
    "explore": Asking(exploration=1.0, no_send=0.0),
    "historic": Asking(exploration=0.95, no_send=0.05, active=0.9, others=0.3),
    "magpie": Asking(exploration=0.05, no_send=0.02, valued=True),
}


def _objective(world: World) -> push_pb.Objective:
    """What outcomes are worth to the shop, in CNY: what the report's formula says, which the shop made."""
    return push_pb.Objective(
        click=CLICK_VALUE,
        margin=world.parameters.margin,
        dismiss=DISMISSAL_COST,
        unsubscribe=OPT_OUT_COST,
    )
