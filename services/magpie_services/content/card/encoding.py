"""Cards as JPEG, never larger than a push may carry."""

from io import BytesIO

from PIL import Image

MOST_BYTES = 300_000
# Quality and chroma subsampling (0 keeps coloured text crisp): from the best to the smallest.
_STEPS = ((90, 0), (84, 0), (78, 1), (70, 2), (58, 2), (45, 2), (32, 2), (20, 2), (10, 2))


def jpeg(card: Image.Image, most_bytes: int = MOST_BYTES) -> bytes | None:
    """The card at the best quality that fits in `most_bytes`, None where none does. The same card always
    gives the same bytes."""
    for quality, subsampling in _STEPS:
        out = BytesIO()
        card.save(out, "JPEG", quality=quality, subsampling=subsampling, optimize=True)
        if out.tell() <= most_bytes:
            return out.getvalue()
    return None
