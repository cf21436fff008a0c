"""Texts made false: one lie put into a true message, written without knowledge of the verifier's word lists."""

import random
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from magpie.v1 import content_service_pb2 as content_pb
from magpie.v1 import item_pb2 as item_pb


class Lie(NamedTuple):
    """A message that says something false: its kind, and the draft that a verifier is asked about."""

    kind: str
    draft: content_pb.Draft


class _Text(NamedTuple):
    """A true message, what it is about, and the language's own lies."""

    brief: content_pb.Brief
    message: content_pb.Message
    others: Sequence[item_pb.Item]
    chinese: bool

    @property
    def item(self) -> item_pb.Item:
        return self.brief.item

    def words(self) -> str:
        """All that the facts say, for a lie must not be true by chance."""
        texts = [self.item, self.brief.because_item]
        found = [str(self.brief.facts), *self.brief.facts.values()]
        for item in texts:
            found += [item.text.title, item.text.description, item.brand, *item.categories]
            found += [one.title + one.description for one in item.translations.values()]
            found += [value for values in item.attributes.values() for value in values.values]
        return " ".join(found).casefold()


Liar = Callable[[random.Random, _Text], tuple[str, str] | None]
_Frames = tuple[Sequence[str], Sequence[str]]  # words, and sentences to put one into


def corrupted(
    pairs: Sequence[tuple[content_pb.Brief, content_pb.Message]], count: int, seed: int
) -> list[Lie]:
    """`count` lies, the kinds in turn, about messages that are true. The same seed tells the same lies."""
    rng = random.Random(seed)
    others = [brief.item for brief, _ in pairs]
    lies: list[Lie] = []
    kinds = list(_LIARS.items())
    tries = 0
    while len(lies) < count and tries < 60 * count:
        kind, liar = kinds[tries % len(kinds)]
        tries += 1
        brief, message = pairs[rng.randrange(len(pairs))]
        text = _Text(brief, message, others, message.locale.startswith("zh"))
        told = liar(rng, text)
        if told is None or told == (message.title, message.body):
            continue
        lies.append(Lie(kind, draft(brief, message, *told)))
    return lies


def draft(brief: content_pb.Brief, message: content_pb.Message, title: str, body: str) -> content_pb.Draft:
    """Words about the facts of a brief, as VerifyMessages takes them."""
    made = content_pb.Draft(
        title=title, body=body, item=brief.item, locale=message.locale, channel=brief.channel
    )
    if brief.HasField("because_item"):
        made.because_item.CopyFrom(brief.because_item)
    for key, value in brief.facts.items():
        made.facts[key] = value
    # What the portrait told: spans name it.
    for span in message.spans:
        if span.source == "portrait":
            if span.field == "portrait.traits":
                made.traits.append(span.value)
            elif span.field == "portrait.categories":
                made.facts["liked_category"] = span.value
            elif ".carts" in span.field:
                made.facts["in_cart"] = "true"
            elif ".views" in span.field:
                made.facts["viewed"] = "true"
            elif "purchase" in span.field:
                made.facts["bought"] = "true"
            if span.field.endswith(".last_purchase_time"):
                ago = datetime.now(UTC) - datetime.fromisoformat(span.value)
                made.facts["bought_days_ago"] = str(ago.days)
        if span.field == "facts.bought_days_ago":
            made.facts["bought_days_ago"] = span.value
    return made


def _said(text: _Text, *fields: str) -> list[content_pb.Span]:
    parts = (content_pb.MESSAGE_PART_TITLE, content_pb.MESSAGE_PART_BODY)
    return [span for span in text.message.spans if span.field in fields and span.part in parts]


def _swap(text: _Text, span: content_pb.Span, words: str) -> tuple[str, str]:
    title, body = text.message.title, text.message.body
    if span.part == content_pb.MESSAGE_PART_TITLE:
        return title[: span.start] + words + title[span.end :], body
    return title, body[: span.start] + words + body[span.end :]


