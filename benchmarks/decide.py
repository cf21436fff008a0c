"""A decision through all services: one user, 100 candidates, one DecidePushes call.

`rps` is the capacity with eight calls under way; `p50_ms` and `p99_ms` are taken at 70 % of it, arrivals at
random, measured from when each call was due.
"""

import asyncio

from harness import capacity, latencies, percentile, report, say, shop

from magpie.v1 import push_service_pb2

USERS, ITEMS, SECONDS, LOAD = 500, 2_000, 15.0, 0.7


async def main() -> None:
    async with shop(users=USERS, items=ITEMS) as place:

        async def decide(number: int) -> None:
            target = push_service_pb2.Target(user_id=place.users[number % USERS])
            policy = push_service_pb2.Policy(candidate_limit=100)
            answer = await place.magpie.push.DecidePushes(
                push_service_pb2.DecidePushesRequest(
                    targets=[target], policy=policy, request_id=f"decide-{number}"
                )
            )
            arms.append(len(answer.decisions[0].arms))

        arms: list[int] = []
        say("warming up")
        await capacity(decide, 2, 5)
        say("capacity")
        arms.clear()
        rps = await capacity(decide, 8, SECONDS)
        say(f"latency at {LOAD:.0%} of {rps:.0f} calls a second")
        taken = await latencies(decide, LOAD * rps, SECONDS)
        scored = sum(count > 0 for count in arms) / len(arms)
        if scored < 0.95:
            raise SystemExit(f"only {scored:.0%} of the decisions got as far as ranking")
    report(
        "decide",
        {
            "p50_ms": round(percentile(taken, 0.50), 2),
            "p99_ms": round(percentile(taken, 0.99), 2),
            "rps": round(rps, 1),
        },
        {
            "users": USERS,
            "items": ITEMS,
            "candidates": 100,
            "load": LOAD,
            "calls": len(taken),
            "seconds": SECONDS,
        },
    )


if __name__ == "__main__":
    asyncio.run(main())
