"""A typed grammar a locale, as data, and which of them answers for a BCP 47 tag."""

from magpie_services.content.grammar import en, zh_CN
from magpie_services.content.grammar.patterns import Forms, Grammar, Pattern

GRAMMARS: dict[str, Grammar] = {"zh-CN": zh_CN.GRAMMAR, "en": en.GRAMMAR}
_BY_LANGUAGE = {"zh": "zh-CN", "en": "en"}


def grammar_for(*tags: str) -> Grammar:
    """The grammar of the first tag that has one, then English.

    A tag falls back by dropping parts: zh-Hant-TW to zh-TW to zh, which simplified Chinese answers for now.
    """
    for tag in tags:
        language = tag.replace("_", "-").split("-")[0].casefold()
        if language in _BY_LANGUAGE:
            return GRAMMARS[_BY_LANGUAGE[language]]
    return GRAMMARS["en"]


__all__ = ["GRAMMARS", "Forms", "Grammar", "Pattern", "grammar_for"]
