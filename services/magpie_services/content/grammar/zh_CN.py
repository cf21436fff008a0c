"""Simplified Chinese. Full-width punctuation; the realiser puts the space between Han and Latin or digits."""

from magpie_services.content.grammar.patterns import Forms, Grammar, pattern, patterns
from magpie_services.content.strategies import Strategy

_STRATEGIES = {
    Strategy.PLAIN: Forms(
        titles=patterns(
            every=["{item}", "为你选了{item}", "看看这款{item}", "你常看的{liked}：{item}"],
            plain=["给你看看{item}", "也许你会喜欢{item}", "来自{brand}的{item}"],
            playful=["{item}，来认识一下", "嘿，{item}想见见你", "今天和{item}打个照面", "{item}来敲门啦"],
            premium=["为{you}选的{item}", "{item}，请你过目", "{you}，请看{item}"],
        ),
        bodies=patterns(
            every=[
                "{attrs}，都在这一款里。",
                "{item}，在店里等你来看。",
                "也许你会喜欢这款{item}。",
                "你常看{liked}，这款也许合你心意。",
            ],
            plain=[
                "{attrs}，现价 {price}。",
                "关于它：{attrs}。",
                "来自{brand}，{attrs}，现价 {price}。",
                "{item}现价 {price}，看看合不合心意。",
                "{you}，也许会留意到这款{item}。",
            ],
            playful=[
                "{attrs}，有没有说到你心里？",
                "{item}举手：看看我嘛～",
                "{attrs}，是不是你正在找的那一款？",
                "听说你常看{liked}，{item}就自己跑来了。",
                "{item}在货架上踮着脚等你。",
            ],
            premium=[
                "{attrs}，留给{you}。",
                "{look}，静静等你来看。",
                "得空时，看看这款{item}。",
                "{item}，{attrs}。",
            ],
        ),
        emoji=("👋", "💌", "🎈"),
    ),
    Strategy.PRICE_DROP: Forms(
        titles=patterns(
            every=[
                "{item}{drop|降价}了",
                "{item}现在 {price}",
                "{drop|降}了 {saved}：{item}",
                "{item}，现价 {price}",
            ],
            plain=["{item}{drop|降}了 {saved}", "{zhe}：{item}", "{item}比原价少 {saved}"],
            playful=[
                "好消息，{item}{drop|降价}啦",
                "{item}悄悄{drop|降}了 {saved}",
                "叮，{item}{drop|降价}了",
            ],
            premium=["{item}，今以 {price} 相候", "{item}{drop|有了新价格}"],
        ),
        bodies=patterns(
            every=[
                "原价 {was}，现在 {price}。",
                "从 {was} {drop|降到} {price}，省 {saved}。",
                "{attrs}，现价 {price}，原价 {was}。",
                "现价 {price}，比原价少 {saved}。",
            ],
            plain=[
                "{item}的价格从 {was} {drop|降到}了 {price}。",
                "现在是 {zhe}，{price} 就能带走。",
                "{drop|这次降价}到 {ends}，现价 {price}。",
            ],
            playful=[
                "{was} 变成 {price}，钱包松了口气。",
                "省下的 {saved}，留着犒劳自己吧。现价 {price}。",
                "价格{drop|往下跳了一格}：{was} → {price}。",
                "枝头传来好消息：现在 {price}，省 {saved}。",
            ],
            premium=["{item}，原价 {was}，现价 {price}。", "{attrs}，现以 {price} 相候。"],
        ),
        emoji=("🎈", "💰", "🎉"),
    ),
    Strategy.BACK_IN_STOCK: Forms(
        titles=patterns(
            every=[
                "{item}{back|到货}了",
                "{item}{back|又有货}了",
                "{back|到货}提醒：{item}",
                "{item}{back|回来}了",
            ],
            plain=["{item}{back|补货}了", "{item}{back|重新上架}"],
            playful=["等到啦，{item}{back|回来}了", "{item}：{back|我又回来}啦"],
            premium=["{item}，{back|重新到店}", "久候了，{item}{back|已到}"],
        ),
        bodies=patterns(
            every=[
                "之前缺货的{item}，现在{back|又能买到}了。",
                "{back|补货}已到，{attrs}，现价 {price}。",
                "{item}{back|重新到货}，现价 {price}。",
                "之前没买到的话，现在{back|又有货}了。",
            ],
            plain=[
                "{item}{back|已经补货}，可以来看看了。",
                "{back|恢复有货}，现价 {price}。",
                "{attrs}，{back|又到货}了。",
            ],
            playful=["它出了趟远门，现在{back|回来}啦。", "{back|货架又满上}了，{item}在等你。"],
            premium=["{item}{back|已重新到店}，静候你来。", "{attrs}，{back|如今又在店中}。"],
        ),
        emoji=("📦", "🙌", "🎈"),
    ),
    Strategy.LOW_STOCK: Forms(
        titles=patterns(
            every=[
                "{item}还剩 {stock} {mw}",
                "{item}库存 {stock} {mw}",
                "还有 {stock} {mw}：{item}",
                "{item}{few|库存不多}了",
            ],
            plain=["{item}目前剩 {stock} {mw}", "库存提醒：{item}剩 {stock} {mw}"],
            playful=["{item}只剩 {stock} {mw}啦", "数了数，{item}还有 {stock} {mw}"],
            premium=["{item}，余 {stock} {mw}", "余 {stock} {mw}，{item}"],
        ),
        bodies=patterns(
            every=[
                "库存还有 {stock} {mw}，喜欢的话可以来看看。",
                "目前剩 {stock} {mw}，现价 {price}。",
                "{attrs}，店里还有 {stock} {mw}。",
                "{item}，店里还有 {stock} {mw}。",
            ],
            plain=["{item}目前库存 {stock} {mw}，现价 {price}。", "还剩 {stock} {mw}，想要可以早点来看。"],
            playful=["数过啦，还剩 {stock} {mw}。", "货架上只剩 {stock} {mw}啦，来看看有没有你的。"],
            premium=["店中余 {stock} {mw}，留意给{you}。", "{attrs}，余 {stock} {mw}。"],
        ),
        emoji=("👀", "🔔"),
    ),
    Strategy.CART_REMINDER: Forms(
        titles=patterns(
            every=[
                "{item}还在{cart|购物车}里",
                "{cart|购物车}里的{item}在等你",
                "{cart|购物车}里还有{item}",
                "还在考虑{cart|购物车里}的{item}吗？",
            ],
            plain=["别忘了{cart|购物车}里的{item}", "{cart|购物车}提醒：{item}"],
            playful=["{cart|购物车}里的{item}想你了", "{item}在{cart|购物车}里招手"],
            premium=["你{cart|留在购物车}的{item}", "{item}，仍在{cart|购物车}中"],
        ),
        bodies=patterns(
            every=[
                "你{cart|加进购物车}的{item}还在，现价 {price}。",
                "它还在{cart|购物车}里，随时可以回来看看。",
                "{attrs}，还在{cart|购物车}里等你决定。",
                "{cart|购物车}里的{item}还留着，想好了再来。",
            ],
            plain=[
                "上次{cart|加进购物车}的{item}，现在 {price}。",
                "如果还需要{item}，它就在{cart|购物车}里。",
            ],
            playful=[
                "{item}在{cart|购物车}里排着队，轮到它了吗？",
                "{cart|购物车}有点安静，{item}在等你回来。",
            ],
            premium=["你选下的{item}，仍在{cart|购物车}中。", "{attrs}，为你{cart|留在购物车}里。"],
        ),
        emoji=("🛒", "👀"),
    ),
    Strategy.BECAUSE_YOU_VIEWED: Forms(
        titles=patterns(
            every=[
                "{item}，也许也合你心意",
                "你{viewed|看过}{because}",
                "接着看看{item}",
                "{viewed|看过}的旁边，还有{item}",
            ],
            plain=["{viewed|看过}{because}，再看这款", "和{viewed|看过的}比一比：{item}"],
            playful=["逛着逛着，遇见{item}", "{viewed|看过}的它，有个新朋友"],
            premium=["由{because}想到", "{item}，或合你心意"],
        ),
        bodies=patterns(
            every=[
                "你{viewed|看过}{because}，这款{item}也许你也会喜欢。",
                "因为你{viewed|看过}{because}，想到了{item}。",
                "你{viewed|看过}{because}，这一款也可以看看：{attrs}。",
                "{viewed|看过}{because}的话，{item}也可以放在一起比比。",
            ],
            plain=[
                "你之前{viewed|看过}{because}，这款{item}现价 {price}。",
                "从{because}{viewed|看过来}，还有{item}。",
            ],
            playful=[
                "你{viewed|看过}{because}，{item}也想露个脸～",
                "{because}{viewed|见过}了，{item}也来打个招呼。",
            ],
            premium=[
                "你{viewed|留意过}{because}，或许也愿意看看{item}。",
                "{viewed|看过}{because}之后，不妨看看{item}。",
            ],
        ),
        emoji=("👀", "💡"),
    ),
    Strategy.COMPLEMENT: Forms(
        titles=patterns(
            every=[
                "{item}，配你{bought|买过}的那件",
                "给{because}找个搭档",
                "{because}的搭档来了",
                "和{because}搭一搭",
            ],
            plain=["搭配看看：{item}", "为{because}配{item}"],
            playful=["{because}说它想有个伴", "{item}来找搭档啦"],
            premium=["与{because}相配", "{item}，与你所选相配"],
        ),
        bodies=patterns(
            every=[
                "你{bought|买过}{because}，可以看看{item}。",
                "{bought|有了}{because}，再看看{item}？",
                "给你{bought|买的}{because}找了个搭档：{item}。",
                "你{bought|买过}{because}，这款也可以一起看看：{attrs}。",
            ],
            plain=[
                "你之前{bought|买了}{because}，这款{item}现价 {price}。",
                "{because}{bought|到家}之后，也看看{item}吧。",
            ],
            playful=["{because}在家等伴呢，{item}来应征了。", "{bought|买过}{because}的你，认识一下{item}？"],
            premium=[
                "你{bought|选过}{because}，{item}可与之相配。",
                "为你{bought|选过}的{because}，添一款{item}。",
            ],
        ),
        emoji=("🧩", "🤝"),
    ),
    Strategy.REPLENISH: Forms(
        titles=patterns(
            every=[
                "{item}还够用吗？",
                "要不要{again|再来}一份{item}",
                "{again|买过}的{item}",
                "{item}，要{again|补}一点吗",
            ],
            plain=["{again|再次购买}{item}", "补货看看：{item}"],
            playful=["{item}见底了吗～", "{item}{again|又想见你}了"],
            premium=["{item}，可需{again|再添}", "为你{again|再备}{item}"],
        ),
        bodies=patterns(
            every=[
                "你{again|买过}{item}，需要的话可以再来一份。",
                "{again|上次买}{item}是 {days} 天前，要补一点吗？",
                "之前{again|买过}的{item}，现价 {price}。",
                "{item}用得怎么样了？需要可以{again|再买}。",
            ],
            plain=[
                "{again|上次购买}已过 {days} 天，{item}现价 {price}。",
                "{item}快用完的话，可以{again|再带一份}。",
            ],
            playful=["{item}说，它随时准备{again|再上门}。", "翻翻柜子，{again|买过}的{item}还有吗？"],
            premium=["你{again|选过}的{item}，如需可再添。", "{again|曾选}的{item}，现价 {price}。"],
        ),
        emoji=("🔁", "🧺"),
    ),
    Strategy.NEW_FROM_BRAND: Forms(
        titles=patterns(
            every=[
                "{brand}{new|新品}：{item}",
                "{brand}有{new|新品}了",
                "来自{brand}的{new|新品}",
                "{brand}{new|新到}{item}",
            ],
            plain=["{brand}有{new|新品}：{item}", "{brand}{new|新上架}{item}"],
            playful=["{brand}家有{new|新品}啦", "{brand}带着{new|新品}来了"],
            premium=["{brand}，{new|新到店}", "{new|新到}：{brand}"],
        ),
        bodies=patterns(
            every=[
                "{brand}{new|新上架}了{item}，来看看？",
                "{brand}的{new|新品}到了：{attrs}。",
                "{new|新到}的{item}，来自{brand}，现价 {price}。",
                "{item}{new|刚上架}，{attrs}。",
                "{item}{new|刚刚上架}，先来看一眼。",
            ],
            plain=[
                "{item}是{brand}的{new|新品}，现价 {price}。",
                "{brand}{new|上新}，{attrs}，现价 {price}。",
            ],
            playful=["{brand}的{new|新面孔}：{item}，打个招呼吧。", "{brand}家{new|添了新成员}，叫{item}。"],
            premium=["{brand}{new|新到}{item}，请你过目。", "{new|新到店中}：{item}，{attrs}。"],
        ),
        emoji=("✨", "🎈"),
    ),
    Strategy.TRENDING: Forms(
        titles=patterns(
            every=[
                "{popular|近期热门}：{item}",
                "{topic}{popular|热门}：{item}",
                "{item}{popular|人气正旺}",
                "{topic}人气第 {rank} 位",
            ],
            plain=["{item}，{topic}人气第 {rank} 位", "{popular|很多人在看}：{item}"],
            playful=["{popular|好多人}在看{item}", "{item}{popular|有点红}"],
            premium=["{popular|近来受关注}的{item}", "{item}，{popular|近来人气不低}"],
        ),
        bodies=patterns(
            every=[
                "{item}在{topic}里排到了第 {rank} 位。",
                "{popular|最近不少人在看}{item}。",
                "{topic}里的{popular|热门之一}：{item}。",
                "{attrs}，{popular|最近人气不低}。",
            ],
            plain=[
                "{popular|近期热门}的{item}，现价 {price}。",
                "{item}目前在{topic}人气第 {rank} 位，现价 {price}。",
            ],
            playful=[
                "{popular|围观的人不少}，{item}给你留了个位置。",
                "{popular|人气不低}哦，{item}等你来看。",
            ],
            premium=["{popular|近来不少人留意}{item}，也请你看看。", "{attrs}，{popular|近来颇受关注}。"],
        ),
        emoji=("🔥", "👀"),
    ),
    Strategy.WELL_REVIEWED: Forms(
        titles=patterns(
            every=[
                "{item}，评分 {rating}",
                "{rating} 分的{item}",
                "{ratings} 人评分，得 {rating} 分",
                "买家给{item}打了 {rating} 分",
            ],
            plain=["{item}评分 {rating}（满分 5）", "评分 {rating}：{item}"],
            playful=["{item}拿到了 {rating} 分", "{rating} 分，{item}有点得意"],
            premium=["{item}，均分 {rating}", "{ratings} 人评过的{item}"],
        ),
        bodies=patterns(
            every=[
                "{ratings} 条评分，平均 {rating} 分（满分 5 分）。",
                "{item}有 {ratings} 条评分，平均 {rating} 分。",
                "{ratings} 位买家打分，平均 {rating} 分，{attrs}。",
                "买过的人给了 {rating} 分，共 {ratings} 条评分。",
            ],
            plain=[
                "{item}评分 {rating}，现价 {price}。",
                "平均 {rating} 分，来自 {ratings} 条评分，现价 {price}。",
            ],
            playful=[
                "{ratings} 个人打过分，平均 {rating}，你也来评评看？",
                "成绩单：{ratings} 条评分，平均 {rating} 分～",
            ],
            premium=["{ratings} 条评分，均分 {rating}，留给{you}参考。", "{attrs}，均分 {rating}。"],
        ),
        emoji=("⭐", "💬"),
    ),
    Strategy.PREMIUM: Forms(
        titles=patterns(
            every=["为{you}选了{item}", "{item}，留给{you}", "{item}，为你而选"],
            plain=["写给{you}", "选给你的{item}", "{item}，慢慢看"],
            playful=["{you}，来看{item}", "{item}在等{you}"],
            premium=["{you}，请看{item}", "{item}，请你细看", "为{all_you}而选", "一款{item}，静候{you}"],
        ),
        bodies=patterns(
            every=[
                "{look}，想请{you}看看。",
                "{attrs}，写给{you}。",
                "{attrs}，为你挑好的一款，慢慢看。",
                "{look}，都在这一款里。",
                "挑了这一款：{attrs}。",
                "写给{all_you}：{attrs}。",
            ],
            plain=[
                "{you}，或许会喜欢它：{attrs}。",
                "为你选的这一款：{attrs}。",
                "给{you}选的：{attrs}，{price}。",
            ],
            playful=[
                "{look}，是不是{you}会多看一眼的？",
                "{attrs}，正好遇上{you}。",
                "{attrs}，来和{you}见个面。",
            ],
            premium=[
                "{look}，留给{you}慢慢看。",
                "{attrs}。不急，留给{you}细看。",
                "为{you}留意到这一款：{attrs}。",
                "{look}，不必多说，请{you}过目。",
                "{attrs}，与{you}不期而遇。",
                "{attrs}，静候{you}。",
                "{look}，安安静静等你来。",
                "{attrs}。得空时，不妨细看。",
                "{look}，愿你一眼看中。",
            ],
        ),
        emoji=("✨",),
    ),
    Strategy.NEW_ARRIVAL: Forms(
        titles=patterns(
            every=[
                "{new|新上架}：{item}",
                "{item}{new|上新}了",
                "{category}{new|上新}：{item}",
                "{new|新品}：{item}",
            ],
            plain=["{new|新到}的{item}", "店里{new|新到}{item}"],
            playful=["{new|新面孔}：{item}", "{item}{new|来报到}啦"],
            premium=["{new|新到店}，{item}", "{item}，{new|初次见面}"],
        ),
        bodies=patterns(
            every=[
                "{category}里{new|新上架}了{item}。",
                "{attrs}，{new|刚刚上架}。",
                "{new|新到}的{item}，现价 {price}。",
                "{item}{new|新上架}，先来看一眼。",
            ],
            plain=["店里{new|新到}{item}，{attrs}。", "{new|新品}{item}现价 {price}，看看喜不喜欢。"],
            playful=["{item}{new|新来报到}，打个招呼？", "货架上{new|多了位新同学}：{item}。"],
            premium=["{item}{new|新到}，请你过目。", "{attrs}，{new|新近到店}。"],
        ),
        emoji=("✨", "🌱"),
    ),
}

