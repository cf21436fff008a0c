"""How a card looks: a picture by a panel with the title and the price; a poster where there is none."""

from typing import NamedTuple

from PIL import Image, ImageChops, ImageDraw, ImageStat

from magpie_services.content.card.lines import ELLIPSIS, wrap
from magpie_services.content.card.palette import BLACK, WHITE, Colour, ink, readable
from magpie_services.content.card.pricing import PriceTag
from magpie_services.content.card.typeface import Typeface

SIZES = {2.0: (1200, 600), 1.0: (1080, 1080)}
# A ground whose edge varies less than this is one colour: such a picture is shown whole, never cropped.
_EVEN = 12.0
_EDGE = 3  # pixels that tell how a ground goes on
_SMOOTH = 4  # shapes are drawn this much larger, then reduced
_LEADING = 1.28
_ASCENT = 0.87  # of Han characters above the baseline, by size


class Style(NamedTuple):
    """A shop's colours."""

    brand: Colour
    accent: Colour


class Words(NamedTuple):
    """What a card says, fit to be shown; any of it may be empty."""

    title: str
    label: str
    tag: PriceTag
    locale: str
    terms: tuple[str, ...] = ()  # words of the title that had better stay on one line


class _Scheme(NamedTuple):
    """The colours of one ground; every pair of text and what it stands on can be read."""

    title: Colour
    label: Colour
    badge: Colour
    price: Colour
    pill: Colour
    off: Colour
    was: Colour


def card(words: Words, style: Style, ratio: float, picture: Image.Image) -> Image.Image:
    """A card with the item's picture."""
    width, height = SIZES[ratio]
    paper = style.brand.mixed(WHITE, 0.94)
    scheme = _scheme_on_paper(style, paper)
    canvas = Image.new("RGB", (width, height), tuple(paper))
    if ratio == 2:
        canvas.paste(_framed(picture, (height, height)), (width - height, 0))
        box = (64, 60, width - height - 56, height - 60)
        _write(canvas, words, scheme, box, (68, 60, 52, 46, 40), 4)
    else:
        canvas.paste(_framed(picture, (width, 650)), (0, 0))
        _write(canvas, words, scheme, (64, 698, width - 64, height - 52), (64, 58, 52, 46), 2)
    return canvas


def poster(words: Words, style: Style, ratio: float) -> Image.Image:
    """A plain card: the title large on the shop's colour."""
    width, height = SIZES[ratio]
    glow = style.brand.mixed(WHITE, 0.06)
    # Away from the ink, so that the whole slope is at least as readable as its beginning.
    far = style.brand.mixed(BLACK, 0.28) if ink(glow) == WHITE else style.brand.mixed(WHITE, 0.45)
    canvas = _slope((width, height), style.brand, far)
    for share, across, down in ((0.62, 0.93, 0.02), (0.34, 0.86, 0.98)):
        disc = round(height * share)
        box = (round(width * across) - disc, round(height * down) - disc, 2 * disc, 2 * disc)
        _shape(canvas, box, disc, style.brand.mixed(WHITE, 0.5), opacity=0.10)
    margin = round(height * 0.13) if ratio == 2 else 96
    room = (margin, margin, width - margin, height - margin)
    sizes, most = ((92, 80, 70, 60), 3) if ratio == 2 else ((116, 100, 88, 76, 66), 4)
    _write(canvas, words, _scheme_on_brand(style, glow), room, sizes, most)
    return canvas


def _scheme_on_paper(style: Style, paper: Colour) -> _Scheme:
    pill = style.accent.mixed(WHITE, 0.86)
    return _Scheme(
        title=readable(style.brand.mixed(BLACK, 0.82), paper, 9.0),
        label=readable(style.brand, paper),
        badge=style.accent,
        price=ink(style.accent),
        pill=pill,
        off=readable(style.accent, pill),
        was=readable(style.brand.mixed(WHITE, 0.45), paper),
    )


def _scheme_on_brand(style: Style, ground: Colour) -> _Scheme:
    text = ink(ground)
    pill = ground.mixed(text, 0.14)
    return _Scheme(
        title=text,
        label=text,
        badge=text,
        price=readable(style.brand, text),
        pill=pill,
        off=readable(text, pill),
        was=text,
    )


def _write(
    canvas: Image.Image,
    words: Words,
    scheme: _Scheme,
    box: tuple[int, int, int, int],
    sizes: tuple[int, ...],
    most: int,
) -> None:
    """Label and title from the top of the box, the price at its foot.

    The title takes the largest of the sizes at which all of it fits into `most` lines, and one of the larger
    ones where that saves a line.
    """
    left, top, right, bottom = box
    draw = ImageDraw.Draw(canvas)
    room = right - left
    if words.label:
        small = Typeface(words.locale, 28)
        for line in wrap(words.label, small.width, room, 1):
            small.write(draw, (left, top + small.cap_height), line, scheme.label)
        top += small.cap_height + 30
    if words.tag.price:
        bottom -= _price_row(canvas, words, scheme, (left, bottom), room)
    for size, allowed in [(size, most - 1) for size in sizes[:3]] + [(size, most) for size in sizes]:
        face = Typeface(words.locale, size)
        fitting = min(allowed, 1 + int((bottom - top - size) / (size * _LEADING)))
        lines = wrap(words.title, face.width, room, fitting, words.terms)
        if not any(line.endswith(ELLIPSIS) for line in lines):
            break
    for number, line in enumerate(lines):
        face.write(draw, (left, top + (_ASCENT + number * _LEADING) * size), line, scheme.title)


