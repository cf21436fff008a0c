"""Untrusted text made harmless: what may be shown of a title, an attribute, a link. Pure string work."""

import html
import re
import unicodedata
from functools import lru_cache

# More than any display needs; bounds the work that a hostile text can cause.
MAX_INPUT_CHARS = 1_000

# Controls, soft hyphen, fillers, zero-width and bidirectional marks, variation selectors, tags, private use.
_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffd\ue000-\uf8ff"
    "\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
_SCRIPT = re.compile(r"<\s*(script|style|iframe)\b.*?(<\s*/\s*\1\s*>|$)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|[$#]\{.*?\}|<%.*?%>|\[\[.*?\]\]|%\([^)]*\)[sdr]", re.DOTALL)
_LINK = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://|www\.)\S+|(?:javascript|data|vbscript):\S*|[\w.+-]+@[\w-]+\.[\w.-]+",
    re.IGNORECASE,
)
_PHONE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d{9}(?!\d)")
_STRAY = re.compile(r"[<>{}`\\^~|\u2028\u2029]|%[sd]\b")
_MARKS = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{2})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_SPACE = re.compile(r"\s+")
_FORMULA = "=+-@'\"`|*_#~,.;:!?，。；：！？、 "
_SAFE_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*(?=:)", re.IGNORECASE)
_UNSAFE_SCHEMES = frozenset(
    {"javascript", "data", "vbscript", "file", "blob", "about", "view-source", "content"}
)


@lru_cache(maxsize=65_536)
def clean(text: str) -> str:
    """What of a text may be shown: one line, NFKC, no markup, template, link, phone number or hidden mark.

    A leading formula sign (=, +, -, @) goes too, so that an export to a spreadsheet stays text.
    "" when nothing is left. Longer input than 1,000 characters is cut first.
    """
    text = text[:MAX_INPUT_CHARS]
    if "&" in text:
        text = html.unescape(text)
    text = text.replace("™", "").replace("®", "").replace("©", "")
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    if "<" in text:
        text = _TAG.sub(" ", _SCRIPT.sub(" ", text))
    text = _TEMPLATE.sub(" ", text)
    text = _PHONE.sub(" ", _LINK.sub(" ", text))
    text = _MARKS.sub(r"\1", _STRAY.sub(" ", _INVISIBLE.sub("", text)))
    return _SPACE.sub(" ", text).strip().lstrip(_FORMULA).strip()


def safe_link(link: str) -> str:
    """The link as it is when a tap may open it (https, http, an app's own scheme), "" otherwise."""
    scheme = _SAFE_SCHEME.match(link)
    if scheme is None or scheme[0].lower() in _UNSAFE_SCHEMES or _hidden(link):
        return ""
    return link


def safe_image(uri: str) -> str:
    """The picture's address when it is https or a plain path below the picture folder, "" otherwise."""
    if _hidden(uri) or "\\" in uri:
        return ""
    scheme = _SAFE_SCHEME.match(uri)
    if scheme is not None:
        return uri if scheme[0].lower() == "https" else ""
    return "" if uri.startswith("/") or ".." in uri.split("/") else uri


def _hidden(uri: str) -> bool:
    return (
        not uri or bool(_INVISIBLE.search(uri)) or any(char.isspace() or char in "<>\"'`{}" for char in uri)
    )
