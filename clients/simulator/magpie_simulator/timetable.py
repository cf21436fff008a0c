"""The spans of a simulated day, in hours UTC, and when the shop's scheduler asks for pushes."""

from magpie_simulator.parameters import HOUR_MS
from magpie_simulator.world import World

# Evening in China, late morning in Europe, early morning in America (held until 8 there, at the next edges).
PUSH_HOUR = 10
EDGES = (0, 4, 8, 10, 13, 16, 20, 24)


def moment_ms(world: World, hour: int) -> int:
    """An hour of the world's present day; ms since the epoch."""
    return world.day_start_ms + hour * HOUR_MS
