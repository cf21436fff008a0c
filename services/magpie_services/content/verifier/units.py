"""Units and measures, each with the dimension it measures and how many of the smallest unit it is."""

import re
from decimal import Decimal
from typing import NamedTuple


class Quantity(NamedTuple):
    """An amount of a dimension; "count" for pieces of anything, "" for a number that stands alone."""

    value: Decimal
    dimension: str


_TABLE = """
volume: ml 毫升 cc =1, cl 厘升 =10, l 升 公升 liter liters litre litres =1000, fl_oz =29.5735
volume: gal gallon gallons =3785.41
mass: mg 毫克 =0.001, g 克 gram grams gr =1, kg 千克 公斤 kilo kilos kilogram kilograms =1000, 斤 =500
mass: 两重 =50, oz ounce ounces 盎司 =28.3495, lb lbs pound_weight 磅 =453.592
mass: 吨 ton tons tonne tonnes =1000000
length: mm 毫米 =1, cm 厘米 公分 =10, dm 分米 =100, m 米 公尺 meter meters metre metres =1000
length: km 公里 千米 =1000000, inch inches in. 英寸 吋 寸 =25.4, ft foot feet 英尺 =304.8
length: yd yard yards 码长 =914.4, mile miles 英里 =1609344
area: sqm m² m2 平方米 平米 ㎡ =1, sqft 平方英尺 =0.092903
power: w 瓦 watt watts =1, kw 千瓦 kilowatt =1000
energy: wh =1, kwh 度电 =1000
charge: mah 毫安时 毫安 =1, ah =1000
voltage: v 伏 volt volts =1
frequency: hz 赫兹 =1, khz =1000, mhz =1000000, ghz =1000000000
memory: kb =0.001, mb =1, gb g内存 =1024, tb =1048576
pixels: px 像素 =1, 万像素 =10000, mp megapixel megapixels =1000000
heat: kcal 大卡 千卡 cal 卡路里 =1, kj 千焦 =0.239
temperature: °c ℃ c度 摄氏度 =1, °f =1
angle: ° degrees =1
sound: db 分贝 =1
light: lm 流明 lumens =1
gold: k金 =1
yarn: 支纱 =1
age: 岁 周岁 years_old year-old yrs_old =1
turns: rpm 转 =1
speed: km/h kmh 公里/小时 mbps =1
thread: dpi =1, spf =1
lens: mm镜头 =1
time: 秒 秒钟 second seconds sec secs s =1, 分钟 minute minutes min mins =60
time: 小时 个小时 钟头 hour hours hr hrs h =3600, 天 日 day days =86400
time: 周 星期 个星期 礼拜 week weeks =604800, 个月 month months =2592000, 年 year years yr yrs =31536000
times: 倍 times x =1
size: 码 号 =1
"""
_COUNTS = (
    "件套|件|个|只|支|枝|枚|片|张|套|双|对|条|瓶|盒|袋|包|罐|桶|箱|本|册|卷|块|颗|粒|根|把|"
    "台|部|座|幅|株|盆|组|款|种|层|格|档|头|朵|束|盏|"
    "副|杯|碗|盘|壶|串|节|课|讲|集|章|页|题|门|句|项|步|位|名|人|席|份|次|色|孔|口|片装|只装|支装|瓶装|个装|"
    "pieces?|pcs?|packs?|sets?|pairs?|bottles?|boxes|box|bags?|sheets?|items?|units?|"
    "tablets?|capsules?|sachets?|rolls?|"
    "slices?|lessons?|chapters?|pages?|colou?rs?|people|persons?|places?|ply|piece"
)


def _units() -> dict[str, tuple[str, Decimal]]:
    units: dict[str, tuple[str, Decimal]] = {}
    for line in _TABLE.strip().splitlines():
        dimension, _, groups = line.partition(": ")
        for group in groups.split(", "):
            words, _, factor = group.rpartition(" =")
            for word in words.split():
                units[word.replace("_", " ")] = (dimension, Decimal(factor))
    return units


_UNITS = _units()
_WORDS = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_UNIT = re.compile(
    rf"[ -]?({_WORDS})(?:(?<![a-z])|(?![a-z]))|[ -]?({_COUNTS})(?:(?<![a-z])|(?![a-z0-9]))|"
    r"([\"”″]|''| in(?= ?(?:[,;:)\n]|$)))"
)
_COUNT_BEFORE = re.compile(r"(?:set|pack|box|case|pair|bundle|lot) of $")


def quantity(value: Decimal, view: str, start: int, end: int) -> tuple[Quantity, int]:
    """What a number at [start, end) counts or measures, and where its unit ends."""
    found = _UNIT.match(view, end)
    if found is None:
        counted = _COUNT_BEFORE.search(view, max(0, start - 12), start)
        return Quantity(value.normalize(), "count" if counted else ""), end
    if found[1]:
        dimension, factor = _UNITS[found[1]]
        return Quantity((value * factor).normalize(), dimension), found.end()
    if found[2]:
        return Quantity(value.normalize(), "count"), found.end()
    return Quantity((value * Decimal("25.4")).normalize(), "length"), found.end()
