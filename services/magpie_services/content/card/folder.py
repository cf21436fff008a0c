"""Pictures from a folder of ours: plain files below it and nothing else."""

import asyncio
import os
import stat
from pathlib import Path

from magpie_services.content.card.decoding import Unusable


class Folder:
    """Reads pictures below `root`; links that lead out of it are not followed."""

    def __init__(self, root: Path, most_bytes: int) -> None:
        self._root = root.resolve()
        self._most_bytes = most_bytes

    async def fetch(self, path: str) -> bytes:
        """The file's bytes. Raises Unusable: OUTSIDE, NOT_FOUND, TOO_LARGE."""
        return await asyncio.to_thread(self._read, path)

    def _read(self, path: str) -> bytes:
        try:
            target = (self._root / path).resolve()
            if not target.is_relative_to(self._root):
                raise Unusable("OUTSIDE")
            # Not waiting: a pipe of that name would be waited for without end.
            with open(target, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise Unusable("NOT_FOUND")
                data = file.read(self._most_bytes + 1)
        except (OSError, ValueError, RuntimeError):  # the latter two: no path at all, links in a circle
            raise Unusable("NOT_FOUND") from None
        if len(data) > self._most_bytes:
            raise Unusable("TOO_LARGE")
        return data
