"""The phones answer every push once and notice what should not have come."""

import asyncio
import hashlib
import hmac
import http.client
import json
from pathlib import Path
from typing import Any

from tests.unit.simulator.worlds import world

from magpie_simulator.inbox import Inbox, Memory
from magpie_simulator.phones import Phones
from magpie_simulator.timetable import moment_ms


def message(number: int, user: int, at_ms: int) -> dict[str, Any]:
    return {
        "decision_id": f"d{number}",
        "attribution_token": f"t{number}",
        "user_id": f"u{user:06d}",
        "title": "好消息",
        "body": "…",
        "item_id": "item-00001",
        "send_time_ms": at_ms,
    }


def test_a_push_counts_once_and_survives_a_crash(tmp_path: Path) -> None:
    place = world(users=60)
    place.begin_day()
    now_ms, journal = moment_ms(place, 10), tmp_path / "arrivals.jsonl"
    inbox = Inbox(place, Memory(), journal, lambda: now_ms)
    first = inbox.take([message(1, 5, now_ms)])
    assert first == inbox.take([message(1, 5, now_ms)]) == [{"decision_id": "d1", "status": "accepted"}]
    assert inbox.repeated == 1
    inbox.close()
    again = Inbox(place, Memory(), journal, lambda: now_ms)
    assert [kept.decision_id for kept in again.collect()] == ["d1"]
    assert again.take([message(1, 5, now_ms)])[0]["status"] == "accepted"
    assert again.collect() == []
    again.close()


def test_broken_promises_are_counted(tmp_path: Path) -> None:
    place = world(users=200)
    place.begin_day()
    asleep = next(u for u in range(200) if place.people.zone[u] == 0 and place.minds.consents[u])
    silent = next(u for u in range(200) if place.people.zone[u] == 0 and not place.minds.consents[u])
    clock = [moment_ms(place, 16)]  # midnight in Shanghai
    inbox = Inbox(place, Memory(), tmp_path / "arrivals.jsonl", lambda: clock[0])
    inbox.take([message(1, asleep, clock[0]), message(2, silent, clock[0])])
    assert inbox.violations == {"quiet_hours": 2, "no_consent": 1}
    clock[0] = moment_ms(place, 26)
    inbox.take([message(number, asleep, clock[0]) for number in range(3, 7)])
    assert inbox.violations["daily_cap"] == 2
    assert inbox.take([message(8, 9_999, 0)])[0]["status"] == "rejected"
    place.minds.installed[asleep] = False
    assert inbox.take([message(9, asleep, 0)])[0]["status"] == "gone"
    inbox.close()


async def test_the_server_keeps_connections_and_checks_signatures() -> None:
    taken: list[dict[str, Any]] = []

    def take(raw: list[dict[str, Any]]) -> list[dict[str, str]]:
        taken.extend(raw)
        return [{"decision_id": each["decision_id"], "status": "accepted"} for each in raw]

    phones = Phones(take, b"0123456789abcdef")
    address = await phones.start("127.0.0.1:0")

    def talk() -> list[int]:
        connection = http.client.HTTPConnection(address, timeout=5)
        statuses = []
        body = json.dumps([message(1, 1, 1)]).encode()
        signature = hmac.new(b"0123456789abcdef", b"7." + body, hashlib.sha256).hexdigest()
        signed = {"Magpie-Timestamp": "7", "Magpie-Signature": f"v1={signature}"}
        broken = hmac.new(b"0123456789abcdef", b"7.{", hashlib.sha256).hexdigest()
        for method, content, headers in (
            ("POST", body, signed),
            ("POST", body, {}),
            ("GET", b"", {}),
            ("POST", b"{", signed | {"Magpie-Signature": f"v1={broken}"}),
            ("POST", body, signed),
        ):
            connection.request(method, "/", content, headers)
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
        connection.close()
        return statuses

    assert await asyncio.to_thread(talk) == [200, 401, 405, 400, 200]
    assert len(taken) == 2
    await asyncio.wait_for(phones.stop(), 5)
