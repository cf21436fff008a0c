"""Users: events folded into portraits as they come, identities linked, users erased. Keeps nothing itself."""

import asyncio
import random
from collections.abc import Callable, Iterable, Sequence

import msgspec

from magpie_services.core import events as core_events
from magpie_services.core import portraits
from magpie_services.core.checks import Violation
from magpie_services.core.events import Event, EventKind
from magpie_services.core.portraits import new_portrait
from magpie_services.kit.errors import Conflict, NotAllowed
from magpie_services.profile import own_events
from magpie_services.profile.state import Consent, Device, UserState
from magpie_services.profile.store import Change, ProfileStore, Row

ERASED = "user was erased"
MAX_HOPS = 8
_ATTEMPTS = 40
_CHUNK_USERS = 128


class Refusal(msgspec.Struct, frozen=True):
    """Why the event at `index` of a batch was not taken."""

    index: int
    event_id: str
    field: str
    reason: str


class Recorded(msgspec.Struct):
    """What became of a batch."""

    accepted: int = 0
    duplicates: int = 0
    refusals: list[Refusal] = []


def faults(event: Event, now_ms: int) -> list[Violation]:
    """What is wrong with an event that an app sent."""
    if event.kind in own_events.KINDS:
        return [Violation("kind", "is written by the service itself")]
    return core_events.violations(event, now_ms)


