"""Pictures of strangers made harmless: told by content, bounded before they are unpacked, plain RGB after."""

from io import BytesIO

from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MOST_PIXELS = 20_000_000
LEAST_SIDE = 48
_PAPER = (255, 255, 255)


class Unusable(Exception):
    """A picture that no card can show; `reason` is a stable UPPER_SNAKE name for logs."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def decode(data: bytes, side: int) -> Image.Image:
    """The picture in RGB, upright, on white where it is transparent, the first frame of an animation.

    It is unpacked at a scale at which neither side falls below `side` where its format can do that.
    Raises Unusable: NOT_A_PICTURE (of the formats above), TOO_MANY_PIXELS, TOO_SMALL, DAMAGED.
    """
    try:
        picture = Image.open(BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unusable("TOO_MANY_PIXELS") from None
    except Exception:
        raise Unusable("NOT_A_PICTURE") from None
    if picture.width * picture.height > MOST_PIXELS:
        raise Unusable("TOO_MANY_PIXELS")
    if min(picture.size) < LEAST_SIDE:
        raise Unusable("TOO_SMALL")
    try:
        picture.draft("RGB", (side, side))
        return _rgb(ImageOps.exif_transpose(picture))
    # Decoders fail in as many ways as files are broken, MemoryError among them.
    except Exception:
        raise Unusable("DAMAGED") from None


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith(("I", "F")):  # 16 bits a pixel: a plain conversion would clip, not scale
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        paper = Image.new("RGBA", picture.size, (*_PAPER, 255))
        picture = Image.alpha_composite(paper, picture)
    return picture.convert("RGB")
