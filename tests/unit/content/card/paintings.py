"""Pictures to draw cards with."""

from io import BytesIO

from PIL import Image, ImageDraw


def painted(size: tuple[int, int] = (300, 300), mode: str = "RGB") -> Image.Image:
    """A cup on an even ground."""
    picture = Image.new("RGB", size, (236, 230, 220))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((size[0] // 4, size[1] // 4, size[0] * 3 // 4, size[1] * 3 // 4), fill=(53, 106, 140))
    return picture.convert(mode)


def saved(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The picture's file."""
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()
