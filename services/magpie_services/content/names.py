"""The name of an item short enough to be said: forms of one title, longest first, none of them invented."""

import re
from collections.abc import Callable, Collection

from magpie_services.content.attributes import HAN
from magpie_services.content.limits import ELLIPSIS, columns, cut

LONGEST = 44
_ROOMS = (36, 28, 22, 16)
_SHORTEST = 6
_LEAST = 3
_PROMO = re.compile(r"^(?:\s*(?:【[^】]*】|\[[^\]]*\]|\([^)]*\)|「[^」]*」))+")
_BORDER = re.compile(
    r"\s*(?:[,;:()\[\]【】「」《》、，；：。!！?？•·–—]|\s[-/]\s)\s*|\s(?=(?:with|for|in|from|by)\s)",
    re.IGNORECASE,
)
# A brand that goes by both names is written "Bailu白鹭 米白色衬衫".
_HAN_BRAND = re.compile(rf"^{HAN.pattern}{{2,4}}\s+(?=(?:{HAN.pattern}){{2}})")
_BORDER_HAN = re.compile(r"\s*(?:[,;:/()\[\]【】「」《》、，；：。!！?？•·–—\s]|\s-\s)\s*(?![A-Za-z0-9])")
_SMALL = frozenset(["a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"])
_ACRONYMS = frozenset(
    ["BBQ", "CD", "DIY", "DVD", "EU", "HD", "LCD", "LED", "PC", "TV", "UK", "USA", "USB", "UV", "XL", "XXL"]
)


def forms(
    title: str,
    accepts: Callable[[str], bool],
    brand: str = "",
    category: str = "",
    adjectives: Collection[str] = (),
) -> tuple[str, ...]:
    """Ways to write a cleaned title, longest first, each an unbroken piece of it (an ellipsis marks a cut).

    Only pieces that `accepts` (no banned words) are given; empty when there is none. A `brand` that starts
    the title stays away: it can be said beside it, and so can `adjectives` that do. The `category` tells the
    noun of an English one.
    """
    title = _without_brand(_calm(_PROMO.sub("", title).strip() or title), brand)
    if not any(char.isalnum() for char in title):
        return ()
    if not accepts(title):
        title = _acceptable_run(title, accepts)
        if not title:
            return ()
    border = _BORDER_HAN if HAN.search(title) else _BORDER
    found = {title} if columns(title) <= LONGEST else set()
    for match in border.finditer(title):
        head = title[: match.start()].strip()
        if not _SHORTEST <= columns(head) <= LONGEST or head.count("(") != head.count(")"):
            continue
        # Words before a mere space may be but a style ("北欧风 床头柜"): four Han tend to name a thing.
        if border is _BORDER or not match[0].isspace() or len(HAN.findall(head)) >= 4:
            found.add(head)
    found.update(_heads(title, category))
    for form in tuple(found):
        found.update(_nouns(form, adjectives))
    for room in _ROOMS:
        # A cut that ends at a natural border already serves as well as one that ends anywhere.
        if not any(room - 8 <= columns(form) <= room for form in found):
            found.add(_trimmed(cut(title, room)))
    kept = sorted((form for form in found if form and accepts(form)), key=columns, reverse=True)
    return tuple(kept)


def _without_brand(title: str, brand: str) -> str:
    """The title behind the brand that it starts with, where that leaves a name."""
    if not brand or not title.casefold().startswith(brand.casefold()):
        return title
    rest = title[len(brand) :].lstrip(" -–—·•|:：'’的")
    if not HAN.search(brand):
        rest = _HAN_BRAND.sub("", rest)
    return rest if columns(rest) >= _SHORTEST and len(HAN.findall(rest)) != 1 else title


def _heads(title: str, category: str) -> list[str]:
    """The ends of a title of several words whose last names the thing: of Chinese a word of some length; of
    English the last two, where they name the category too ("T-Light Holder" among "Candle holders"), for any
    more would begin in the middle of a phrase ("Mail Metal Sign").
    """
    words = title.split(" ")
    last = words[-1]
    if len(words) < 2 or any(char.isdigit() for char in last):
        return []
    if HAN.search(title):
        if len(HAN.findall(last)) < 3:
            return []
    elif not category or _stem(last) != _stem(category.split(" ")[-1]):
        return []
    else:
        head = " ".join(words[-2:])
        return [head] if head[0].isalpha() and columns(head) <= LONGEST else []
    return [head for at in range(1, len(words)) if columns(head := " ".join(words[at:])) <= LONGEST]


def _nouns(form: str, adjectives: Collection[str]) -> list[str]:
    """What is left of a form without the adjectives that it starts with, one after the other, and without
    the English one that it ends with.
    """
    found: list[str] = []
    while True:
        leading = next((word for word in adjectives if form.casefold().startswith(word.casefold())), "")
        rest = form[len(leading) :]
        parted = rest[:1] in " ,、" or bool(HAN.match(leading[-1:]) and HAN.match(rest[:1]))
        rest = rest.lstrip(" ,、的")
        if not leading or not parted or _says_little(rest):
            break
        found.append(rest)
        form = rest
    for whole in (*found, form):
        for word in adjectives:
            rest = whole[: -len(word)].rstrip(" ,-")
            if whole.casefold().endswith(f" {word.casefold()}") and not _says_little(rest):
                found.append(rest)
    return found


def _says_little(name: str) -> bool:
    """Whether too little is left to name a thing: two Han characters, two letters, "Set of", "and Cup"."""
    if HAN.search(name):
        return columns(name) < _SHORTEST or len(HAN.findall(name)) == 1
    words = name.casefold().split(" ")
    return columns(name) < _LEAST or words[0] in _SMALL or words[-1] in _SMALL


def _stem(word: str) -> str:
    return word.casefold().strip(".,!").removesuffix("s").removesuffix("e")


def _acceptable_run(title: str, accepts: Callable[[str], bool]) -> str:
    """The first longest run of words that may be said, where the whole may not."""
    best, run = "", ""
    for word in re.split(r"(?<=[\s,;:/()\[\]【】、，；：。!！])", title):
        run = run + word if accepts(run + word) else word
        if not accepts(run):
            run = ""
        if columns(run.strip()) > columns(best):
            best = run.strip(" ,;:/()[]【】、，；：。!！")
    return best if columns(best) >= _SHORTEST else ""


def _trimmed(form: str) -> str:
    """A cut name without a dangling "of" or "with"."""
    words = form.removesuffix(ELLIPSIS).split(" ")
    while (
        len(words) > 1 and form.endswith(ELLIPSIS) and (words[-1].casefold() in _SMALL or len(words[-1]) == 1)
    ):
        words.pop()
    return " ".join(words) + (ELLIPSIS if form.endswith(ELLIPSIS) else "")


def _calm(title: str) -> str:
    """A TITLE THAT SHOUTS in title case; any other as it is."""
    if (
        title.upper() != title
        or sum(char.isascii() and char.isalpha() for char in title) < 8
        or " " not in title
    ):
        return title
    words = title.split(" ")
    return " ".join(_word(word, first=at == 0) for at, word in enumerate(words))


def _word(word: str, first: bool) -> str:
    bare = word.strip("()[],.;:!?\"'")
    if bare in _ACRONYMS or any(char.isdigit() for char in bare):
        return word
    if not first and bare.casefold() in _SMALL:
        return word.lower()
    return "".join(_capital(part) for part in re.split(r"(?<=[-/+&,])", word))


def _capital(part: str) -> str:
    keep = 1 if part[:1].isalpha() else 2  # (Small -> the letter after the bracket
    return part[:keep] + part[keep:].lower()
