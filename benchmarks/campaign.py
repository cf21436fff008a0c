"""A campaign over every user of a shop, decided and sent to the console provider: users a second."""

import asyncio
import time

from harness import report, say, shop

from magpie.v1 import campaign_service_pb2 as campaign_pb
from magpie.v1 import push_service_pb2

USERS, ITEMS = 3_000, 2_000


async def main() -> None:
    async with shop(users=USERS, items=ITEMS, events_a_user=20) as place:
        campaigns = place.magpie.campaigns
        spec = campaign_pb.CampaignSpec(name="everybody", policy=push_service_pb2.Policy(candidate_limit=100))
        created = await campaigns.CreateCampaign(
            campaign_pb.CreateCampaignRequest(spec=spec, request_id="create")
        )
        name = created.campaign.campaign_id
        say("running the campaign")
        started = time.perf_counter()
        await campaigns.StartCampaign(campaign_pb.StartCampaignRequest(campaign_id=name, request_id="start"))
        while True:
            answer = await campaigns.GetCampaign(campaign_pb.GetCampaignRequest(campaign_id=name))
            state, progress = answer.campaign.state, answer.campaign.progress
            if state == campaign_pb.CAMPAIGN_STATE_FINISHED:
                break
            if state == campaign_pb.CAMPAIGN_STATE_FAILED:
                raise SystemExit(answer.campaign.error)
            await asyncio.sleep(0.1)
        seconds = time.perf_counter() - started
        if progress.decided_count != USERS:
            raise SystemExit(f"{progress.decided_count} of {USERS} users were decided about")
    report(
        "campaign",
        {"users_per_s": round(USERS / seconds, 1)},
        {
            "users": USERS,
            "items": ITEMS,
            "candidates": 100,
            "verdicts": dict(progress.verdict_counts),
            "seconds": round(seconds, 1),
        },
    )


if __name__ == "__main__":
    asyncio.run(main())
