"""What kind of word an attribute or a trait is, so that the grammar knows where it may stand."""

import re
from enum import StrEnum

HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_OTHER_SCRIPT = re.compile("[\u0400-\u052f\u0590-\u08ff\u0900-\u0dff\u0e00-\u0eff\u3040-\u30ff\uac00-\ud7af]")
_LATIN = re.compile("[A-Za-z]")


class Kind(StrEnum):
    """The type of a fact: decides which slots it may fill and how it is written."""

    TITLE = "title"
    BRAND = "brand"
    CATEGORY = "category"
    COLOUR = "colour"
    MATERIAL = "material"
    STYLE = "style"
    FEATURE = "feature"
    TRAIT = "trait"
    MONEY = "money"
    PERCENT = "percent"
    COUNT = "count"
    RATING = "rating"
    DATE = "date"
    EVIDENCE = "evidence"


def _words(table: str) -> frozenset[str]:
    return frozenset(table.split())


_NAMES = {
    Kind.COLOUR: {"colour", "color", "colours", "colors", "颜色", "顏色", "色彩", "配色", "花色", "主色"},
    Kind.MATERIAL: {"material", "materials", "fabric", "材质", "材質", "面料", "材料", "质地", "成分"},
    Kind.STYLE: {"style", "styles", "风格", "風格", "款式", "样式", "look"},
}
# Not words that describe a thing to its reader: sizes, codes, whom it is for, how it is kept.
_BARE = _words(
    """
    age article barcode brand care code condition count country department ean ends expiry gender gtin
    height id isbn length mpn model number origin pack packaging provider quantity ref shipping size
    sizes sku spec specs unit units upc vendor version volume warranty weight width year

    产地 产品编号 人群 保修 保质期 单位 型号 容量 尺寸 尺码 年份 年龄 性别 数量 条码 洗涤 版本 规格 货号
    适用人群 适用性别 重量 编号 质保
    """
)
_SEASONAL = _words(
    """
    season seasons occasion occasions holiday festival event 季节 季節 适用季节 適用季節 上市季节 节日 節日
    场合 場合 适用场合 適用場合 送礼场合
    """
)
_COLOUR_ZH = re.compile(
    "(?:[浅深亮暗淡墨藏酒玫雾冰湖天宝奶燕杏豆樱蜜烟石灰卡咖克莱因雪炭银香槟薄荷橄榄]{0,3}"
    "[红橙黄绿青蓝紫黑白灰粉棕褐金银米杏咖啡卡其裸驼]色?|[一-鿿]{1,3}色)$"
)
_COLOURS_EN = _words(
    """
    amber beige black blue bronze brown burgundy charcoal copper coral cream gold gray green grey
    indigo ivory khaki lavender lilac magenta maroon mint mustard navy olive orange peach pink plum
    purple red rose rust sage scarlet silver tan taupe teal turquoise violet white yellow
    """
)
_NO_COLOURS = frozenset({"特色", "角色", "出色", "本色"})
_STYLES = _words(
    """
    个性 中式 休闲 优雅 修身 北欧 古典 可爱 商务 复古 大方 学院 宽松 工装 户外 文艺 日系 时尚 极简
    森系 欧式 民族 法式 清新 潮流 现代 甜美 田园 百搭 简洁 简约 经典 美式 英伦 街头 轻奢 运动 通勤
    韩系 bohemian casual chic classic contemporary elegant fashionable formal industrial minimalist
    modern playful preppy relaxed retro romantic rustic scandinavian simple slim sporty stylish
    urban vintage
    """
)
_MATERIALS = _words(
    """
    不锈钢 丝绸 亚麻 实木 尼龙 桑蚕丝 棉 棉麻 橡木 涤纶 牛皮 玻璃 皮革 真丝 真皮 硅胶 竹 纯棉 羊毛
    羊绒 胡桃木 钛 铝合金 陶瓷 aluminium aluminum bamboo brass canvas cashmere ceramic cotton denim
    enamel fabric felt glass iron jute leather linen marble mesh nylon oak paper polyester porcelain
    rattan rubber silicone silk steel suede tin titanium velvet walnut wicker wood wool zinc
    """
)
# Words of a user that may be said to their face as an adjective or a verb phrase before "的你".
_TRAIT_VERBS = ("注重", "喜欢", "热爱", "追求", "关注", "偏爱", "讲究", "享受", "崇尚", "重视", "看重", "爱")
_TRAITS_ZH = _words(
    """
    乐观 优雅 低调 健谈 务实 勤奋 好奇 好学 年轻 开朗 文艺 时尚 活泼 浪漫 温柔 热情 独立 率真 理性
    精致 细心 自由 认真
    """
)
_TRAITS_EN = _words(
    """
    active adventurous bookish creative curious fashionable musical organised organized outdoorsy
    practical sporty stylish thoughtful
    """
)
_TRAIT_SUFFIXES = ("-minded", "-conscious", "-loving", "-savvy", "-focused", "-oriented", "-driven")
_TRAIT_VERBS_EN = (
    "loves ",
    "likes ",
    "values ",
    "enjoys ",
    "prefers ",
    "follows ",
    "cares about ",
    "appreciates ",
)
# Never spoken, never used to choose: health, faith, origin, politics, orientation, money troubles.
SENSITIVE = re.compile(
    r"怀孕|孕|备孕|流产|疾病|患者|病|癌|糖尿|高血压|抑郁|焦虑|残疾|艾滋|肥胖|脱发|不孕|宗教|信仰|佛教|基督|穆斯林|伊斯兰|种族|民族|"
    r"党员|政治|同性恋|性取向|离婚|单身|丧|负债|贷款|失业|穷|低收入|犯罪|未成年|"
    r"pregnan|diseas|illness|patient|cancer|diabet|depress|anxi|disab|\bhiv\b|obes|religio|christian|muslim|jewish|"
    r"hindu|buddhis|ethnic|\brace\b|racial|politic|republican|democrat|\bgay\b|lesbian|\btrans\b|queer|sexual|"
    r"divorc|widow|\bdebt|bankrupt|unemploy|\bpoor\b|low[- ]income|criminal|\bminor\b",
    re.IGNORECASE,
)


