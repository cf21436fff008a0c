"""True and harmless texts, written by hand and not by the grammar: what a verifier must leave alone."""

import random
from collections.abc import Iterator, Sequence

from copywriting.corruptions import draft
from magpie.v1 import content_service_pb2 as content_pb
from magpie.v1 import item_pb2 as item_pb

# {t} title, {p} price, {w} list price, {b} brand, {c} colour, {m} material, {s} style, {r} rating, {n} ratings,
# {k} category, {q} stock. A sentence is used where its facts are there.
_ZH = (
    "{t}到了你常逛的店里，有空来看看", "最近在看{k}吗？这款{t}也许合你意", "第一眼看到{t}就想到了你", "{t}现价 {p}",
    "{t}，{p}，今天也在等你", "原价 {w}，现在 {p}，{t}", "{b}的{t}，你看看喜不喜欢", "{c}的{t}，配你衣柜里那件正好",
    "{m}做的{t}，点开看看细节", "{s}风格，{t}", "{n} 人打过分，平均 {r} 分", "评分 {r} 的{t}", "还有 {q} 件，{t}",
    "周末愉快，顺手看看{t}", "你上次没看完的{k}，我们帮你留着页面", "想给家里添点什么？看看{k}", "嗨，好久不见，{k}里有几款新面孔等你认识",
    "一杯茶的功夫，逛逛{k}", "天气转凉了，记得添衣，也来看看{t}", "万一你还没决定，{t}就在这里", "不着急，慢慢挑，{t}先放着",
    "{t}，{b}，{p}", "价格是 {p}，款式是{s}，名字叫{t}", "你问的{t}，资料都在里面", "先收藏，之后再比一比：{t}",
    "这一款叫{t}，由{b}带来", "关于{t}的一切，点开就知道", "早上好，{k}上了几页新内容", "晚安之前，再看一眼{t}？",
    "{t}：{c}，{m}", "喜欢{s}的你，也许会多看{t}一眼", "朋友都叫它{t}，我们叫它 {p} 的小确幸", "打开看看{t}的照片吧",
    "第一次来？从{k}开始逛", "我们记得你看过{k}", "上新不上新都可以来坐坐，{k}在这边", "两分钟，看完{t}的介绍",
    "十月过半，换换心情，看看{t}", "不买也没关系，看看{t}长什么样", "把{t}和别的放一起比一比", "{b}家的{k}，点进来看",
    "下班路上，{t}陪你看两眼", "最后说一句：{t}的价格是 {p}", "对了，{t}有{c}", "老朋友{b}，熟悉的{k}",
)  # fmt: skip
_TW = (
    "{t}現在 {p}，有空來看看", "你常逛的{k}，這款{t}也許合你的意", "{c}的{t}，點進來看看細節", "{b}的{t}，看看喜不喜歡",
    "{n} 個人評過分，平均 {r} 分", "原價 {w}，現在 {p}", "最近好嗎？{k}裡有幾款想給你看", "還有 {q} 件，{t}",
    "不急，慢慢看{t}", "睡前逛一下{k}吧", "{m}做的{t}", "第一次來？先從{k}開始逛", "喜歡{s}的你，或許會多看{t}一眼",
)  # fmt: skip
_EN = (
    "{t} is waiting whenever you have a minute", "We saved a spot for {t} on your list", "{t} for {p}", "It costs {p} now and was {w} before",
    "{t} by {b}", "In {c}, and made of {m}: {t}", "Rated {r} out of 5 by {n} people", "{q} left in stock: {t}", "Something {s}? Look at {t}",
    "Good morning! Here is a page about {t}", "Back to {k}? You know the way", "Have you had a proper look at {t} yet?",
    "No rush at all, {t} will still be here", "A cup of tea and {t}, how does that sound?", "You were looking at {k} the other day",
    "The first thing we thought of was {t}", "One more thing: {t} costs {p}", "Take a friend along to see {t}", "Made a list? Put {t} on it",
    "For the shelf, the desk or the hall: {t}", "{b} calls it {t}, we call it {p} well spent", "Tap for pictures of {t}",
    "Open the page to compare {t} with others", "Would {t} look right at home with you?", "It is called {t} and it is {c}",
    "Long day? Look at something pretty: {t}", "We remembered you like {k}", "Here are the details of {t} you asked about",
    "At {p}, {t} might be the one", "Just so you know, {t} has a new price: {p}, down from {w}", "Still on your mind? {t}",
    "A closer look at {t}, if you like", "Five photos and a short description of {t}", "Say hello to {t} from {b}",
    "Two minutes are enough to read about {t}", "Sunday browsing: {k}", "Your next read, perhaps: the page about {t}",
    "Nothing urgent, just {t} for {p}", "The colour is {c}, the name is {t}", "Here when you need it: {k}",
)  # fmt: skip
_NEUTRAL = {
    "zh-CN": (
        "有空来坐坐。",
        "点开看看。",
        "祝你今天顺利。",
        "不着急。",
        "合适再带走。",
        "慢慢看。",
        "想到你，就发来了。",
        "",
    ),
    "zh-TW": ("有空來坐坐。", "點開看看。", "慢慢看，不急。", "祝你今天順心。", ""),
    "en": (
        "Have a look.",
        "Take your time.",
        "See you soon.",
        "Tap to read on.",
        "All the details are inside.",
        "",
    ),
}


