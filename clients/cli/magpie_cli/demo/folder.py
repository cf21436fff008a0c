"""The folder of a demo: emptied before each one, but never under a suite that runs, and nobody else's."""

import shutil
from pathlib import Path

from magpie_cli.failures import BadInput, CommandFailed
from magpie_cli.suite.lock import FILE, StateLock


def empty(folder: Path) -> None:
    """Removes what an earlier demo left. The lock stays: whoever starts at the same moment must meet it.

    Raises BadInput where the folder is not a demo's, SuiteFailed where a suite runs on it, CommandFailed
    where something cannot be removed.
    """
    if not folder.exists():
        return
    if not folder.is_dir() or (any(folder.iterdir()) and not (folder / FILE).exists()):
        raise BadInput(f"{folder} was not made by a demo and would be emptied; name another place by --state")
    lock = StateLock(folder)
    lock.acquire()
    try:
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != FILE:
                path.unlink()
    except OSError as error:
        raise CommandFailed(f"{error.filename}: cannot be removed: {error.strerror}") from None
    finally:
        lock.release()
