"""A phone: takes the pushes that the webhook provider posts, remembers each, answers with receipts."""

import asyncio
import json
from collections import Counter, defaultdict
from types import TracebackType
from typing import Any, Self


class Phone:
    """An HTTP server on loopback. `deliveries` has every message as often as it came."""

    def __init__(self) -> None:
        self.url = ""
        self.deliveries: list[dict[str, Any]] = []
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/push"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()

    def by_user(self) -> dict[str, set[str]]:
        """The decisions that reached each user."""
        found: dict[str, set[str]] = defaultdict(set)
        for message in self.deliveries:
            found[message["user_id"]].add(message["decision_id"])
        return found

    def repeats(self) -> int:
        """Messages that came more than once."""
        counts = Counter(message["decision_id"] for message in self.deliveries)
        return sum(count - 1 for count in counts.values())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").lower().splitlines()
                length = next(int(line.split(":")[1]) for line in lines if line.startswith("content-length:"))
                messages = json.loads(await reader.readexactly(length))
                self.deliveries += messages
                receipts = [
                    {"decision_id": message["decision_id"], "status": "accepted", "message_id": "m"}
                    for message in messages
                ]
                body = json.dumps(receipts).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
