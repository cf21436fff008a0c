"""Counts: stars, ratings, people, pieces in stock, places in the charts."""

import re
from decimal import Decimal

from magpie_services.content.verifier.evidence import Facts
from magpie_services.content.verifier.spots import FINE, Spot, Verdict, before

_WHO = (
    r"(?:买家|顾客|用户|网友|读者|学员|同学|会员|朋友|家长|人|位|名|个|条|则|份|次|篇|"
    r"verified|customer|user|buyer|shopper|reader|happy|real|genuine|other|people|person)"
)
_RATINGS_AFTER = re.compile(
    rf"\+? ?(?:多|余|几)?\s?(?:{_WHO}[\s]?)*(?:的|留下的|给出的|写下的|写的|已|都|打过|评过|"
    rf"给过|参与过|给出|给了|打出|打了|参与|(?:have |has )?)*\s?"
    r"(?:真实)?(?:评价|评分|评论|打分|评|分(?!享|钟|期)|点评|留言|晒单|ratings?\b|reviews?\b|"
    r"rated\b|votes?\b|scores?\b|opinions?\b|verdicts?\b|marks\b|评分人)"
)
_RATINGS_BEFORE = before(
    r"评价(?:数|量)?|评论(?:数|量)?|评分人数|reviews?|ratings?",
    r"(?:有|已有|共|达|超过?|过|count|:|\(|\s|\+)*",
)
_SCALE = before(r"(?<=\d)/|(?<=\d )/|out of|(?<=\d )of|of a possible|满分", r"\s?", 14)
_SCALE_AFTER = re.compile(
    r" ?(?:/ ?(?:5|10|100)\b(?!/)|out of (?:5|five|10|ten)\b|of (?:5|five)\b(?! \w)|分?[((]?满分)"
)
_STARS_AFTER = re.compile(
    r"[ -]?(?:颗?星(?!期|巴|座|空|球|际|辰|光|河|人)|星级|stars?\b|[★⭐✩✪]|分(?!钟|之|类|享|"
    r"期|钱|裤|袖|装|割|离|子|辨|贝|开|层|区|体))"
)
_STARS_BEFORE = before(
    r"评分|打分|得分|均分|平均|口碑|豆瓣|综合|\brated|\bratings?|\baverage|\bscor(?:e[sd]?|"
    r"ing)|\bstars?|评价|[★⭐]+",
    r"(?:[\s:]|为|是|高达|达到?|有|给出|稳|在|an?|of|is|at|it|as|stands|high|到|averag(?:es|ing)|and|the)*",
)
_MIDDLE = r"(?:of (?:our|your|the|all) |happy |other |more |local |satisfied )?"
_PEOPLE_AFTER = re.compile(
    rf"\+? ?(?:多|余|几|万|千)?\s?(?:人次|人(?!民|体|造|气|参|工|字|生|间|物)|位(?!置)|名(?!字|"
    rf"牌|称)|个人|用户|买家|顾客|家庭|粉丝|"
    rf"{_MIDDLE}(?:people|customers|shoppers|buyers|others|users|fans|followers|families|"
    rf"members|households|readers|students|learners|subscribers|orders|purchases|likes|views|"
    rf"downloads|sold|bought))"
)
_SOLD_BEFORE = before(
    r"已售|销量|月销|年销|日销|累计|售出|热销|卖出|卖了|卖掉|已卖|销售|热卖|下载|播放|收藏|"
    r"浏览|点赞|加购|拼单|已拼|\bsold|\bover|downloaded|viewed by|bought by|loved by|"
    r"trusted by|joined by",
    r"(?:[\s:]|了|超过?|过|达到?|突破|量|已|近|就|more than|over|by|nearly|up to)*",
)
_SOLD_AFTER = re.compile(
    r" ?(?:万|千|\+)? ?(?:[件双套瓶盒个台份单本]+(?:已|都)?(?:售出|已售|卖出|被抢)|sold\b|"
    r"orders?\b|人付款|单\b|回头客)"
)
_STOCK_BEFORE = before(
    r"只剩下?|仅剩下?|还剩下?|剩下?|剩余|仅余|尚余|余下|余|库存|存货|现货|店里还有|还有|只有|"
    r"仅有|最后|倒数|\bonly|\blast|\bfinal|\bremaining|\bjust|stock|left in stock|inventory|"
    r"we have|there(?:'s| is| are)",
    r"(?:[\s:(]|还有|只有|有|为|是|了|的|仅|只|不到|大约|约|the|our|of|at|to|final|about|"
    r"still|are|is|down|just|only)*",
)
_STOCK_AFTER = re.compile(
    r"\s?(?:more |other |such |spare )?(?:pieces?|items?|units?|pairs?|copies|copy|places?|"
    r"seats?|spots?|slots?|sets?|pcs|bottles?|boxes|tickets?|jars?|tins?|cans?|bags?|packs?|tubes?|件|个|只|双|套|本|瓶|盒|台|条|张|"
    r"位|名额|个名额|席)?\s?(?:are |is |still |of (?:these|them|it|this) )?"
    r"(?:left\b|remain(?:ing|s)?\b|in stock|still here|still available|available|to go\b|"
    r"up for grabs|库存|现货|存货|可售|可买|在库|剩余|左右库存)"
)
_FEW = before(
    r"只剩下?|仅剩下?|仅余|最后|仅有|\bonly|\blast|\bfinal|\bjust", r"(?:[\s:]|the|a|our|few|了|有|not)*"
)
_STOCK_UNIT = re.compile(
    r"\s?(?:[件个只双套本瓶盒台条张支把枚份片辆部块袋包对副顶位席座盏幅罐桶箱颗株盆朵束架册卷组根粒杯碗](?!套)|个?名额|pieces?|"
    r"items?|units?|pairs?|copies|copy|places?|seats?|spots?|slots?|sets?|pcs|in\b|left|"
    r"of (?:these|them)|bottles?|boxes|tickets?)|$|[,。!?;.!)]"
)
_RANK_BEFORE = before(
    r"(?<!x)第|排名?|位列|位居|排行榜?|榜单|\bno\.?|\bnumber|\bnr\.?|#|\branked|\branks?|\bplaced?",
    r"(?:[\s:.#]|第|no\.?|number|in|at|名)*",
)
_RANK_AFTER = re.compile(
    r" ?(?:位|名(?!字|牌|称|额|片)|强(?!力|度)|(?:st|nd|rd|th) (?:most|place|in (?:the|its|"
    r"our))|in (?:the|its|our) (?:chart|categor|rank|list|shop|store))"
)
_ORDINAL = re.compile(r"(?:st|nd|rd|th)\b")
_TOP_BEFORE = before(r"\btop|(?<![目当眼之以从])前|tops?", r"\s?-?", 14)
_WHOLE_AFTER = re.compile(r" ?[大代种届版章集课季话回期册卷次步件眼个款天年周]")
_AT_LEAST = before(r"超过?|逾|破|over|more than|at least|upwards of|高于|不止|突破", r"\s*了?\s*", 14)
_PLUS = re.compile(r"\+| ?(?:多|余|以上|plus\b|or more|and counting)")
_ABOUT = before(r"约|大约|近|将近|接近|\babout|\baround|\bnearly|\balmost|\bclose to", r"\s*", 14)

