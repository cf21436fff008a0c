"""Events through RecordEvents into stream and portraits: batches of 500 over many users, four under way."""

import asyncio
import random
import time

from harness import capacity, history, percentile, report, say, shop

from magpie.v1 import profile_service_pb2

USERS, ITEMS, BATCH, IN_FLIGHT, SECONDS = 2_000, 1_000, 500, 4, 15.0


async def main() -> None:
    async with shop(users=10, items=ITEMS, trained=False) as place:
        rng, users = random.Random(3), [f"visitor-{number}" for number in range(USERS)]
        taken: list[float] = []
        batches = 0

        async def record(_: int) -> None:
            nonlocal batches
            batches += 1
            events = [history(rng.choice(users), place.items, 1, rng)[0] for _ in range(BATCH)]
            for number, event in enumerate(events):
                event.event_id = f"{batches}-{number}"
            started = time.perf_counter()
            answer = await place.magpie.profile.RecordEvents(
                profile_service_pb2.RecordEventsRequest(events=events)
            )
            taken.append((time.perf_counter() - started) * 1000)
            if answer.accepted_count != BATCH:
                raise SystemExit(f"{answer.accepted_count} of {BATCH} events were accepted")

        say("warming up")
        await capacity(record, IN_FLIGHT, 5)
        taken.clear()
        say("measuring")
        per_second = await capacity(record, IN_FLIGHT, SECONDS)
    report(
        "ingest",
        {
            "events_per_s": round(per_second * BATCH, 1),
            "batch_p99_ms": round(percentile(taken, 0.99), 2),
        },
        {"users": USERS, "batch": BATCH, "in_flight": IN_FLIGHT, "seconds": SECONDS},
    )


if __name__ == "__main__":
    asyncio.run(main())
