"""What a gift shop's title says: the category is its head noun, less counts, sizes, colours, patterns."""

import re

_LEAD = re.compile(r"^(SET|PACK|BOX|PK|ROLL|CARD)\s*(OF|/)?\s*\d+\s*", re.IGNORECASE)
_TAIL = re.compile(r"\b(WITH|FOR|IN|OF|AND|W)\b.*$", re.IGNORECASE)
_WORD = re.compile(r"[A-Z][A-Z'-]*[A-Z]|[A-Z]")
# Words that qualify what a thing is; the head noun stands before them in this shop's titles.
_QUALIFIERS_TEXT = """
A ALPHABET ANTIQUE APPLE APPLES ARTIFICIAL ASS ASSORTED ASST ASSTD B BABUSHKA BAKELIKE BAKELITE BAROQUE BIG
BIRD BIRDS BLACK BLOSSOM BLUE BOY BROWN BUTTERFLIES BUTTERFLY CERAMIC CHARLOTTE CHERRY CHOCOLATE CHRISTMAS
CIRCUS CLEAR CM COLOUR COLOURED COLOURS COTTAGE CREAM CRYSTAL DESIGN DESIGNED DESIGNS DIAMANTE DOILEY DOILY
DOLLY DRAWER DRAWERS EASTER ENAMEL ENGLAND ENGRAVED FABRIC FAIRY FELT FELTCRAFT FLOCK FLORAL FLOWER FLOWERS
FOLKART FONT G GARDEN GIANT GIRL GLASS GOLD GREEN GREY HANGING HEART HEARTS HOME IVORY JEWELLED JUMBO
KITCHEN L LACE LARGE LEAF LEAVES LILAC LONDON LONG LOVE M MAGIC MAGICAL MEDIUM METAL MINI MINT ML
MULTICOLOUR NATURAL NEW ORANGE OVAL PAINTED PAISLEY PANTRY PAPER PARADE PARIS PASTEL PATTERN PC PCS PIECE
PIECES PINK POLKADOT POLKADOTS PORCELAIN PURPLE RED RETRO RETROSPOT ROSE ROSES ROUND RUBY RUSTIC S SCENTED
SHORT SILVER SKULL SKULLS SMALL SPACEBOY SPOT SPOTS SPOTTY SQUARE STRAWBERRIES STRAWBERRY STRIPE STRIPED
STRIPES STYLE SUKI SWEET TALL TIER TOADSTOOL TOADSTOOLS TURQUOISE VINTAGE WHITE WICKER WOOD WOODEN WOODLAND
X XMAS YELLOW ZINC
"""
_QUALIFIERS = frozenset(_QUALIFIERS_TEXT.split())
_PLURALS = (("IES", "Y"), ("SHES", "SH"), ("CHES", "CH"), ("XES", "X"), ("SSES", "SS"))
OTHER = "Other"


def tidy(title: str) -> str:
    """A title without stray spaces, stars and commas at its ends."""
    return " ".join(title.split()).strip(" *.,")


def category_of(title: str) -> str:
    """The category that a title belongs to, for example "Bag" for "LUNCH BAG RED RETROSPOT"."""
    rest = _LEAD.sub("", tidy(title).upper())
    words = _WORD.findall(_TAIL.sub("", rest)) or _WORD.findall(rest)
    nouns = [word for word in words if word not in _QUALIFIERS and len(word) > 2]
    return _singular(nouns[-1]).capitalize() if nouns else OTHER


def _singular(word: str) -> str:
    for plural, singular in _PLURALS:
        if word.endswith(plural):
            return word.removesuffix(plural) + singular
    return word.removesuffix("S") if word.endswith("S") and not word.endswith("SS") else word
