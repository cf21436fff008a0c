"""Magpie's SDK: a typed asyncio client of the public gRPC API in `magpie.v1`.

async with Magpie(Endpoints()) as magpie:
    await magpie.profile.RecordEvents(RecordEventsRequest(events=[...]))
"""

from magpie._client import Connect, Magpie
from magpie._endpoints import Endpoints
from magpie._problems import Problem, problem_of

__all__ = ["Connect", "Endpoints", "Magpie", "Problem", "problem_of"]
