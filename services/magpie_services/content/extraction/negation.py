"""Words that turn a material or a colour into what a thing is not: "not leather", "faux leather", 仿皮."""

import re

_LOOKED_AT = 40  # characters before and after the word
# What may stand between "not" and the word: "not made of any real leather", "without leather or suede".
_BETWEEN = r"(?:(?:a|an|any|the|all|real|genuine|pure|made|made of|of|from|in|with)\s+)*"
_LIST = r"(?:\w+(?:\s*,\s*(?:or\s+|nor\s+|and\s+)?|\s+(?:or|nor|and)\s+))*"
_BEFORE_EN = re.compile(
    rf"(?:\b(?:not|no|non|without|never|isn't|aren't|instead of|rather than|free (?:of|from)|unlike|"
    rf"alternative to|contains no|zero)\s+(?!only\b|just\b){_BETWEEN}{_LIST}{_BETWEEN}"
    rf"|\b(?:faux|fake|vegan|imitation|synthetic|artificial|mock|simulated|pleather|anti|pseudo|goes with|"
    rf"pairs with|matches|(?:cleaner|cleans?|polish|conditioner|spray|care|case|cover|cloth)(?: for)?)\s+"
    rf"(?:your\s+)?)$"
)
_AFTER_EN = re.compile(
    r"(?:\s+(?:free|look|looks|like|effect|alternative|substitute|imitation|inspired|print|printed|scented|"
    r"flavou?red|cleaner|polish|conditioner|replica)|ette|\s?ish)\b"
)
# Of a part or of the wrapping, not of the thing: "with glass doors", "in a cotton bag".
_PART_BEFORE = re.compile(r"\bwith\s+(?:(?:a|an|its|two|three|matching)\s+)?$")
_PART_AFTER = re.compile(r"\s+(?!(?:and|or|in|for|by|on|with|at|to|from|of)\b)[a-z]")
_WRAPPED_BEFORE = re.compile(r"\b(?:in|inside|comes in|packed in)\s+(?:(?:a|an|its|matching)\s+)?$")
_WRAPPED_AFTER = re.compile(r"\s+(?:\w+\s+)?(?:bag|box|pouch|case|tin|tube|sleeve|jar|sack|packaging)\b")
_BEFORE_ZH = re.compile(
    "(?:不含|不是|并非|没有|不带|不用|拒绝|告别|替代|代替|媲美|堪比|类似|类|非|无|仿|假|人造|人工|合成|是否|"
    "搭配|清洁|擦)(?:任何|真正的?|真|全|纯)?(?:[一-鿿]{1,4}[、或和及与])*$"
)
_AFTER_ZH = re.compile("质感|感|纹|状|味|香味|香|风味|同款|清洁|护理|专用|替代|色系搭配")
_HAN = re.compile("[㐀-鿿]")


def negated(text: str, start: int, end: int) -> bool:
    """Whether the words at [start, end) of a folded text are said not to hold, or of a part only."""
    before, after = text[max(0, start - _LOOKED_AT) : start], text[end : end + _LOOKED_AT]
    if _HAN.search(text[start:end]):
        return bool(_BEFORE_ZH.search(before)) or bool(_AFTER_ZH.match(after))
    if _BEFORE_EN.search(before) or _AFTER_EN.match(after) or _BEFORE_ZH.search(before):
        return True
    return bool(
        (_PART_BEFORE.search(before) and _PART_AFTER.match(after))
        or (_WRAPPED_BEFORE.search(before) and _WRAPPED_AFTER.match(after))
    )
