"""What every provider of delivery promises; the webhook's runs against a real HTTP server."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from magpie_services.push.delivery import Fate, Provider, PushMessage
from magpie_services.push.providers import webhook
from magpie_services.push.providers.console import ConsoleProvider
from magpie_services.push.providers.webhook import WebhookProvider

SECRET = b"a secret for the tests"


class Endpoint:
    """An app's webhook on loopback. `script` is used up first: a status, or text to answer with."""

    def __init__(self) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self.script: list[int | str] = []
        self.statuses: dict[str, str] = {}
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = endpoint.answer(body, dict(self.headers))
                code, text = answer
                self.send_response(code)
                self.send_header("Content-Length", str(len(text)))
                if code in (301, 302):
                    self.send_header("Location", "http://127.0.0.1:9/")
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/push"
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def answer(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        batch = json.loads(body)
        self.batches.append(batch)
        timestamp = int(headers[webhook.TIMESTAMP_HEADER])
        assert headers[webhook.SIGNATURE_HEADER] == webhook.sign(SECRET, timestamp, body)
        match self.script.pop(0) if self.script else 200:
            case str(text):
                return 200, text.encode()
            case 200:
                receipts = [
                    {
                        "decision_id": message["decision_id"],
                        "status": self.statuses.get(message["decision_id"], "accepted"),
                        "message_id": f"m-{message['decision_id']}",
                    }
                    for message in batch
                ]
                return 200, json.dumps(receipts).encode()
            case status:
                return status, b""

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    await asyncio.to_thread(endpoint.stop)


@pytest.fixture
async def hook(endpoint: Endpoint) -> AsyncIterator[WebhookProvider]:
    provider = WebhookProvider(endpoint.url, SECRET, timeout_seconds=1.0, attempts=3)
    yield provider
    await provider.aclose()


@pytest.fixture(params=["console", "webhook"])
async def provider(request: pytest.FixtureRequest, hook: WebhookProvider) -> Provider:
    return hook if request.param == "webhook" else ConsoleProvider(io.StringIO())


def messages(count: int) -> list[PushMessage]:
    return [
        PushMessage(
            decision_id=f"d{number}",
            attribution_token=f"t{number}",
            user_id=f"u{number}",
            device_id="phone",
            address="",
            title="蓝色水壶",
            body="点开看看。",
            link="app://kettle",
            image_uri="",
            item_id="kettle",
            campaign_id="",
            send_ms=1,
            expires_ms=2,
        )
        for number in range(count)
    ]


async def test_one_receipt_for_each_message_in_order(provider: Provider) -> None:
    receipts = await provider.send(messages(250))
    assert [receipt.decision_id for receipt in receipts] == [f"d{number}" for number in range(250)]
    assert {receipt.fate for receipt in receipts} == {Fate.ACCEPTED}
    assert len({receipt.provider_message_id for receipt in receipts}) == 250


async def test_nothing_to_send_is_no_trouble(provider: Provider) -> None:
    assert await provider.send([]) == []


async def test_console_prints_what_the_user_would_see_and_no_token() -> None:
    out = io.StringIO()
    await ConsoleProvider(out).send(messages(1))
    line = json.loads(out.getvalue())
    assert (line["title"], line["user_id"]) == ("蓝色水壶", "u0")
    assert "t0" not in out.getvalue()


async def test_posts_batches_of_a_hundred(hook: WebhookProvider, endpoint: Endpoint) -> None:
    await hook.send(messages(250))
    assert sorted(len(batch) for batch in endpoint.batches) == [50, 100, 100]
    (first,) = (batch[0] for batch in endpoint.batches if batch[0]["decision_id"] == "d0")
    assert (first["title"], first["attribution_token"]) == ("蓝色水壶", "t0")


async def test_each_message_has_a_fate_of_its_own(hook: WebhookProvider, endpoint: Endpoint) -> None:
    endpoint.statuses = {"d1": "gone", "d2": "rejected", "d3": "later", "d4": "nonsense"}
    fates = [receipt.fate for receipt in await hook.send(messages(5))]
    assert fates == [Fate.ACCEPTED, Fate.GONE, Fate.REJECTED, Fate.LATER, Fate.UNKNOWN]


@pytest.mark.parametrize("trouble", [500, 503, 429])
async def test_trouble_that_passes_is_tried_again_with_the_same_ids(
    hook: WebhookProvider, endpoint: Endpoint, trouble: int
) -> None:
    endpoint.script = [trouble]
    (receipt,) = await hook.send(messages(1))
    assert receipt.fate is Fate.ACCEPTED
    assert [batch[0]["decision_id"] for batch in endpoint.batches] == ["d0", "d0"]


@pytest.mark.parametrize(
    ("script", "fate", "tries"),
    [
        ([503, 503, 503], Fate.LATER, 3),
        ([500, 500, 500], Fate.UNKNOWN, 3),
        ([500, 503, 503], Fate.UNKNOWN, 3),  # the first may have been accepted
        ([400], Fate.REJECTED, 1),
        ([302], Fate.REJECTED, 1),
        (["not json"], Fate.UNKNOWN, 1),
        (['[{"decision_id": "other", "status": "accepted"}]'], Fate.UNKNOWN, 1),
        ([""], Fate.ACCEPTED, 1),
    ],
)
async def test_trouble_that_stays_is_told_apart(
    hook: WebhookProvider, endpoint: Endpoint, script: list[int | str], fate: Fate, tries: int
) -> None:
    endpoint.script = list(script)
    (receipt,) = await hook.send(messages(1))
    assert receipt.fate is fate
    assert len(endpoint.batches) == tries


async def test_an_address_where_nobody_listens_may_be_tried_later() -> None:
    provider = WebhookProvider("http://127.0.0.1:9/", SECRET, timeout_seconds=0.5, attempts=1)
    (receipt,) = await provider.send(messages(1))
    await provider.aclose()
    assert receipt.fate is Fate.LATER


@pytest.mark.parametrize("url", ["http://example.com/", "ftp://127.0.0.1/", "https://", "http://10.0.0.1/"])
def test_only_https_or_loopback(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        webhook.check_url(url)