def _added(rng: random.Random, text: _Text, words: str) -> tuple[str, str]:
    """The lie as a sentence of its own: in front of the body, behind it, or in the title's place."""
    title, body = text.message.title, text.message.body
    stop = "。" if text.chinese else "."
    gap = "" if text.chinese else " "
    sentence = words if words[-1] in "。！!?.？" else words + stop
    place = rng.randrange(4)
    if place == 0:
        return title, f"{sentence}{gap}{body}"
    if place == 1 and len(words) < 18:
        return words.rstrip(stop), body
    return title, f"{body}{gap}{sentence}"


def _other_number(rng: random.Random, digits: str) -> str:
    """Another number written alike."""
    plain = digits.replace(",", "")
    whole, dot, decimals = plain.partition(".")
    other = whole
    while other == whole:
        other = str(
            max(1, round(int(whole) * rng.choice((0.3, 0.5, 0.7, 0.9, 1.2, 2)) + rng.randrange(-3, 4)))
        )
    return (f"{int(other):,}" if "," in digits else other) + dot + decimals


_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def _numbers_of(*fields: str) -> Liar:
    def lie(rng: random.Random, text: _Text) -> tuple[str, str] | None:
        spans = _said(text, *fields)
        if not spans:
            return None
        span = rng.choice(spans)
        whole = text.message.title if span.part == content_pb.MESSAGE_PART_TITLE else text.message.body
        said = whole[span.start : span.end]
        found = _NUMBER.search(said)
        if found is None:
            return None
        other = _other_number(rng, found[0])
        amounts = {text.item.price.minor_units, text.item.list_price.minor_units}
        amounts.add(text.item.list_price.minor_units - text.item.price.minor_units)
        if round(float(other.replace(",", "")) * 100) in amounts:
            return None
        return _swap(text, span, said[: found.start()] + other + said[found.end() :])

    return lie


def _list_price_as_price(rng: random.Random, text: _Text) -> tuple[str, str] | None:
    full = text.item.list_price
    if full.minor_units <= text.item.price.minor_units or text.item.price.minor_units <= 0:
        return None
    amount = f"{full.minor_units / 100:.2f}".removesuffix(".00")
    sign = {"CNY": "¥", "GBP": "£"}[full.currency]
    words = (
        (f"现在只要{sign}{amount}", f"现价{amount}元", f"今日价 {sign}{amount}", f"到手价{sign}{amount}")
        if text.chinese and sign == "¥"
        else (f"现价 {sign}{amount}", f"现在 {sign}{amount}")
        if text.chinese
        else (f"Now {sign}{amount}", f"Yours for {sign}{amount}", f"Today's price is {sign}{amount}")
    )
    return _added(rng, text, rng.choice(words))


def _currency(rng: random.Random, text: _Text) -> tuple[str, str] | None:
    spans = _said(text, "item.price")
    if not spans:
        return None
    span = rng.choice(spans)
    whole = text.message.title if span.part == content_pb.MESSAGE_PART_TITLE else text.message.body
    number = _NUMBER.search(whole[span.start : span.end])
    if number is None:
        return None
    sign = rng.choice(("$", "€", "HK$", "US$") if text.item.price.currency in ("CNY", "GBP") else ("¥",))
    return _swap(text, span, sign + number[0])


def _drawn(
    chinese: Sequence[str], english: Sequence[str], true: Callable[[item_pb.Item], bool] | None = None
) -> Liar:
    """A sentence that no fact supports; {a} to {d} are drawn numbers.

    No lie is told about an item of which such words may be `true`.
    """

    def lie(rng: random.Random, text: _Text) -> tuple[str, str] | None:
        words = rng.choice(chinese if text.chinese else english)
        words = words.format(
            a=rng.randrange(11, 97),
            b=rng.randrange(2, 9),
            c=rng.randrange(1_000, 9_000),
            d=rng.randrange(1, 28),
        )
        if words.casefold() in text.words() or (true is not None and true(text.item)):
            return None
        amounts = {text.item.price.minor_units, text.item.list_price.minor_units}
        if any(float(said) * 100 in amounts for said in re.findall(r"\d+(?:\.\d+)?", words)):
            return None
        return _added(rng, text, words)

    return lie


def _runs_low(item: item_pb.Item) -> bool:
    return 0 < item.stock <= 10


def _is_cut(item: item_pb.Item) -> bool:
    """Whether a third or a half is taken off, more or less."""
    off = 1 - item.price.minor_units / max(item.list_price.minor_units, 1)
    return 0.3 < off < 0.6


