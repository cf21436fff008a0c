"""Pictures of the shop: one small PNG a category, drawn with numpy."""

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIDE = 96


def write_pictures(folder: Path, names: list[str]) -> None:
    """Writes `<name>.png` for every name into `folder`, which is made when it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        (folder / f"{name}.png").write_bytes(png(_drawing(number, len(names))))


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG of RGB pixels [height, width, 3]."""
    height, width, _ = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def _drawing(number: int, count: int) -> NDArray[np.uint8]:
    """A soft two-coloured ground with a rounded shape whose corners and hue tell categories apart."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / (SIDE - 1)
    hue = number / count
    ground, shape = _colour(hue, 0.25), _colour(hue + 0.45, 0.75)
    shade = (0.85 + 0.15 * y)[..., None]
    power = 1.2 + (number % 4)
    inside = (np.abs(x - 0.5) ** power + np.abs(y - 0.52) ** power < 0.33**power)[..., None]
    pixels = np.where(inside, shape * (1.1 - 0.3 * x[..., None]), ground * shade)
    return np.asarray(np.clip(pixels * 255, 0, 255), dtype=np.uint8)


def _colour(hue: float, depth: float) -> NDArray[np.float64]:
    wheel = 0.5 + 0.5 * np.cos(2 * np.pi * (hue + np.array([0.0, 1 / 3, 2 / 3])))
    return np.asarray(1.0 - depth * (1.0 - wheel), dtype=np.float64)