def kind_of(name: str, value: str) -> Kind:
    """The kind of an attribute by its name, else by the look of its value; FEATURE when neither tells."""
    name, word = name.strip().casefold(), value.casefold()
    for kind, names in _NAMES.items():
        # A colour named under "style" is a colour all the same.
        if name in names and not (kind is Kind.STYLE and _is_colour(word)):
            return kind
    if word in _STYLES:
        return Kind.STYLE
    if word in _MATERIALS:
        return Kind.MATERIAL
    return Kind.COLOUR if _is_colour(word) else Kind.FEATURE


def made_of(material: str) -> bool:
    """Whether an English material is what a thing is made of ("brushed steel"), not what is in it."""
    return material.casefold().split(" ")[-1] in _MATERIALS


def describes(name: str, value: str) -> bool:
    """Whether a value that is no style, colour or material describes the thing by itself."""
    bare = name.strip().casefold()
    return bare not in _BARE and bare not in _SEASONAL and not any(char.isdigit() for char in value)


def names_season(name: str) -> bool:
    """Whether the attribute of this name says for which season or occasion an item is."""
    return name.strip().casefold() in _SEASONAL


def speaks(language: str, value: str) -> bool:
    """Whether a common word (no name) may stand in a text of that language."""
    if _OTHER_SCRIPT.search(value):
        return False
    if language == "zh":
        return bool(HAN.search(value)) or not re.search("[A-Za-z]{4,}", value)
    return not HAN.search(value)


def trait_form(language: str, trait: str) -> str:
    """How a trait may be spoken: "adjective", "verb", or "" when it may not (unknown form, sensitive)."""
    if SENSITIVE.search(trait) or not speaks(language, trait):
        return ""
    if language == "zh":
        if len(trait) <= 8 and trait.startswith(_TRAIT_VERBS) and len(trait) > 2:
            return "verb"
        return "adjective" if trait in _TRAITS_ZH else ""
    word = trait.casefold()
    if word.startswith(_TRAIT_VERBS_EN):
        return "verb"
    return "adjective" if word in _TRAITS_EN or word.endswith(_TRAIT_SUFFIXES) else ""


def minds_quality(traits: list[str]) -> bool:
    """Whether the app declared that this user looks at quality first."""
    return any("品质" in trait or "质量" in trait or "quality" in trait.casefold() for trait in traits)


def minds_fun(traits: list[str]) -> bool:
    """Whether the app declared somebody young or lively."""
    return any(word in trait.casefold() for trait in traits for word in ("年轻", "活泼", "young", "playful"))


def _is_colour(word: str) -> bool:
    if _LATIN.search(word):
        return word.split()[-1] in _COLOURS_EN and len(word.split()) <= 3
    return (
        bool(_COLOUR_ZH.fullmatch(word)) and len(word) <= 5 and word not in ("特色", "角色", "出色", "本色")
    )
