"""An OpenAI-compatible endpoint: a chat completion by a JSON schema, within a budget, a time and a size."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
import msgspec

from magpie_services.content.model.budget import NOTHING, Budget, Hold, Usage
from magpie_services.kit import metrics
from magpie_services.kit.breaker import CircuitBreaker, State

MAX_ANSWER_BYTES = 256_000
ATTEMPTS = 3
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 20.0
LONGEST_REST_SECONDS = 3_600.0
COOL_DOWN_SECONDS = 60.0
# Beside the bytes of the messages, of which no tokenizer makes more tokens: the marks around each message.
_TOKENS_AROUND = 64
# Reasons of answers that came, were paid for and are of no use; and of calls that were not made.
USELESS = frozenset(["cut", "declined", "encoded", "malformed", "too_large"])
NOT_ASKED = frozenset(["held_back", "over_budget"])
_NAME = "language_model"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Failed(Exception):
    """No answer: `reason` is a label of the metric. `again`: another attempt may help; `billed`: perhaps."""

    def __init__(
        self, reason: str, *, again: bool = False, billed: bool = False, after_seconds: float = 0.0
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again
        self.billed = billed
        self.after_seconds = after_seconds


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


_Count = Annotated[int, msgspec.Meta(ge=0, le=100_000_000)]


class _Usage(msgspec.Struct):
    prompt_tokens: _Count
    completion_tokens: _Count


class _Completion(msgspec.Struct):
    choices: list[_Choice]


class _Billed(msgspec.Struct):
    usage: _Usage


class Endpoint:
    """Asks one model. `url` is the base, for example "https://api.example.com/v1"."""

    def __init__(
        self,
        url: str,
        model: str,
        key: str,
        budget: Budget,
        *,
        seconds: float,
        output_tokens: int,
        output_field: str = "max_tokens",
        first_pause_seconds: float = FIRST_PAUSE_SECONDS,
        breaker: CircuitBreaker | None = None,
    ) -> None:
        """Raises ValueError for an address or a key that cannot be used; the key is not in its text."""
        check_address(url, key)
        self._model = model
        self._budget = budget
        self._seconds = seconds
        self._output_tokens = output_tokens
        self._output_field = output_field
        self._first_pause_seconds = first_pause_seconds
        self._rests_until = 0.0
        self._breaker = breaker or CircuitBreaker(failures=3, cool_down_seconds=COOL_DOWN_SECONDS)
        self._url = f"{url.rstrip('/')}/chat/completions"
        headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if key:
            headers["authorization"] = f"Bearer {key}"
        # No proxy of the environment and no other address than the one given: the key goes nowhere else.
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=seconds,
            follow_redirects=False,
            trust_env=False,
            verify=urlsplit(url).scheme == "https",
        )

    async def complete(self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]) -> str:
        """The content of the answer. Raises Failed, and Unavailable while the budget's store is away.

        Tried anew, after a pause that grows, where the endpoint is busy, fails or is slow; never where it
        says that the request is at fault.
        """
        if time.monotonic() < self._rests_until or not self._breaker.allow():
            raise self._counted(Failed("held_back"))
        ok = False
        started = time.monotonic()
        try:
            content = await self._tried(self._body(messages, schema))
            ok = True
            return content
        except Failed as error:
            # In these cases nothing is wrong with the endpoint.
            ok = error.reason in ("over_budget", "cut", "declined")
            raise
        finally:
            self._breaker.record(ok=ok, seconds=time.monotonic() - started)
            metrics.BREAKER_OPEN.labels(_NAME).set(self._breaker.state is not State.CLOSED)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def _tried(self, body: bytes) -> str:
        pause = self._first_pause_seconds
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._once(body)
            except Failed as error:
                self._counted(error)
                if error.after_seconds > LONGEST_PAUSE_SECONDS:
                    self._rests_until = time.monotonic() + min(error.after_seconds, LONGEST_REST_SECONDS)
                    raise
                if not error.again or attempt == ATTEMPTS:
                    raise
                wait = max(pause, error.after_seconds)
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 (spreads retries)
            pause *= 2
        raise AssertionError("at least one attempt")

    async def _once(self, body: bytes) -> str:
        """One request, paid for. Raises Failed."""
        # What may have been billed stays set aside, which counts as spent.
        hold = await self._budget.hold(Usage(len(body) + _TOKENS_AROUND, self._output_tokens))
        if hold is None:
            raise Failed("over_budget")
        try:
            # httpx limits each read; this limits the whole, against a server that answers byte by byte.
            async with asyncio.timeout(self._seconds):
                answer = await self._post(body)
        except Failed as error:
            if not error.billed:
                await self._budget.settle(hold, NOTHING)
            raise
        except (httpx.ConnectError, httpx.ConnectTimeout):
            await self._budget.settle(hold, NOTHING)
            raise Failed("unreachable", again=True) from None
        except (TimeoutError, httpx.TimeoutException):
            raise Failed("slow", again=True, billed=True) from None
        except httpx.HTTPError:
            raise Failed("broken_off", again=True, billed=True) from None
        await self._book(hold, answer)
        content = _content(answer)
        metrics.MODEL_CALLS.labels("answered").inc()
        return content

    async def _post(self, body: bytes) -> bytes:
        async with self._client.stream("POST", self._url, content=body) as response:
            status = response.status_code
            if status == 504:  # a gateway gave up on a model that may have gone on
                raise Failed("slow", again=True, billed=True)
            if status == 429 or status >= 500:
                after = _seconds(response.headers.get("retry-after", ""))
                raise Failed("busy" if status in (429, 503) else "failed", again=True, after_seconds=after)
            if 300 <= status < 400:
                raise Failed("redirected")
            if status != 200:
                raise Failed("refused")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise Failed("encoded", billed=True)  # we asked for none: it could unpack to anything
            answer = bytearray()
            async for chunk in response.aiter_raw():
                answer += chunk
                if len(answer) > MAX_ANSWER_BYTES:
                    raise Failed("too_large", billed=True)
            return bytes(answer)

    async def _book(self, hold: Hold, answer: bytes) -> None:
        """Pays for an answer by its own count; for one that tells none, all that was set aside."""
        try:
            told = msgspec.json.decode(answer, type=_Billed).usage
            used = Usage(told.prompt_tokens, told.completion_tokens)
        except (msgspec.DecodeError, UnicodeError):
            used = hold.most
        micros = await self._budget.settle(hold, used)
        metrics.MODEL_TOKENS.labels("input").inc(used.input)
        metrics.MODEL_TOKENS.labels("output").inc(used.output)
        metrics.MODEL_MONEY.inc(micros / 1_000_000)

    def _body(self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]) -> bytes:
        return msgspec.json.encode(
            {
                "model": self._model,
                "messages": messages,
                self._output_field: self._output_tokens,
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "texts", "strict": True, "schema": schema},
                },
            }
        )

    @staticmethod
    def _counted(error: Failed) -> Failed:
        metrics.MODEL_CALLS.labels(error.reason).inc()
        return error


def check_address(url: str, key: str) -> None:
    """Raises ValueError unless `url` is http or https, and https or this machine where there is a key."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise ValueError("must be an address such as https://api.example.com/v1")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("the key has characters that no header can carry")
    if key and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValueError("a key goes over https only")


def _content(answer: bytes) -> str:
    """The text of the first choice. Raises Failed."""
    try:
        choices = msgspec.json.decode(answer, type=_Completion).choices
    except (msgspec.DecodeError, UnicodeError):
        raise Failed("malformed") from None
    if not choices:
        raise Failed("malformed")
    if choices[0].finish_reason == "length":
        raise Failed("cut")
    if not choices[0].message.content:
        raise Failed("declined")
    return choices[0].message.content


def _seconds(header: str) -> float:
    """Of a Retry-After that gives them; 0 for a date and anything else."""
    return float(header) if header.isascii() and header.isdigit() and len(header) < 6 else 0.0
