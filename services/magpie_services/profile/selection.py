"""Walking over all users to find those who match, in pages that can be resumed exactly."""

from collections.abc import AsyncIterator, Sequence

import msgspec

from magpie_services.profile.audience import Predicate
from magpie_services.profile.store import ProfileStore

_BATCH = 256
#: A page is sent at the latest after this many users, so that a rare audience shows progress.
_SCANNED_A_PAGE = 20_000


class Page(msgspec.Struct):
    """Users who match, and where the walk stands: `part` is one beyond the last when it is over."""

    user_ids: list[str]
    part: int
    after: str
    scanned: int


async def select(
    store: ProfileStore,
    parts: Sequence[str],
    matches: Predicate,
    now_ms: int,
    *,
    page_size: int,
    reachable_only: bool,
    part: int = 0,
    after: str = "",
    scanned: int = 0,
) -> AsyncIterator[Page]:
    """Pages of at most `page_size` users in order of partition and id, going on after (`part`, `after`).

    A user who comes or goes meanwhile may be missed; nobody comes twice. The last page, which may be empty,
    has no more parts.
    """
    found: list[str] = []
    page_start = scanned
    while part < len(parts):
        user_ids = await store.user_ids(parts[part], after, _BATCH)
        for row in await store.load([(user_id, ()) for user_id in user_ids]):
            after, scanned = row.user_id, scanned + 1
            user = None if row.moved_to else row.state
            if user is not None and (user.reachable or not reachable_only) and matches(user, now_ms):
                found.append(row.user_id)
            if len(found) >= page_size or scanned - page_start >= _SCANNED_A_PAGE:
                yield Page(found, part, after, scanned)
                found, page_start = [], scanned
        if len(user_ids) < _BATCH:
            part, after = part + 1, ""
    yield Page(found, part, "", scanned)
