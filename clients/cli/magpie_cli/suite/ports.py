"""Ports of the suite: the well-known ones of a laptop, or free ones; kept while the suite runs."""

import random
import socket
from contextlib import ExitStack

from magpie_cli.suite.options import SuiteFailed

HOST = "127.0.0.1"
GRPC = {
    "profile": 7001,
    "candidate": 7002,
    "ranking": 7003,
    "content": 7004,
    "push": 7005,
    "feedback": 7006,
    "training": 7007,
    "lake": 7008,
    "model_server": 8500,
}
METRICS = {name: port + 1000 for name, port in GRPC.items()}
REDIS = {"redis": 7000}
_OUT_OF_THE_WAY = range(15_000, 30_000)


def fixed() -> dict[str, int]:
    """Port by purpose: a room's name, "<room>.metrics", or "redis"."""
    return {**REDIS, **GRPC, **{f"{name}.metrics": port for name, port in METRICS.items()}}


def free() -> dict[str, int]:
    """The same purposes on ports that are free now."""
    purposes = list(fixed())
    return dict(zip(purposes, find_free(len(purposes)), strict=True))


def find_free(count: int) -> list[int]:
    """Ports that are free now, all different.

    Not the kernel's own choice: that is from the range that outgoing connections take theirs from, and one of
    those could get the port of a process that is being restarted.
    """
    found: list[int] = []
    with ExitStack() as stack:
        for port in random.SystemRandom().sample(_OUT_OF_THE_WAY, len(_OUT_OF_THE_WAY)):
            probe = stack.enter_context(socket.socket())
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            found.append(port)
            if len(found) == count:
                return found
    raise SuiteFailed("no free ports are left on this machine")


def check_free(ports: dict[str, int]) -> None:
    """Raises SuiteFailed naming every port that somebody else has."""
    taken = [f"{port} ({name})" for name, port in ports.items() if not _is_free(port)]
    if taken:
        raise SuiteFailed(f"ports are taken: {', '.join(taken)}; free them, or use --ports auto")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port that only lingers from a connection closed a moment ago counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
