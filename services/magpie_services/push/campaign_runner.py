"""Runs campaigns: page after page of the audience through the pipeline, from where it stood after any crash.

A campaign is run by one process at a time, under a lease. Should two believe that they hold it, they still
ask for the same decisions: each user is decided about once, and only the holder writes progress.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

import msgspec
import structlog

from magpie.v1 import profile_service_pb2 as profile_pb
from magpie_services.core import codec
from magpie_services.core.decisions import Decision, Mode
from magpie_services.kit.clock import Clock
from magpie_services.kit.errors import Invalid, MagpieError, NotAllowed, NotFound, Unimplemented
from magpie_services.push import campaigns
from magpie_services.push.campaign_store import CampaignStore
from magpie_services.push.campaigns import Campaign, Progress, State
from magpie_services.push.case import Ask, Target
from magpie_services.push.clients import Services
from magpie_services.push.sandbox import follow
from magpie_services.push.sending import Sender

log = structlog.get_logger()

#: A stream of pages is opened again after this, so that a silent peer cannot hold a campaign.
STREAM_SECONDS = 600.0
RETRY_SECONDS = 1.0
SHARE_USERS = 64


class CampaignRunner:
    """The loop of one process; every replica has one."""

    def __init__(
        self,
        store: CampaignStore,
        sender: Sender,
        services: Services,
        clock: Clock,
        wall: Clock,
        *,
        poll_seconds: float,
        lease_seconds: float,
        page_users: int,
    ) -> None:
        self._store = store
        self._sender = sender
        self._services = services
        self._clock = clock
        self._wall = wall
        self._poll_seconds = poll_seconds
        self._renew_seconds = lease_seconds / 3
        self._page_users = page_users
        self._owner = uuid.uuid4().hex
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look for campaigns to run until cancelled, then let go of them."""
        try:
            while True:
                try:
                    await self.look()
                except MagpieError as error:
                    log.warning("campaigns.waiting", error=error.reason)
                    await asyncio.sleep(RETRY_SECONDS)
                await asyncio.sleep(self._poll_seconds)
        finally:
            tasks = list(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def look(self) -> None:
        """Starts a task for each running campaign that nobody runs; drops those that are done."""
        for campaign_id in [i for i, task in self._tasks.items() if task.done()]:
            task = self._tasks.pop(campaign_id)
            if not task.cancelled() and task.exception() is not None:
                # Not a failure that was thought of: say so in the log and in the campaign, and go on.
                log.error("campaign.crashed", campaign_id=campaign_id, error=repr(task.exception()))
                await self._end(campaign_id, State.FAILED, "internal error, see the log of the push service")
        follow(self._clock)
        now_ms = self._clock.now_ms()
        for campaign in await self._store.running():
            campaign_id = campaign.spec.campaign_id
            if campaign_id in self._tasks or campaign.spec.start_ms > now_ms:
                continue
            if await self._store.take(campaign_id, self._owner):
                self._tasks[campaign_id] = asyncio.create_task(self._hold(campaign_id))

    async def _hold(self, campaign_id: str) -> None:
        """Runs a campaign while its lease is kept alive; waits while a service is away."""
        log.info("campaign.running", campaign_id=campaign_id)
        keeper = asyncio.create_task(self._keep(campaign_id))
        try:
            while True:
                try:
                    await self._go_on(campaign_id)
                    return
                except (Invalid, NotAllowed, NotFound, Unimplemented) as error:
                    await self._end(campaign_id, State.FAILED, error.message)
                    return
                except MagpieError as error:
                    log.warning("campaign.waiting", campaign_id=campaign_id, error=error.reason)
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            with suppress(MagpieError):  # the lease runs out by itself
                await self._store.give_up(campaign_id, self._owner)

    async def _keep(self, campaign_id: str) -> None:
        task = asyncio.current_task()
        # redis-py may swallow a cancellation: going on regardless would keep the lease for ever.
        while task is not None and not task.cancelling():
            await asyncio.sleep(self._renew_seconds)
            try:
                await self._store.take(campaign_id, self._owner)
            except MagpieError:
                continue

    async def _go_on(self, campaign_id: str) -> None:
        """From the last page saved to the end, or until the state or the lease says stop."""
        follow(self._clock)
        campaign = await self._store.get(campaign_id)
        progress = campaign.progress
        async with aclosing(self._pages(campaign)) as pages:
            while True:
                follow(self._clock)
                now_ms = self._clock.now_ms()
                over = campaign.spec.end_ms and now_ms >= campaign.spec.end_ms
                spent = campaign.spec.budget and progress.pushes >= campaign.spec.budget
                if over or spent or (progress.done and not progress.page):
                    await self._end(campaign_id, State.FINISHED)
                    return
                if not await self._mine(campaign_id):
                    return
                if not progress.page:
                    page = await anext(pages, None)
                    if page is None:  # nobody matched
                        await self._end(campaign_id, State.FINISHED)
                        return
                    progress.page, progress.page_token = list(page.user_ids), page.next_page_token
                    progress.scanned, progress.done = page.scanned_count, not page.next_page_token
                    if not await self._save(campaign_id, progress):
                        return
                fresh = codec.decode(Progress, codec.encode(progress))
                decided = await self._decide(campaign, fresh, progress.page)
                if decided is None:
                    return
                fresh.page, fresh.pages = [], fresh.pages + 1
                fresh.mark(self._wall.now_ms())
                if not await self._save(campaign_id, fresh):
                    return
                progress = fresh
                await self._store.show(campaign_id, decided)

    async def _decide(
        self, campaign: Campaign, progress: Progress, user_ids: list[str]
    ) -> list[Decision] | None:
        """Decides about one page and counts; None when told to stop within it (it is then done again)."""
        spec = campaign.spec
        ask = Ask(
            policy=spec.policy,
            request_id=campaigns.request_id_of(spec.campaign_id),
            mode=Mode.SHADOW if spec.shadow else Mode.LIVE,
            campaign_id=spec.campaign_id,
            patient=True,
        )
        decided: list[Decision] = []
        at = 0
        checked = time.monotonic()
        while at < len(user_ids):
            left = spec.budget - progress.pushes if spec.budget else SHARE_USERS
            if left <= 0:
                break
            if time.monotonic() - checked > 0.5:
                if not await self._mine(spec.campaign_id):
                    return None
                checked = time.monotonic()
            # Never more users at once than pushes are left: the budget holds whatever comes of them.
            share = user_ids[at : at + min(SHARE_USERS, left)]
            follow(self._clock)
            decisions = await self._sender.send([Target(user_id=user_id) for user_id in share], ask)
            progress.add(decisions)
            decided += [msgspec.structs.replace(d, arms=[], chosen=-1) for d in decisions]
            at += len(share)
        return decided

    def _pages(self, campaign: Campaign) -> AsyncGenerator[profile_pb.SelectAudienceResponse]:
        audience = profile_pb.Audience.FromString(campaign.spec.audience) if campaign.spec.audience else None
        return self._services.audience(
            audience, self._page_users, campaign.progress.page_token, STREAM_SECONDS
        )

    async def _save(self, campaign_id: str, progress: Progress) -> bool:
        """Whether it could be written: only by who holds the lease."""
        state = await self._store.save(campaign_id, self._owner, progress, self._clock.now_ms())
        return state is not None

    async def _mine(self, campaign_id: str) -> bool:
        """Whether it is still to be run, and by this process."""
        if not await self._store.take(campaign_id, self._owner):
            return False
        return (await self._store.get(campaign_id)).state is State.RUNNING

    async def _end(self, campaign_id: str, state: State, error: str = "") -> None:
        await self._store.set_state(campaign_id, state, self._clock.now_ms(), [State.RUNNING], error)
        log.info("campaign.ended", campaign_id=campaign_id, state=state.value)