# Vague numbers of people or ratings, and how many there must be.
_VAGUE = (
    (re.compile(r"(?:上|数|几|好几)百|百余|hundreds of|a hundred"), 100),
    (re.compile(r"(?:上|数|几|好几)千|千余|成千|thousands of"), 1_000),
    (re.compile(r"(?:上|数|几|好几)万|万余|tens of thousands"), 10_000),
    (re.compile(r"百万|millions of"), 1_000_000),
    (re.compile(r"(?:数|几)十|dozens of"), 24),
)
_VAGUE_HINT = re.compile(r"[百千万十](?=[^分货搭])|dozens|hundred|thousand|million")
_VAGUE_RATED = re.compile(
    r"[\s条个位人名则份+]*(?:的|买家|用户|顾客|真实|customer|verified|real|happy)?\s?(?:评价|"
    r"评分|评论|打分|评|好评|ratings?|reviews?|people rated|(?:people |"
    r"customers )?(?:have )?rated)"
)
_VAGUE_PEOPLE = re.compile(
    r"[\s条个位人名]*(?:的)?(?:人|买家|用户|顾客|家庭|粉丝|件|单|people|customers|shoppers|"
    r"buyers|users|fans|families|orders|others|members|readers|have|sold)"
)


def count(spot: Spot, facts: Facts) -> Verdict | None:
    """What a count of ratings, people, pieces or places comes to; None where the number is none."""
    for judged in (_rating, _ratings, _stock, _people, _rank):
        verdict = judged(spot, facts)
        if verdict is not None:
            return verdict
    return None


def vague(view: str, facts: Facts) -> list[tuple[int, int, Verdict]]:
    """Hundreds of reviews, thousands of buyers: those that no fact supports."""
    if not _VAGUE_HINT.search(view):
        return []
    found = []
    for finder, least in _VAGUE:
        for match in finder.finditer(view):
            if _VAGUE_RATED.match(view, match.end()):
                if facts.item.rating_count < least:
                    found.append((*match.span(), Verdict("unsupported_count", "fewer people rated it")))
            elif _VAGUE_PEOPLE.match(view, match.end()):
                found.append((*match.span(), Verdict("unsupported_popular", "no fact counts these people")))
    return found


