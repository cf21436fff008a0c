"""A server that speaks the protocol of chat completions on a real socket, and answers as it is told to.

It refuses requests that an endpoint of that protocol would refuse, and remembers those that it took.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Request = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """An answer over HTTP. `delay_seconds` before it, `drip_seconds` between its bytes; `endless`: no end."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    drip_seconds: float = 0.0
    endless: bool = False
    broken_off: bool = False


def completion(
    content: str | None, *, input: int = 400, output: int = 120, finish: str = "stop", **changes: Any
) -> Reply:
    """A completion with this content, and the tokens that it is billed by."""
    answer = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "writer-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, "refusal": None},
                "logprobs": None,
                "finish_reason": finish,
            }
        ],
        "usage": {"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output},
    }
    return Reply(json.dumps(answer | changes).encode())


def texts(*pairs: tuple[str, str]) -> Reply:
    """A completion with these titles and bodies."""
    return completion(json.dumps({"texts": [{"title": title, "body": body} for title, body in pairs]}))


def data(request: Request) -> Any:
    """What a request tells of the item."""
    return json.loads(request["messages"][1]["content"])


class LanguageModel:
    """Answers with `replies` in turn, the last of them again and again; a function answers by the request."""

    def __init__(self, key: str) -> None:
        self.replies: list[Reply | Callable[[Request], Reply]] = []
        self.asked: list[Request] = []
        self.refused: list[str] = []
        self.key = key
        self.url = ""
        self._news = threading.Condition()

    def take(self, path: str, authorization: str, body: bytes) -> Reply:
        """The reply to a request."""
        problem = self._problem(path, authorization, body)
        with self._news:
            self._news.notify_all()
            if problem:
                self.refused.append(problem)
                return Reply(json.dumps({"error": {"message": problem}}).encode(), 400)
            request = json.loads(body)
            self.asked.append(request)
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply if isinstance(reply, Reply) else reply(request)

    def wait_for(self, many: int) -> None:
        """Until it was asked so often, or for 30 seconds."""
        with self._news:
            self._news.wait_for(lambda: len(self.asked) >= many, 30.0)

    def _problem(self, path: str, authorization: str, body: bytes) -> str:
        if path != "/v1/chat/completions":
            return f"no such path: {path}"
        if authorization != (f"Bearer {self.key}" if self.key else ""):
            return "not the key"
        request = json.loads(body)
        if request.get("model") != "writer-1" or request.get("max_tokens", 0) < 1:
            return "no model or no limit"
        if [message.get("role") for message in request.get("messages", [])] != ["system", "user"]:
            return "not two messages"
        wanted = request.get("response_format", {})
        if wanted.get("type") != "json_schema" or wanted.get("json_schema", {}).get("strict") is not True:
            return "no strict schema"
        if not wanted["json_schema"].get("name") or not _strict(wanted["json_schema"]["schema"]):
            return "a schema that is not strict"
        return ""


def _strict(schema: Any) -> bool:
    """Whether every object of a schema is closed and has all of its properties, as `strict` asks for."""
    if schema.get("type") == "array":
        return _strict(schema["items"])
    if schema.get("type") != "object":
        return True
    properties = schema["properties"]
    closed = schema.get("additionalProperties") is False and set(schema.get("required", ())) == set(
        properties
    )
    return closed and all(map(_strict, properties.values()))


@contextmanager
def serving(
    key: str = "a key", replies: Sequence[Reply | Callable[[Request], Reply]] = ()
) -> Iterator[LanguageModel]:
    """A language model at `url` of what this gives."""
    model = LanguageModel(key)
    model.replies.extend(replies)
    stopped = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            reply = model.take(self.path, self.headers.get("authorization", ""), body)
            with suppress(ConnectionError):
                self._send(reply)

        def _send(self, reply: Reply) -> None:
            stopped.wait(reply.delay_seconds)
            self.close_connection = True
            if reply.broken_off:
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("content-type", "application/json")
            if not reply.endless:
                self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            if reply.endless:
                self._send_without_end()
            elif reply.drip_seconds:
                for byte in reply.body:
                    self.wfile.write(bytes([byte]))
                    if stopped.wait(reply.drip_seconds):
                        return
            else:
                self.wfile.write(reply.body)

        def _send_without_end(self) -> None:
            until = time.monotonic() + 30.0
            while time.monotonic() < until and not stopped.is_set():
                self.wfile.write(b" " * 65_536)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    model.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield model
    finally:
        stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