def clean(
    pairs: Sequence[tuple[content_pb.Brief, content_pb.Message]], count: int, seed: int
) -> Iterator[content_pb.Draft]:
    """`count` drafts that are true of the items of these pairs, in the languages of their messages."""
    rng = random.Random(seed)
    made = tries = 0
    while made < count and tries < 100 * count:
        tries += 1
        brief, message = pairs[rng.randrange(len(pairs))]
        sentences = {"zh-CN": _ZH, "zh-TW": _TW}.get(message.locale, _EN)
        facts = _facts(brief.item, message)
        first, second = rng.choice(sentences), rng.choice(sentences)
        if any("{" + key + "}" in first + second and not value for key, value in facts.items()):
            continue
        title, body = first.format(**facts), second.format(**facts)
        body += (
            ""
            if message.locale.startswith("zh") and body[-1] in "？！。"
            else "。"
            if message.locale.startswith("zh")
            else ""
            if body[-1] in "?!."
            else "."
        )
        gap = "" if message.locale.startswith("zh") else " "
        made += 1
        body += gap + rng.choice(_NEUTRAL[message.locale])
        written = draft(brief, content_pb.Message(locale=message.locale), title, body)
        # "You were looking at it the other day" is said to somebody who was.
        written.facts["viewed"] = "true"
        if facts["k"]:
            written.facts["liked_category"] = facts["k"]
        yield written


def _facts(item: item_pb.Item, message: content_pb.Message) -> dict[str, str]:
    """What a person would write of an item; "" for what is not there (or is not short enough to be said)."""
    chinese = message.locale.startswith("zh")
    sign = {"CNY": "¥", "GBP": "£"}.get(item.price.currency, "")
    words = item.translations["en"].title if not chinese and "en" in item.translations else item.text.title

    def amount(minor: int) -> str:
        return f"{sign}{minor / 100:,.2f}".removesuffix(".00")

    def attribute(name: str) -> str:
        for value in item.attributes[name].values if name in item.attributes else ():
            if value.isascii() is not chinese:
                return str(value)
        return ""

    category = item.categories[-1] if item.categories else ""
    cheaper = item.list_price.minor_units > item.price.minor_units
    return {
        "t": words if len(words) <= (16 if chinese else 40) else "",
        "p": amount(item.price.minor_units),
        "w": amount(item.list_price.minor_units) if cheaper else "",
        "b": item.brand,
        "c": attribute("colour"),
        "m": attribute("material"),
        "s": attribute("style"),
        "r": f"{int(item.rating * 10) / 10}" if item.rating_count else "",
        "n": f"{item.rating_count}" if item.rating_count else "",
        "k": category if category and category.isascii() is not chinese else "",
        "q": f"{item.stock}" if item.stock > 0 else "",
    }