def _named(field: str, chinese: _Frames, english: _Frames) -> Liar:
    """A colour or material that the item has not, in place of one said or in a sentence."""

    def lie(rng: random.Random, text: _Text) -> tuple[str, str] | None:
        held = text.words()
        words, frames = chinese if text.chinese else english
        other = rng.choice(words)
        stem = other.removesuffix("色")
        if stem.casefold() in held or any(part in held for part in stem.casefold().split() if len(part) > 3):
            return None
        spans = _said(text, field)
        if spans and rng.random() < 0.6:
            return _swap(text, rng.choice(spans), other)
        return _added(rng, text, rng.choice(frames).format(other))

    return lie


def _brand(rng: random.Random, text: _Text) -> tuple[str, str] | None:
    """Another brand of the same catalogue where there is one, or one that the world knows."""
    held = text.words()
    known = _BRANDS_ZH if text.chinese else _BRANDS_EN
    nearby = [item.brand for item in rng.sample(list(text.others), min(20, len(text.others))) if item.brand]
    other = rng.choice(nearby if nearby and rng.random() < 0.5 else known)
    if other.casefold() in held:
        return None
    spans = _said(text, "item.brand")
    if spans and rng.random() < 0.6:
        return _swap(text, rng.choice(spans), other)
    frames = (
        ("来自{}", "{}出品", "{}的新作", "{}家的好物")
        if text.chinese
        else ("By {}", "From {}", "Made by {}", "{} made it")
    )
    return _added(rng, text, rng.choice(frames).format(other))


def _evasion(rng: random.Random, text: _Text) -> tuple[str, str] | None:
    word, frame = rng.choice(_BANNED_ZH if text.chinese else _BANNED_EN)
    disguises = _DISGUISES_ZH if text.chinese else _DISGUISES_EN
    return _added(rng, text, frame.format(rng.choice(disguises)(rng, word)))


def _between(*marks: str) -> Callable[[random.Random, str], str]:
    return lambda rng, word: rng.choice(marks).join(word)


def _mapped(table: dict[str, Sequence[str]]) -> Callable[[random.Random, str], str]:
    """One letter that can be written otherwise is; a word without one gets a hidden character."""

    def disguise(rng: random.Random, word: str) -> str:
        places = [at for at, char in enumerate(word) if char in table]
        if not places:
            return "\u200b".join(word)
        at = rng.choice(places)
        return word[:at] + rng.choice(table[word[at]]) + word[at + 1 :]

    return disguise


def _wide(_rng: random.Random, word: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in word)


_COLOURS_ZH = (
    "红色",
    "墨绿色",
    "紫色",
    "橙色",
    "黄色",
    "棕色",
    "粉色",
    "金色",
    "酒红",
    "宝蓝",
    "翠绿色",
    "银色",
)
_COLOURS_EN = ("red", "purple", "orange", "yellow", "brown", "turquoise", "burgundy", "lime green", "magenta")
_MATERIALS_ZH = ("真皮", "纯银", "羊绒", "檀木", "大理石", "玻璃钢", "碳纤维", "鸵鸟皮", "水晶")
_MATERIALS_EN = (
    "cashmere",
    "solid gold",
    "marble",
    "crystal",
    "carbon fibre",
    "velvet",
    "mahogany",
    "titanium",
)
_BRANDS_ZH = (
    "华为",
    "耐克",
    "戴森",
    "香奈儿",
    "小米",
    "索尼",
    "Nike",
    "Apple",
    "优衣库",
    "兰蔻",
    "LV",
    "阿迪达斯",
)
_BRANDS_EN = ("Nike", "Apple", "Dyson", "Chanel", "Sony", "IKEA", "Adidas", "Le Creuset", "Gucci", "Samsung")

