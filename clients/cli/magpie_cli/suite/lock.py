"""One suite a state folder: an advisory lock that the kernel lets go when its holder dies."""

import fcntl
import os
from pathlib import Path

from magpie_cli.suite.options import SuiteFailed

FILE = "lock"


class StateLock:
    """Held from `acquire` to `release`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._file = -1

    def acquire(self) -> None:
        """Takes the lock. Raises SuiteFailed naming the process that has it."""
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise SuiteFailed(f"cannot open {self._path}: {error.strerror}") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, 32).decode(errors="replace").strip()
            self.release()
            raise SuiteFailed(
                f"a suite already runs on {self._path.parent} (process {holder or 'unknown'}); "
                "stop it, or name another folder with --state"
            ) from None
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Lets go; safe to repeat."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
