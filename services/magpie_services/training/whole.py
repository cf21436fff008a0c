"""Files that readers see old or new and never in part, also after a crash or a power cut."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A file to fill, which has its name once the block has ended well."""
    staged = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with staged.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        staged.rename(path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def write(path: Path, content: bytes) -> None:
    """Writes a file in one go."""
    with writing(path) as file:
        file.write(content)


def flush_folder(folder: Path) -> None:
    """Makes names in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
