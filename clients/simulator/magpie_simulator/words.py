"""The words of the shop: categories, brands and attributes, each in Chinese and English. Data only."""

# ruff: noqa: E501

from typing import NamedTuple


class Word(NamedTuple):
    """One word in both languages."""

    zh: str
    en: str


class Category(NamedTuple):
    """One aisle. `price` is the median in yuan, `spread` the standard deviation of its logarithm; `season` is
    the month (1 to 12) of highest demand and how much it swings; `made_of` are the
    materials of each noun; `styles` and `colours` those that go with it, as indexes into STYLES and COLOURS."""

    key: str
    aisle: Word
    name: Word
    price: float
    spread: float
    season: tuple[int, float]
    nouns: tuple[Word, ...]
    materials: tuple[Word, ...]
    made_of: tuple[tuple[int, ...], ...]
    styles: tuple[int, ...]
    sizes: tuple[Word, ...] = ()
    colours: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6, 7, 8)


CLOTHES_SIZES = (Word("S", "S"), Word("M", "M"), Word("L", "L"), Word("XL", "XL"))
CATEGORIES = (
    Category(
        "dresses", Word("服饰", "Fashion"), Word("女装", "Women"), 259, 0.45, (5, 0.3),
        (Word("连衣裙", "dress"), Word("衬衫裙", "shirt dress"), Word("半身裙", "skirt"),
         Word("针织开衫", "cardigan"), Word("阔腿裤", "wide-leg trousers")),
        (Word("棉", "cotton"), Word("亚麻", "linen"), Word("桑蚕丝", "mulberry silk"), Word("雪纺", "chiffon")),
        ((0, 1, 2, 3), (0, 1, 2), (0, 1, 3), (0,), (0, 1, 3)),
        (0, 1, 2, 3, 5, 6),
        CLOTHES_SIZES,
    ),
    Category(
        "menswear", Word("服饰", "Fashion"), Word("男装", "Men"), 229, 0.4, (10, 0.25),
        (Word("衬衫", "shirt"), Word("夹克", "jacket"), Word("长裤", "chinos"), Word("T恤", "T-shirt"),
         Word("毛衣", "sweater")),
        (Word("棉", "cotton"), Word("羊毛", "wool"), Word("牛仔布", "denim"), Word("亚麻", "linen")),
        ((0, 3), (1, 2), (0, 2, 3), (0,), (0, 1)),
        (0, 1, 2, 3, 4, 7),
        CLOTHES_SIZES,
    ),
    Category(
        "shoes", Word("服饰", "Fashion"), Word("鞋靴", "Shoes"), 329, 0.4, (4, 0.2),
        (Word("跑步鞋", "running shoes"), Word("板鞋", "court sneakers"), Word("乐福鞋", "loafers"),
         Word("短靴", "ankle boots"), Word("凉鞋", "sandals")),
        (Word("牛皮", "leather"), Word("网布", "mesh"), Word("帆布", "canvas"), Word("绒面革", "suede")),
        ((1,), (0, 2), (0, 3), (0, 3), (0,)),
        (0, 1, 2, 3, 4),
        (Word("36码", "EU 36"), Word("38码", "EU 38"), Word("40码", "EU 40"), Word("42码", "EU 42")),
    ),
    Category(
        "bags", Word("服饰", "Fashion"), Word("箱包", "Bags"), 369, 0.5, (9, 0.2),
        (Word("托特包", "tote bag"), Word("双肩包", "backpack"), Word("斜挎包", "crossbody bag"),
         Word("行李箱", "suitcase"), Word("钱包", "wallet")),
        (Word("牛皮", "leather"), Word("尼龙", "nylon"), Word("帆布", "canvas")),
        ((0, 2), (1, 2), (0, 1, 2), (1,), (0,)),
        (0, 1, 2, 3, 4, 5, 7),
    ),
    Category(
        "makeup", Word("美妆个护", "Beauty"), Word("彩妆", "Make-up"), 129, 0.45, (2, 0.15),
        (Word("口红", "lipstick"), Word("眼影盘", "eyeshadow palette"), Word("指甲油", "nail polish"),
         Word("腮红", "blush"), Word("唇釉", "lip gloss")),
        (Word("丝绒质地", "velvet finish"), Word("水润质地", "dewy finish"), Word("哑光质地", "matte finish")),
        ((0, 1, 2), (0, 2), (1, 2), (0, 1), (1,)),
        (1, 2, 6), (), (4, 6, 7),
    ),
    Category(
        "skincare", Word("美妆个护", "Beauty"), Word("护肤", "Skin care"), 199, 0.5, (12, 0.25),
        (Word("保湿面霜", "moisturising cream"), Word("洁面乳", "face wash"), Word("防晒霜", "sunscreen"),
         Word("面膜", "face mask"), Word("护手霜", "hand cream")),
        (Word("神经酰胺", "ceramides"), Word("玻尿酸", "hyaluronic acid"), Word("山茶花油", "camellia oil")),
        ((0, 1, 2), (0, 1), (1,), (0, 1), (2,)),
        (8, 9, 10), (Word("50ml", "50 ml"), Word("100ml", "100 ml"), Word("150ml", "150 ml")), (),
    ),
    Category(
        "home", Word("家居生活", "Home"), Word("家居", "Living"), 159, 0.55, (11, 0.2),
        (Word("四件套", "bedding set"), Word("台灯", "table lamp"), Word("香薰蜡烛", "scented candle"),
         Word("地毯", "rug"), Word("收纳盒", "storage box")),
        (Word("棉", "cotton"), Word("陶瓷", "ceramic"), Word("竹", "bamboo"), Word("羊毛", "wool")),
        ((0,), (1, 2), (1,), (0, 3), (2,)),
        (0, 1, 2, 5, 6),
    ),
    Category(
        "kitchen", Word("家居生活", "Home"), Word("厨具", "Kitchen"), 189, 0.5, (1, 0.2),
        (Word("铸铁锅", "cast-iron pot"), Word("手冲咖啡壶", "pour-over kettle"), Word("菜刀", "chef's knife"),
         Word("保温杯", "thermos"), Word("餐具套装", "dinner set")),
        (Word("不锈钢", "stainless steel"), Word("铸铁", "cast iron"), Word("陶瓷", "ceramic"),
         Word("玻璃", "glass")),
        ((1,), (0, 3), (0,), (0,), (2,)),
        (0, 1, 2, 5),
    ),
    Category(
        "audio", Word("数码", "Electronics"), Word("影音", "Audio"), 459, 0.6, (11, 0.35),
        (Word("蓝牙耳机", "wireless earphones"), Word("头戴耳机", "headphones"), Word("蓝牙音箱", "speaker"),
         Word("黑胶唱机", "turntable"), Word("录音笔", "voice recorder")),
        (Word("铝合金", "aluminium"), Word("胡桃木", "walnut"), Word("织物", "fabric")),
        ((0,), (0,), (1, 2), (1,), (0,)),
        (0, 1, 2, 4, 7),
    ),
    Category(
        "sport", Word("运动户外", "Outdoors"), Word("运动", "Sport"), 219, 0.5, (4, 0.35),
        (Word("瑜伽垫", "yoga mat"), Word("速干T恤", "quick-dry tee"), Word("登山包", "hiking pack"),
         Word("跳绳", "skipping rope"), Word("运动腰包", "waist pack")),
        (Word("天然橡胶", "natural rubber"), Word("尼龙", "nylon"), Word("再生聚酯", "recycled polyester")),
        ((0,), (2,), (1, 2), (1,), (1, 2)),
        (0, 1, 4),
    ),
    Category(
        "baby", Word("母婴", "Family"), Word("婴童", "Baby"), 149, 0.45, (6, 0.1),
        (Word("连体衣", "romper"), Word("积木", "building blocks"), Word("围嘴", "bib"),
         Word("奶瓶", "feeding bottle"), Word("拨浪鼓", "rattle")),
        (Word("有机棉", "organic cotton"), Word("榉木", "beech wood"), Word("食品级硅胶", "food-grade silicone")),
        ((0,), (1,), (0, 2), (2,), (1,)),
        (0, 5, 6),
    ),
    Category(
        "books", Word("图书文具", "Books"), Word("文具", "Stationery"), 59, 0.5, (9, 0.3),
        (Word("手账本", "journal"), Word("钢笔", "fountain pen"), Word("笔记本", "notebook"),
         Word("书签", "bookmark"), Word("日历", "calendar")),
        (Word("道林纸", "woodfree paper"), Word("黄铜", "brass"), Word("再生纸", "recycled paper")),
        ((0, 2), (1,), (0, 2), (1,), (2,)),
        (0, 2, 5, 6, 7),
    ),
)  # fmt: skip