GRAMMAR = Grammar(
    locale="zh-CN",
    language="zh",
    strategies=_STRATEGIES,
    openers=(
        pattern(""),
        *patterns(
            plain=["跟你说一声，", "提醒一下，", "告诉你一声，"],
            playful=["嗨～", "叮咚～", "嘿～", "喜鹊来报～", "悄悄告诉你，"],
        ),
    ),
    calls=(
        pattern(""),
        *patterns(
            every=["点开看看。", "来看看吧。"],
            plain=["点开看详情。", "有空来看看。", "看看合不合适。", "进来了解一下。"],
            playful=["来瞧瞧～", "点开瞅一眼？", "来逛逛呀～", "戳进来看看！"],
            premium=["欢迎细看。", "得空时来看看。", "愿你喜欢。", "静候你来。"],
        ),
    ),
    descriptions=patterns(
        every=[
            "{item}。",
            "来自{brand}。",
            "属于{category}。",
            "特点：{attrs}。",
            "现价 {price}，原价 {was}，省 {saved}。",
            "现价 {price}。",
            "评分 {rating}（满分 5 分），共 {ratings} 条评分。",
            "目前库存 {stock} {mw}。",
        ]
    ),
    safe=(
        (pattern("{item}"), pattern("想请你看看这款{item}。")),
        (pattern("给你看看{category}"), pattern("{category}里有一款想请你看看。")),
        (pattern("店里有一款想给你看"), pattern("有空的时候，点开看看。")),
    ),
)