_PRICES_ZH = ("只要{a}元", "¥{a} 就能带走", "券后{a}块", "一口价 ¥{c}", "价格低至{a}元", "两件只要{c}元")
_PRICES_EN = (
    "Just ${a}",
    "Yours for £{c}",
    "From only £{c}.99",
    "Now €{a}",
    "Two for ${c}",
    "{c} pounds all in",
)
_PERCENTS_ZH = (
    "直降 {a}%",
    "立减{a}%",
    "全场{b}.7折",
    "现在半价",
    "打{b}.3折",
    "省一半",
    "买一送一",
    "第二件{b}.1折",
)
_PERCENTS_EN = (
    "Save {a}% today",
    "{a}% off",
    "Now half price",
    "Two for one",
    "A third off",
    "Extra {a}% off at checkout",
)
_DATES_ZH = (
    "活动到 {b}月{d}日为止",
    "优惠截止本周五",
    "明天恢复原价",
    "仅限今天",
    "{b}月{d}号涨价",
    "48小时后结束",
)
_DATES_EN = (
    "Ends March {d}",
    "Until {d} August only",
    "Offer ends Friday",
    "Only until midnight",
    "Price goes up tomorrow",
    "24 hours left",
)
_SUPERLATIVES_ZH = (
    "全网最低价", "史上最美的一款", "行业第一", "这是最好的选择", "顶级工艺", "极致体验", "独一无二", "国家级品质",
    "世界领先", "唯一选择", "无可比拟", "遥遥领先同类", "销量冠军", "首选好物", "王牌之作", "完美无瑕",
)  # fmt: skip
_SUPERLATIVES_EN = (
    "The best you can buy", "World's finest", "The number one choice", "Nobody makes a better one", "The cheapest anywhere",
    "Unbeatable quality", "The ultimate gift", "Perfect in every way", "Second to none", "The most beautiful of all",
    "Simply the greatest", "Unrivalled craftsmanship", "#1 in its class",
)  # fmt: skip
_SCARCITY_ZH = (
    "库存告急",
    "最后{b}件",
    "马上售罄",
    "手慢无",
    "仅剩少量",
    "错过今天再等一年",
    "今晚结束",
    "抢完即止",
    "倒计时开始",
    "数量有限，先到先得",
)
_SCARCITY_EN = (
    "Almost gone",
    "Only {b} left",
    "Selling fast",
    "Last chance",
    "Hurry, ends tonight",
    "While stocks last",
    "Going, going, gone",
    "Don't miss out",
    "Limited edition",
)
_HEALTH_ZH = (
    "改善睡眠",
    "有助于降血压",
    "增强免疫力",
    "医生推荐",
    "七天瘦五斤",
    "抗菌率99%",
    "美白祛斑",
    "缓解疲劳",
    "无任何副作用",
)
_HEALTH_EN = (
    "Relieves back pain",
    "Doctors recommend it",
    "Boosts your immune system",
    "Clinically tested",
    "Helps you lose weight",
    "Kills 99% of germs",
    "Reduces anxiety",
    "Cures insomnia",
)
_MONEY_ZH = ("稳赚不赔", "年化收益8%", "保值增值", "零风险", "投资首选", "包过")
_MONEY_EN = (
    "A safe investment",
    "Guaranteed returns",
    "Earn 8% a year",
    "Risk-free",
    "It will double in value",
)
_PROMISES_ZH = (
    "包邮",
    "七天无理由退货",
    "假一赔十",
    "送精美礼品",
    "免费试用",
    "正品保证",
    "终身质保",
    "次日达",
    "专利技术",
    "德国进口",
)
_PROMISES_EN = (
    "Free delivery",
    "Lifetime warranty",
    "Free gift with every order",
    "Money back guarantee",
    "Arrives tomorrow",
    "Patented design",
    "Handmade in Italy",
    "Award-winning",
    "Certified organic",
)
_CROWDS_ZH = ("已售{c}件", "{c}人已加购", "好评率98%", "万人好评", "明星同款", "{a}万人都在买")
_CROWDS_EN = (
    "{c} sold this week",
    "{c} people have it in their cart",
    "98% would buy again",
    "Loved by thousands",
    "As seen on TV",
    "Celebrities wear it",
)
_SIZES_ZH = ("净重{a}0克", "{a}0毫升大容量", "长{a}厘米", "{b}件装", "支持{a}小时续航")
_SIZES_EN = ("Weighs {a}0 g", "Holds {a}0 ml", "{a} cm long", "Pack of {a}", "{a}-hour battery")