# Invented names; none of them is a company known to us.
BRANDS = (
    Word("云栖里", "Yunqili"), Word("青禾集", "Qinghe Row"), Word("木拾", "Mushi"), Word("素年", "Sunian"),
    Word("南枝", "Nanzhi"), Word("鹿鸣社", "Luming"), Word("山海间", "Shanhai & Co"), Word("白鹭", "Bailu"),
    Word("拾光", "Shiguang"), Word("禾木", "Hemu"), Word("知夏", "Zhixia"), Word("北屿", "Beiyu"),
    Word("浅川", "Qianchuan"), Word("墨白", "Mobai Lane"), Word("星野", "Xingye"), Word("朴屋", "Puwu"),
    Word("听澜", "Tinglan"), Word("橙果", "Chengguo"), Word("风起", "Fengqi"), Word("既白", "Jibai"),
    Word("原野", "Yuanye"), Word("鲸落", "Jingluo"), Word("松果", "Songguo"), Word("清晏", "Qingyan"),
)  # fmt: skip

COLOURS = (
    Word("蓝色", "blue"), Word("米白色", "off-white"), Word("黑色", "black"), Word("墨绿色", "dark green"),
    Word("砖红色", "brick red"), Word("雾灰色", "misty grey"), Word("樱花粉", "blossom pink"),
    Word("焦糖色", "caramel"), Word("姜黄色", "mustard"),
)  # fmt: skip
STYLES = (
    Word("简约", "minimalist"), Word("时尚", "fashionable"), Word("复古", "vintage"), Word("通勤", "office"),
    Word("运动风", "sporty"), Word("文艺", "artsy"), Word("可爱", "cute"), Word("商务", "business"),
    Word("清爽", "light"), Word("滋润", "rich"), Word("温和", "gentle"),
)  # fmt: skip
SEASONS = (Word("春季", "spring"), Word("夏季", "summer"), Word("秋季", "autumn"), Word("冬季", "winter"))

# Traits that users declare, and the style (index into STYLES) that goes with each.
TRAITS = (
    Word("年轻", "young"), Word("时尚", "fashionable"), Word("注重品质", "quality-minded"),
    Word("居家", "home-loving"), Word("爱运动", "sporty"), Word("文艺", "artsy"), Word("精打细算", "thrifty"),
    Word("新手父母", "new parent"),
)  # fmt: skip

PRAISE = (
    Word("很喜欢，和图片一样。", "Love it, just like the picture."),
    Word("质量不错，会再来。", "Good quality, will come back."),
    Word("送人也合适。", "Makes a good gift too."),
)
COMPLAINTS = (
    Word("和想象的不一样。", "Not what I expected."),
    Word("颜色有色差。", "The colour is off."),
    Word("一般般，物流慢。", "So-so, slow delivery."),
)