def _price_row(canvas: Image.Image, words: Words, scheme: _Scheme, at: tuple[int, int], room: int) -> int:
    """The badge with the price, the discount, and what it was, struck out. How much height it takes."""
    left, bottom = at
    draw = ImageDraw.Draw(canvas)
    tag = words.tag
    for size in (50, 42, 34, 26):
        face = Typeface(words.locale, size, bold=True)
        wide, tall = round(face.width(tag.price) + size * 1.04), round(size * 1.72)
        if wide <= room:
            break
    middle = bottom - tall / 2
    _shape(canvas, (left, bottom - tall, wide, tall), tall // 2, scheme.badge)
    face.write(draw, (left + size * 0.52, middle + face.cap_height / 2), tag.price, scheme.price)
    x: float = left + wide + 24
    bold, old = Typeface(words.locale, 30, bold=True), Typeface(words.locale, 30)
    pill = round(bold.width(tag.off) + 32)
    if tag.off and x + pill <= left + room:
        _shape(canvas, (round(x), round(middle - 27), pill, 54), 27, scheme.pill)
        bold.write(draw, (round(x) + 16, middle + bold.cap_height / 2), tag.off, scheme.off)
        x += pill + 20
    end = x + old.width(tag.was)
    if tag.was and end <= left + room:
        old.write(draw, (x, middle + old.cap_height / 2), tag.was, scheme.was)
        draw.line((x - 3, middle, end + 3, middle), fill=tuple(scheme.was), width=3)
    return tall + size


def _framed(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture filling the frame: cropped at its middle, or whole on its own ground where that is even."""
    if not _on_even_ground(picture):
        scale = max(size[0] / picture.width, size[1] / picture.height)
        wide, high = size[0] / scale, size[1] / scale
        left, top = (picture.width - wide) / 2, (picture.height - high) / 2
        return picture.resize(size, Image.Resampling.LANCZOS, box=(left, top, left + wide, top + high))
    scale = min(size[0] / picture.width, size[1] / picture.height)
    whole = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    left, top = (size[0] - whole[0]) // 2, (size[1] - whole[1]) // 2
    # Its edges go on to the frame's: a ground that is almost even would show a seam to a flat colour.
    frame = picture.crop((0, 0, _EDGE, picture.height)).resize(size, Image.Resampling.BICUBIC)
    if left:
        last = picture.crop((picture.width - _EDGE, 0, picture.width, picture.height))
        frame.paste(last.resize((size[0] - left, size[1]), Image.Resampling.BICUBIC), (left, 0))
    else:
        ends = ((0, 0, size[1] - top), (picture.height - _EDGE, top, size[1] - top))
        for at, below, high in ends:
            strip = picture.crop((0, at, picture.width, at + _EDGE))
            frame.paste(strip.resize((size[0], high), Image.Resampling.BICUBIC), (0, below))
    frame.paste(picture.resize(whole, Image.Resampling.LANCZOS), (left, top))
    return frame


def _on_even_ground(picture: Image.Image) -> bool:
    """Whether the edge is of about one colour all around."""
    small = picture.resize((64, 64), Image.Resampling.BOX)
    inside = Image.new("L", (64, 64), 255)
    inside.paste(0, (3, 3, 61, 61))
    return bool(max(ImageStat.Stat(small, inside).stddev) < _EVEN)


def _slope(size: tuple[int, int], first: Colour, last: Colour) -> Image.Image:
    """A soft slope from one colour at the upper left to another at the lower right."""
    across = Image.linear_gradient("L").rotate(90).resize(size, Image.Resampling.BILINEAR)
    down = Image.linear_gradient("L").resize(size, Image.Resampling.BILINEAR)
    mask = ImageChops.add(across, down, scale=2)
    return Image.composite(Image.new("RGB", size, tuple(last)), Image.new("RGB", size, tuple(first)), mask)


def _shape(
    canvas: Image.Image, box: tuple[int, int, int, int], radius: int, fill: Colour, *, opacity: float = 1.0
) -> None:
    """A rectangle (left, top, width, height) with round corners and smooth edges."""
    left, top, width, height = box
    mask = Image.new("L", (width * _SMOOTH, height * _SMOOTH), 0)
    ImageDraw.Draw(mask).rounded_rectangle(
        (0, 0, width * _SMOOTH - 1, height * _SMOOTH - 1), radius * _SMOOTH, fill=round(255 * opacity)
    )
    canvas.paste(tuple(fill), (left, top), mask.reduce(_SMOOTH))