_BANNED_ZH = (
    ("最好", "这是{}的一款"), ("最低价", "现在是{}"), ("第一", "销量{}"), ("国家级", "{}品质"), ("顶级", "{}做工"),
    ("极致", "{}享受"), ("唯一", "你的{}选择"), ("最佳", "送礼{}之选"), ("独一无二", "它{}"), ("绝对", "{}值得"),
    ("治疗", "还能{}失眠"), ("稳赚", "{}不赔"), ("包邮", "今天{}"), ("王牌", "{}单品"),
)  # fmt: skip
_BANNED_EN = (
    ("best", "The {} of them all"), ("guaranteed", "Satisfaction {}"), ("cheapest", "The {} in town"),
    ("perfect", "Simply {}"), ("free", "It comes {} of charge"), ("miracle", "A small {}"), ("ultimate", "The {} treat"),
    ("unbeatable", "An {} choice"), ("cures", "It {} headaches"), ("exclusive", "An {} offer"),
)  # fmt: skip
_DISGUISES_ZH = (
    _between("\u200b", "\u200d", "\u2060"),
    _between(" ", ".", "*", "·", "-", "_", "～", "♥", "★"),
    _mapped({"极": ["極"], "级": ["級"], "顶": ["頂"], "独": ["獨"], "无": ["無"], "绝": ["絕"], "对": ["對"], "价": ["價"],
             "国": ["國"], "疗": ["療"], "稳": ["穩"], "赚": ["賺"], "邮": ["郵"]}),
    _mapped({"最": ["蕞", "醉", "zui", "嘴"], "第": ["弟", "苐", "di"], "一": ["①", "壹", "1", "⒈"], "级": ["ji", "极"],
             "极": ["ji", "急"], "唯": ["惟", "维", "wei"], "佳": ["加", "jia"], "好": ["hao", "女子"], "低": ["di"],
             "绝": ["jue"], "独": ["du"], "疗": ["liao"], "包": ["bao", "苞"], "邮": ["you", "由"], "王": ["wang"]}),
)  # fmt: skip
_DISGUISES_EN = (
    _between("\u200b", "\u00ad", "\u2060"),
    _between(".", "-", "*", " ", "_"),
    _wide,
    _mapped({"e": ["3", "е", "é"], "a": ["@", "а", "4"], "o": ["0", "о"], "i": ["1", "і", "!"], "s": ["$", "5", "ѕ"],
             "c": ["с"], "p": ["р"], "u": ["ü"]}),
)  # fmt: skip

_LIARS: dict[str, Liar] = {
    "price": _numbers_of("item.price"),
    "price invented": _drawn(_PRICES_ZH, _PRICES_EN),
    "list price as price": _list_price_as_price,
    "currency": _currency,
    "saving": _numbers_of("item.discount", "item.list_price"),
    "percent": _drawn(_PERCENTS_ZH, _PERCENTS_EN, _is_cut),
    "brand": _brand,
    "colour": _named(
        "item.attributes.colour",
        (_COLOURS_ZH, ("{}款", "颜色是{}", "一抹{}")),
        (_COLOURS_EN, ("In {}", "A touch of {}")),
    ),
    "material": _named(
        "item.attributes.material",
        (_MATERIALS_ZH, ("{}材质", "用{}做成", "{}质地")),
        (_MATERIALS_EN, ("Made of {}", "In {}")),
    ),
    "date": _drawn(_DATES_ZH, _DATES_EN),
    "rating": _numbers_of("item.rating", "item.rating_count"),
    "stock, rank, days": _numbers_of("item.stock", "facts.popular_rank", "facts.bought_days_ago"),
    "superlative": _drawn(_SUPERLATIVES_ZH, _SUPERLATIVES_EN),
    "scarcity": _drawn(_SCARCITY_ZH, _SCARCITY_EN, _runs_low),
    "health": _drawn(_HEALTH_ZH, _HEALTH_EN),
    "money": _drawn(_MONEY_ZH, _MONEY_EN),
    "promise": _drawn(_PROMISES_ZH, _PROMISES_EN),
    "crowd": _drawn(_CROWDS_ZH, _CROWDS_EN),
    "size": _drawn(_SIZES_ZH, _SIZES_EN),
    "evasion": _evasion,
    "evasion again": _evasion,
}