class Profiles:
    """All that is done to users: read, decided, committed at the version read, else done again."""

    def __init__(self, store: ProfileStore, now_ms: Callable[[], int], seed: int | None = None) -> None:
        self._store = store
        self._now_ms = now_ms
        self._random = random.Random(seed)  # noqa: S311  # jitter, not a secret

    async def record(self, events: Iterable[tuple[int, Event]]) -> Recorded:
        """Takes in checked events, each with its index in the batch. Each is logged and folded, or neither.

        Raises Conflict when others change the same users all the time; what was taken in by then stays.
        """
        recorded = Recorded()
        by_user: dict[str, list[tuple[int, Event]]] = {}
        for index, event in events:
            by_user.setdefault(event.user_id, []).append((index, event))
        users = list(by_user)
        for start in range(0, len(users), _CHUNK_USERS):
            await self._record(
                {user: by_user[user] for user in users[start : start + _CHUNK_USERS]}, recorded
            )
        return recorded

    async def _record(self, waiting: dict[str, list[tuple[int, Event]]], recorded: Recorded) -> None:
        for attempt in range(_ATTEMPTS):
            wanted = [(user, [event.event_id for _, event in group]) for user, group in waiting.items()]
            changes: list[Change] = []
            again: dict[str, list[tuple[int, Event]]] = {}
            for row in await self._store.load(wanted):
                group = waiting[row.user_id]
                if row.moved_to:
                    moved = [(n, msgspec.structs.replace(event, user_id=row.moved_to)) for n, event in group]
                    again.setdefault(row.moved_to, []).extend(moved)
                elif row.erased_ms:
                    recorded.refusals += [
                        Refusal(n, event.event_id, f"events[{n}].user_id", ERASED) for n, event in group
                    ]
                elif change := fold(row, [event for _, event in group]):
                    changes.append(change)
                else:
                    recorded.duplicates += len(group)
            if changes:
                done = await self._store.commit(changes, self._now_ms())
                for change, committed in zip(changes, done, strict=True):
                    group = waiting[change.row.user_id]
                    if committed:
                        recorded.accepted += len(change.events)
                        recorded.duplicates += len(group) - len(change.events)
                    else:
                        again.setdefault(change.row.user_id, []).extend(group)
            if not again:
                return
            waiting = again
            await self._pause(attempt)
        raise _busy()

    async def get(self, user_ids: Sequence[str]) -> list[UserState]:
        """The states in the order asked for; of a user never seen or erased, an empty one of version 0."""
        rows = {row.user_id: row for row in await self._store.load([(user, ()) for user in set(user_ids)])}
        moved = {user: row.moved_to for user, row in rows.items() if row.moved_to}
        if moved:
            kept = await asyncio.gather(*(self._row(user) for user in moved))
            rows.update(zip(moved, kept, strict=True))
        return [_state(rows[user]) for user in user_ids]

    async def set_consents(self, user_id: str, answers: Sequence[Consent]) -> UserState:
        """Records answers; the newest of each purpose holds on return. Raises NotAllowed when erased."""

        def decide(row: Row) -> Change:
            state = _state(row)
            for answer in answers:
                state.answer(answer)
            events = [own_events.answered(row.user_id, answer, self._now_ms()) for answer in answers]
            return Change(row=row, state=state, events=events)

        return await self._update(user_id, decide)

    async def register_device(self, user_id: str, device: Device) -> UserState:
        """Adds or refreshes a device. Raises NotAllowed for an erased user."""
        device = msgspec.structs.replace(device, updated_ms=self._now_ms())

        def decide(row: Row) -> Change:
            state = _state(row)
            state.register(device)
            facts = {"device_id": device.device_id, "channel": device.channel}
            event = own_events.happened(
                row.user_id,
                EventKind.DEVICE_REGISTERED,
                device.device_id,
                device.updated_ms,
                facts,
                device.platform,
            )
            return Change(row=row, state=state, events=[event])

        return await self._update(user_id, decide)

    async def remove_device(
        self, user_id: str, device_id: str, unless_updated_since_ms: int = 0
    ) -> UserState:
        """Removes a device, if it is there and was not registered again since. Raises NotAllowed as above."""

        def decide(row: Row) -> Change | None:
            state = _state(row)
            if not state.remove(device_id, unless_updated_since_ms):
                return None
            facts, now_ms = {"device_id": device_id}, self._now_ms()
            event = own_events.happened(row.user_id, EventKind.DEVICE_REMOVED, device_id, now_ms, facts)
            return Change(row=row, state=state, events=[event])

        return await self._update(user_id, decide)

    async def link(self, user_id: str, alias_ids: Sequence[str]) -> UserState:
        """Folds other identities of a person into one. Safe to repeat after a failure at any point.

        An alias is first frozen (its events go to the kept user from then on), then absorbed, then wiped.
        Raises NotAllowed when one of them was erased.
        """
        async with self._store.linking():
            for alias_id in alias_ids:
                kept = await self._row(user_id)
                _check(kept)
                alias = await self._freeze(alias_id, kept.user_id)
                if alias is not None:
                    await self._absorb(kept.user_id, alias)
                    await self._store.wipe(alias.user_id)
        return _state(await self._row(user_id))

    async def _freeze(self, alias_id: str, kept_id: str) -> Row | None:
        """The alias, its state final; None where it is the kept user already."""
        for attempt in range(_ATTEMPTS):
            (row,) = await self._store.load([(alias_id, ())])
            _check(row)
            if alias_id == kept_id:
                return None
            if row.moved_to == kept_id or (not row.moved_to and await self._store.move(row, kept_id)):
                return row
            # Part of another person: then it is that person who is linked.
            alias_id = row.moved_to or alias_id
            await self._pause(attempt)
        raise _busy()

    async def _absorb(self, kept_id: str, alias: Row) -> None:
        alias_id, marks = alias.user_id, await self._store.marks_of(alias.user_id)

        def decide(row: Row) -> Change | None:
            state = _state(row)
            if alias_id in state.linked:
                return None
            state.linked.append(alias_id)
            if alias.state is not None:
                state.linked += alias.state.linked
                portraits.merge(state.portrait, alias.state.portrait)
                for answer in alias.state.consents.values():
                    state.answer(answer)
                for device in alias.state.devices:
                    state.register(device)
            facts, now_ms = {"alias_user_id": alias_id}, self._now_ms()
            event = own_events.happened(row.user_id, EventKind.IDENTITY_LINKED, alias_id, now_ms, facts)
            return Change(row=row, state=state, events=[event], marks=marks)

        await self._update(kept_id, decide)

    async def erase(self, user_id: str) -> tuple[int, bool]:
        """Destroys all that is kept of a person and blocks the id: (when, whether there was anything).

        The identities folded into them stay folded, so they are blocked with them.
        """
        for attempt in range(_ATTEMPTS):
            row = await self._row(user_id)
            # The lake knows the identities folded into this one by their own ids.
            others = {user_id, *(row.state.linked if row.state else ())} - {row.user_id}
            # First, for once the person is erased nobody knows them any more: a link or an erasure that broke
            # off may have left their histories lying.
            for other in others:
                await self._store.wipe(other)
            if row.erased_ms:
                return row.erased_ms, False
            ids = [row.user_id, *sorted(others)]
            now_ms = self._now_ms()
            events = [own_events.happened(one, EventKind.ERASED, "user", now_ms, {}) for one in ids]
            if await self._store.erase(row, events):
                return now_ms, row.state is not None
            await self._pause(attempt)
        raise _busy()

    async def logged(self, user_id: str, after: str, limit: int) -> tuple[list[Event], str]:
        """A page of the user's events still in the log, and the place to go on, "" at the end.

        Of an erased user none, though they may lie in the log for the moment that the lake needs.
        """
        row = await self._row(user_id)
        return ([], "") if row.erased_ms else await self._store.logged(row.user_id, after, limit)

    async def _update(self, user_id: str, decide: Callable[[Row], Change | None]) -> UserState:
        for attempt in range(_ATTEMPTS):
            row = await self._row(user_id)
            _check(row)
            change = decide(row)
            if change is None:
                return _state(row)
            (done,) = await self._store.commit([change], self._now_ms())
            if done:
                return change.state
            await self._pause(attempt)
        raise _busy()

    async def _row(self, user_id: str) -> Row:
        for _ in range(MAX_HOPS):
            (row,) = await self._store.load([(user_id, ())])
            if not row.moved_to:
                return row
            user_id = row.moved_to
        raise Conflict("the identities of this user form too long a chain")

    async def _pause(self, attempt: int) -> None:
        await asyncio.sleep(self._random.uniform(0, min(0.1, 0.002 * 2 ** min(attempt, 10))))


def fold(row: Row, events: Sequence[Event]) -> Change | None:
    """The change that the events make to their user; None where all of them were recorded before."""
    known = {event.event_id for event, seen in zip(events, row.seen, strict=True) if seen}
    fresh: list[Event] = []
    for event in events:
        if event.event_id not in known:
            known.add(event.event_id)
            fresh.append(event)
    if not fresh:
        return None
    state = _state(row)
    told: list[Event] = []
    for event in fresh:
        told.append(portraits.told_again(state.portrait, event))
        portraits.fold(state.portrait, event)
    return Change(row=row, state=state, events=told, event_ids=[event.event_id for event in fresh])


def _state(row: Row) -> UserState:
    return row.state or UserState(portrait=new_portrait(row.user_id))


def _check(row: Row) -> None:
    if row.erased_ms:
        raise NotAllowed(ERASED, reason="USER_ERASED")


def _busy() -> Conflict:
    return Conflict("others change the same user at the same time; try again")
