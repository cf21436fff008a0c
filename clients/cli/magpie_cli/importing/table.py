"""Reads CSV and CSV.gz row by row, in bounded memory; a fault names the file, the row and the column."""

import csv
import gzip
import io
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from magpie_cli.failures import BadInput

GZIP_MAGIC = b"\x1f\x8b"


class BadRow(Exception):
    """One row is faulty. `column` is as the file spells it, empty where the row as a whole is at fault."""

    def __init__(self, number: int, column: str, reason: str) -> None:
        super().__init__(f"row {number}{f', column {column!r}' if column else ''}: {reason}")
        self.number = number
        self.column = column
        self.reason = reason


@dataclass(frozen=True)
class Row:
    """One row: its number in the file (the header is row 1) and its cells by column."""

    number: int
    cells: dict[str, str]


class Table:
    """An open file. Iterating gives a Row, or a BadRow (given, not raised) for one that cannot be read."""

    def __init__(self, path: Path, raw: BinaryIO, text: io.TextIOBase) -> None:
        self._path = path
        self._raw = raw
        self._rows = csv.reader(text)
        self._number = 0
        header = self._next()
        if isinstance(header, BadRow) or not header or not any(name.strip() for name in header):
            raise BadInput(f"{path}: row 1 must be a header with the names of the columns")
        self.columns = [name.strip() for name in header]
        if repeated := sorted({name for name in self.columns if self.columns.count(name) > 1}):
            raise BadInput(f"{path}: row 1 has columns twice: {', '.join(repeated)}")

    def require(self, columns: Collection[str]) -> None:
        """Raises BadInput unless the header has every one of these columns."""
        if missing := [name for name in columns if name not in self.columns]:
            raise BadInput(
                f"{self._path}: row 1 has no column {', '.join(map(repr, missing))}; "
                f"it has {', '.join(map(repr, self.columns))}"
            )

    @property
    def bytes_read(self) -> int:
        """How far into the file reading is, for a progress bar; of the compressed bytes where it is one."""
        return self._raw.tell()

    def __iter__(self) -> Iterator[Row | BadRow]:
        while (cells := self._next()) is not None:
            if isinstance(cells, BadRow):
                yield cells
            elif not cells:
                continue  # an empty line
            elif len(cells) != len(self.columns):
                yield BadRow(self._number, "", f"has {len(cells)} cells, the header {len(self.columns)}")
            else:
                yield self._row(cells)

    def _row(self, cells: list[str]) -> Row | BadRow:
        for column, value in zip(self.columns, cells, strict=True):
            if not value.isascii() and any("\udc80" <= letter <= "\udcff" for letter in value):
                return BadRow(self._number, column, "is not UTF-8")
        return Row(self._number, dict(zip(self.columns, cells, strict=True)))

    def _next(self) -> list[str] | BadRow | None:
        self._number += 1
        try:
            return next(self._rows)
        except StopIteration:
            return None
        except csv.Error as error:
            return BadRow(self._number, "", f"is no CSV: {error}")
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise BadInput(f"{self._path}: row {self._number}: the compressed file is damaged here") from None


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """Opens a file and reads its header. Raises BadInput where that is impossible."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    with raw:
        packed = raw.read(2) == GZIP_MAGIC
        raw.seek(0)
        stream = gzip.GzipFile(fileobj=raw) if packed else raw
        # A byte that is no UTF-8 must spoil its own row only, so it is let through here and found there.
        with io.TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline="") as text:
            yield Table(path, raw, text)
