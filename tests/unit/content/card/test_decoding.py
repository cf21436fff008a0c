"""Pictures of strangers."""

import struct
import zlib

import pytest
from PIL import Image
from tests.unit.content.card.paintings import painted, saved

from magpie_services.content.card.decoding import Unusable, decode


def png(width: int, height: int) -> bytes:
    """A PNG that says it is that large, with a little of nothing inside."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(1_000_000), 9)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


JPEG = saved(painted(), "JPEG")
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "NOT_A_PICTURE"),
        (SVG, "NOT_A_PICTURE"),
        (b"<html><img src=x onerror=alert(1)></html>", "NOT_A_PICTURE"),
        (b"%PDF-1.7 ...", "NOT_A_PICTURE"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "NOT_A_PICTURE"),
        (saved(painted(), "TIFF"), "NOT_A_PICTURE"),
        (saved(painted(), "BMP"), "NOT_A_PICTURE"),
        (JPEG[: len(JPEG) // 2], "DAMAGED"),
        (JPEG[:3], "NOT_A_PICTURE"),
        (saved(painted((1, 1))), "TOO_SMALL"),
        (saved(painted((40, 900))), "TOO_SMALL"),
        (png(30_000, 30_000), "TOO_MANY_PIXELS"),
        (png(10_000, 10_000), "TOO_MANY_PIXELS"),
        (png(5_000, 5_000), "TOO_MANY_PIXELS"),
        (png(4_000, 4_000), "DAMAGED"),
    ],
)
def test_what_no_card_can_show_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(Unusable) as error:
        decode(data, 600)
    assert error.value.reason == reason


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("RGB", "JPEG"), ("L", "JPEG"), ("CMYK", "JPEG"), ("RGBA", "PNG"), ("LA", "PNG"), ("P", "PNG"),
     ("1", "PNG"), ("RGB", "WEBP"), ("P", "GIF")],
)  # fmt: skip
def test_every_kind_of_picture_becomes_rgb(mode: str, kind: str) -> None:
    picture = decode(saved(painted(mode=mode), kind), 200)
    assert (picture.mode, picture.size) == ("RGB", (300, 300))
    red, green, blue = picture.getpixel((5, 5))  # type: ignore[misc]
    assert min(red, green, blue) > 150


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    grey = Image.new("I;16", (64, 64), 30_000)
    assert decode(saved(grey), 64).getpixel((9, 9)) == (117, 117, 117)


def test_what_is_transparent_shows_paper() -> None:
    assert decode(saved(Image.new("RGBA", (64, 64), (0, 0, 0, 0))), 64).getpixel((9, 9)) == (255, 255, 255)


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(data, 64).getpixel((9, 9)) == (255, 0, 0)


def test_a_turned_photograph_is_set_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(saved(painted((300, 200)), "JPEG", exif=exif), 300).size == (200, 300)


def test_a_large_photograph_is_unpacked_small() -> None:
    assert decode(saved(painted((4_000, 4_000)), "JPEG"), 600).size == (1_000, 1_000)
