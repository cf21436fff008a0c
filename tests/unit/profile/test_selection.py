"""A walk over all users reads them in large bites, whatever a page holds, and can be resumed anywhere."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from magpie_services.core.portraits import new_portrait
from magpie_services.profile.selection import Page, select
from magpie_services.profile.state import UserState
from magpie_services.profile.store import ProfileStore, Row

PARTS = ["p00", "p01"]
USERS = {part: [f"{part}-{n:04}" for n in range(600)] for part in PARTS}


class Users:
    """Two partitions of 600 users; counts the reads."""

    reads = 0

    async def user_ids(self, part: str, after: str, limit: int) -> list[str]:
        self.reads += 1
        return [user for user in USERS[part] if user > after][:limit]

    async def load(self, wanted: Sequence[tuple[str, Any]]) -> list[Row]:
        return [Row(user_id=user, state=UserState(portrait=new_portrait(user))) for user, _ in wanted]


def every_seventh(user: UserState, _now_ms: int) -> bool:
    return int(user.portrait.user_id[-4:]) % 7 == 0


async def walk(users: Users, page_size: int, part: int = 0, after: str = "", scanned: int = 0) -> list[Page]:
    store = cast(ProfileStore, users)
    pages = select(
        store,
        PARTS,
        every_seventh,
        0,
        page_size=page_size,
        reachable_only=False,
        part=part,
        after=after,
        scanned=scanned,
    )
    return [page async for page in pages]


EXPECTED = [user for part in PARTS for user in USERS[part][::7]]


@pytest.mark.parametrize("page_size", [1, 5, 86, 172, 5_000])
async def test_everybody_who_matches_comes_once_in_few_reads(page_size: int) -> None:
    users = Users()
    pages = await walk(users, page_size)
    assert [user for page in pages for user in page.user_ids] == EXPECTED
    assert all(len(page.user_ids) <= page_size for page in pages)
    assert (pages[-1].part, pages[-1].scanned) == (2, 1_200)
    assert users.reads == 6


async def test_every_page_can_be_gone_on_after() -> None:
    pages = await walk(Users(), 10)
    for number, page in enumerate(pages[:-1], start=1):
        rest = await walk(Users(), 10, page.part, page.after, page.scanned)
        assert rest == pages[number:]
