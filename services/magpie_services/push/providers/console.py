"""Prints pushes, one JSON object a line: for trying out."""

import json
import sys
from collections.abc import Sequence
from typing import TextIO

from magpie_services.push.delivery import Fate, PushMessage, Receipt


class ConsoleProvider:
    """Writes to standard output, or to `out`."""

    name = "console"

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out

    async def send(self, messages: Sequence[PushMessage]) -> list[Receipt]:
        """Accepts everything. A line has what the user would see, and nothing secret."""
        out = self._out or sys.stdout
        for message in messages:
            shown = {
                "push": message.decision_id,
                "user_id": message.user_id,
                "device_id": message.device_id,
                "title": message.title,
                "body": message.body,
                "link": message.link,
            }
            out.write(json.dumps(shown, ensure_ascii=False) + "\n")
        out.flush()
        return [
            Receipt(
                decision_id=message.decision_id,
                fate=Fate.ACCEPTED,
                provider_message_id=f"console-{message.decision_id}",
            )
            for message in messages
        ]

    async def aclose(self) -> None:
        """Nothing to let go of."""
