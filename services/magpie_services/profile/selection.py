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

    A user who comes or goes meanwhile may be missed; nobody comes twice. The last page has no more parts.
    """
    found: list[str] = []
    page_start = scanned
    while part < len(parts):
        # Never more than fit into the page: the place after it is then exactly the last user looked at.
        limit = min(_BATCH, page_size - len(found))
        user_ids = await store.user_ids(parts[part], after, limit)
        for row in await store.load([(user_id, ()) for user_id in user_ids]):
            user = row.state
            if user is None or row.moved_to or (reachable_only and not user.reachable):
                continue
            if matches(user, now_ms):
                found.append(row.user_id)
        scanned += len(user_ids)
        if len(user_ids) < limit:
            part, after = part + 1, ""
        else:
            after = user_ids[-1]
        full = len(found) >= page_size or scanned - page_start >= _SCANNED_A_PAGE
        if full and part < len(parts):
            yield Page(found, part, after, scanned)
            found, page_start = [], scanned
    yield Page(found, part, "", scanned)