def _ratings(spot: Spot, facts: Facts) -> Verdict | None:
    if not (_RATINGS_AFTER.match(spot.after) or _RATINGS_BEFORE.search(spot.before)):
        return None
    said, known = spot.number.value, facts.item.rating_count
    if said % 1:
        return None  # "review: 4.5" is no count
    if _AT_LEAST.search(spot.before) or _PLUS.match(spot.after):
        fine = known / 2 <= said <= known
    elif _ABOUT.search(spot.before):
        fine = known * 9 <= said * 10 <= known * 11
    elif spot.number.spoken:  # 十二万 of 120,345 counts whole ten thousands
        fine = known * 19 <= said * 20 <= known * 20 if said >= 1_000 else said == known
    else:
        fine = said == known
    return FINE if fine and known else Verdict("unsupported_count", f"{known} people rated it")


def _rating(spot: Spot, facts: Facts) -> Verdict | None:
    said, rated = spot.number.value, facts.item.rating_count > 0 and facts.item.rating >= 1
    if said in (5, 10, 100) and _SCALE.search(spot.before) and not spot.number.spoken:
        return FINE if said == 5 and rated else Verdict("unsupported_rating", "no fact gives such a scale")
    if spot.number.spoken and said == 5 and _SCALE.search(spot.before):
        return FINE if rated else Verdict("unsupported_rating", "nobody rated it")
    if said == 5 and spot.after.startswith("分制"):
        return FINE if rated else Verdict("unsupported_rating", "nobody rated it")
    scaled, starred = _SCALE_AFTER.match(spot.after), _STARS_AFTER.match(spot.after)
    named = _STARS_BEFORE.search(spot.before) and not (said > 10 or _RATINGS_AFTER.match(spot.after))
    if not (scaled or starred or named):
        return None
    if not rated or said > 5:
        return Verdict("unsupported_rating", f"the rating is not {said}")
    if _AT_LEAST.search(spot.before) or _PLUS.match(spot.after):
        fine = 0 <= Decimal(str(facts.item.rating)) - said < Decimal("0.5")
    else:
        fine = is_rating(said, facts)
    return FINE if fine else Verdict("unsupported_rating", f"the rating is not {said}")


def is_rating(said: Decimal, facts: Facts) -> bool:
    """Whether a number is the item's rating, rounded or cut to a decimal."""
    exact = Decimal(str(facts.item.rating))
    near = 0 <= exact - said < Decimal("0.1") or abs(exact - said) <= Decimal("0.05")
    return near and facts.item.rating_count > 0


def _stock(spot: Spot, facts: Facts) -> Verdict | None:
    behind = _STOCK_AFTER.match(spot.after)
    if not behind and not (_STOCK_BEFORE.search(spot.before) and _STOCK_UNIT.match(spot.after)):
        return None
    if spot.number.value != facts.item.stock:
        return Verdict("unsupported_stock", "the stock is another")
    if _FEW.search(spot.before) and "scarce" not in facts.flags:
        return Verdict("scarcity", "the stock is too large to be called little")
    return FINE


def _people(spot: Spot, facts: Facts) -> Verdict | None:
    if spot.before.rstrip().endswith("第"):
        return None
    if not (
        _PEOPLE_AFTER.match(spot.after) or _SOLD_AFTER.match(spot.after) or _SOLD_BEFORE.search(spot.before)
    ):
        return None
    if spot.number.value == facts.item.rating_count and not _SOLD_BEFORE.search(spot.before):
        return FINE  # "rated 4.6 by 235 people"
    if (spot.number.value.normalize(), "count") in facts.quantities and not _SOLD_BEFORE.search(spot.before):
        return FINE  # "for 6 people" of a table for six
    return Verdict("unsupported_popular", "no fact counts these people or sales")


def _rank(spot: Spot, facts: Facts) -> Verdict | None:
    said, rank = spot.number.value, facts.extra.popular_rank
    wrong = Verdict("unsupported_rank", f"no fact gives rank {said}")
    if facts.says(f"top {said}"):
        return None  # "zinc top 2 door shelf" of a title
    if _TOP_BEFORE.search(spot.before) and not _WHOLE_AFTER.match(spot.after):
        return FINE if 0 < rank <= said and said <= max(10, rank * 4) else wrong
    ordinal = _RANK_AFTER.match(spot.after)
    if not (ordinal or _RANK_BEFORE.search(spot.before)):
        return None
    if not ordinal and (_WHOLE_AFTER.match(spot.after) or (said, "") in facts.quantities):
        return None  # 第 2 代, No. 5 of a name: a number like any other
    return FINE if rank and said == rank else wrong
