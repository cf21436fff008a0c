"""The phones' side of the webhook: a small HTTP server on the loopback that answers pushes with receipts."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import msgspec

MAX_HEAD_BYTES = 32_768
MAX_BODY_BYTES = 4 << 20
IDLE_SECONDS = 120.0
_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 405: "Method Not Allowed", 413: "Too Large"}
Take = Callable[[list[dict[str, Any]]], list[dict[str, str]]]


class Phones:
    """POST of a JSON array in, JSON array of receipts out; connections are kept. With a `secret` the request
    must be signed: `Magpie-Signature: v1=<hex HMAC-SHA256 of "<timestamp>.<body>">`."""

    def __init__(self, take: Take, secret: bytes = b"") -> None:
        self._take, self._secret = take, secret
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.StreamWriter, asyncio.Event] = {}

    async def start(self, listen: str) -> str:
        """Listens on "host:port" and answers where it does. Raises OSError or ValueError."""
        host, _, port = listen.rpartition(":")
        self._server = await asyncio.start_server(self._serve, host, int(port), limit=MAX_HEAD_BYTES)
        address = self._server.sockets[0].getsockname()
        return f"{address[0]}:{address[1]}"

    async def stop(self) -> None:
        """Hangs up."""
        if self._server is not None:
            self._server.close()
            hung_up = list(self._open.items())
            for writer, _ in hung_up:
                writer.close()
            for _, done in hung_up:
                await done.wait()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open[writer] = asyncio.Event()
        try:
            while True:
                async with asyncio.timeout(IDLE_SECONDS):
                    head = await reader.readuntil(b"\r\n\r\n")
                    status, answer, keep = await self._answer(head, reader)
                writer.write(_response(status, answer, keep))
                await writer.drain()
                if not keep:
                    return
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, TimeoutError):
            return
        finally:
            self._open.pop(writer).set()
            writer.close()

    async def _answer(self, head: bytes, reader: asyncio.StreamReader) -> tuple[int, bytes, bool]:
        first, _, rest = head.decode("latin-1").partition("\r\n")
        fields = dict(line.lower().split(":", 1) for line in rest.split("\r\n") if ":" in line)
        fields = {name.strip(): value.strip() for name, value in fields.items()}
        length = fields.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            return 413, b"", False
        body = await reader.readexactly(int(length))
        keep = fields.get("connection") != "close"
        if not first.startswith("POST "):
            return 405, b"", keep
        if not self._signed(fields, body):
            return 401, b"", keep
        try:
            return 200, msgspec.json.encode(self._take(json.loads(body))), keep
        except (ValueError, msgspec.ValidationError):
            return 400, b"", keep

    def _signed(self, fields: dict[str, str], body: bytes) -> bool:
        if not self._secret:
            return True
        signed = fields.get("magpie-timestamp", "").encode() + b"." + body
        expected = "v1=" + hmac.new(self._secret, signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), fields.get("magpie-signature", "").encode())


def _response(status: int, body: bytes, keep: bool) -> bytes:
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: {'keep-alive' if keep else 'close'}\r\n\r\n"
    )
    return head.encode() + body
