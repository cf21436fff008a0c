"""Words known before any catalogue was read: what colours, materials and styles are called everywhere.

They stand in for a lexicon where a shop has no attributes to learn from, and yield to what is learnt.
"""

from magpie_services.content.attributes import Kind

# How far a word is trusted that no catalogue speaks for yet.
CONFIDENCE = 0.8


def _words(table: str) -> frozenset[str]:
    return frozenset(word.replace("_", " ") for word in table.split())


_HUES_ZH = "红橙黄绿青蓝紫黑白灰粉棕褐金银杏驼"
_SHADES_ZH = _words(
    """
    浅红 浅黄 浅绿 浅蓝 浅紫 浅灰 浅粉 浅棕 深红 深绿 深蓝 深紫 深灰 深棕 大红 正红 酒红 枣红 砖红 玫红
    暗红 橘红 粉红 米黄 姜黄 鹅黄 杏黄 柠檬黄 墨绿 军绿 翠绿 草绿 果绿 薄荷绿 橄榄绿 豆绿 抹茶绿 孔雀绿
    暗绿 天蓝 宝蓝 湖蓝 海蓝 雾蓝 藏蓝 藏青 克莱因蓝 孔雀蓝 牛仔蓝 冰蓝 粉蓝 香芋紫 雪青 炭黑 曜石黑 米白
    象牙白 奶白 乳白 月白 珍珠白 银灰 烟灰 炭灰 雾灰 高级灰 樱花粉 藕粉 裸粉 豆沙粉 玫瑰金 香槟金 卡其
    咖啡色 巧克力色 焦糖色 奶茶色 米色 原木色 奶油色 肤色 裸色 透明色 古铜色 琥珀色 橘色 香槟色 酒红色
    栗色
    """
)
_COLOURS_EN = _words(
    """
    beige black blue brown burgundy charcoal gray green grey indigo ivory khaki lilac magenta
    maroon navy pink purple red scarlet tan taupe teal turquoise violet white yellow off-white navy_blue
    sky_blue royal_blue light_blue dark_blue baby_blue dark_green light_green forest_green olive_green
    mint_green emerald_green light_grey dark_grey light_gray dark_gray rose_gold dark_red brick_red
    hot_pink light_pink dusty_pink mustard_yellow dark_brown light_brown
    """
)
_MATERIALS_ZH = _words(
    """
    不锈钢 丝绸 亚麻 实木 尼龙 桑蚕丝 纯棉 全棉 有机棉 棉麻 棉布 橡木 榉木 松木 涤纶 聚酯纤维 牛皮 羊皮
    头层牛皮 玻璃 高硼硅玻璃 皮革 真丝 真皮 硅胶 竹制 竹纤维 羊毛 羊绒 胡桃木 钛合金 铝合金 陶瓷 骨瓷
    帆布 牛仔布 灯芯绒 雪纺 丝绒 天鹅绒 莫代尔 天丝 氨纶 腈纶 羽绒 鹅绒 白鸭绒 网布 绒面革 铸铁 黄铜
    大理石 珍珠 乳胶 黑胡桃木 再生聚酯 碳纤维
    """
)
_MATERIALS_EN = _words(
    """
    acrylic aluminium aluminum bamboo brass canvas cashmere cast_iron ceramic chiffon corduroy cotton
    denim fleece leather linen lycra marble merino_wool mulberry_silk nylon oak organic_cotton polyester
    porcelain rattan satin silicone silk solid_wood spandex stainless_steel stoneware suede titanium
    tweed velvet viscose walnut wicker wool faux_leather faux_fur faux_suede vegan_leather
    recycled_polyester carbon_fibre carbon_fiber
    """
)
_STYLES_ZH = _words(
    """
    个性 中式 休闲 优雅 北欧 北欧风 古典 可爱 商务 复古 学院风 宽松 工装 文艺 日系 时尚 极简 森系 欧式
    民族风 法式 清新 潮流 现代 甜美 田园 百搭 简洁 简约 经典 美式 英伦 街头 轻奢 运动风 通勤 韩系 韩版
    新中式 国风 波西米亚
    """
)
_STYLES_EN = _words(
    """
    bohemian boho casual chic classic contemporary elegant fashionable industrial minimalist modern
    playful preppy retro romantic rustic scandinavian sporty stylish vintage mid-century art_deco
    streetwear
    """
)

#: Words by the kind of attribute that they are a value of.
WORDS: dict[Kind, frozenset[str]] = {
    Kind.COLOUR: frozenset(
        {f"{hue}色" for hue in _HUES_ZH}
        | _SHADES_ZH
        | {f"{shade}色" for shade in _SHADES_ZH if not shade.endswith("色")}
        | _COLOURS_EN
    ),
    Kind.MATERIAL: _MATERIALS_ZH | _MATERIALS_EN,
    Kind.STYLE: _STYLES_ZH | _STYLES_EN,
}

#: Words with another within them that they do not mean.
BLOCKERS = _words(
    """
    蓝牙 蓝莓 蓝光 蓝鲸 红酒 红茶 红糖 红枣 红豆 红外 红包 网红 口红 白酒 白领 白菜 白茶 白糖 美白 洁白
    白噪音 黑胶 黑茶 黑科技 黑芝麻 绿茶 绿豆 绿植 绿色食品 绿色环保 黄金 黄油 黄豆 黄瓜 金属 金融 资金
    银行 粉底 粉刺 奶粉 面粉 粉丝 粉末 蛋白粉 棉签 棉花糖 石棉 海绵 竹笋 竹炭 玻璃水 玻尿酸 皮肤 皮带扣
    橙汁 橙子 紫薯 紫外线 紫砂 青年 青春 青少年 青菜 灰尘 咖啡机 咖啡壶 咖啡杯 咖啡豆 咖啡粉 毛巾
    时尚杂志 现代人 经典款式 特色 角色 出色 本色 染色 色差 变色 多色 彩色 全色 润色 双色 防褪色 black_tea
    green_tea white_tea red_wine white_wine blue_light red_light black_friday white_noise blue_cheese
    black_pepper red_pepper green_beans black_beans brown_rice brown_sugar white_chocolate white_rice
    red_cross green_energy green_card blackboard whiteboard cotton_candy cotton_swab cotton_swabs
    cotton_buds cotton_balls cotton_pads glass_cleaner oak_tree lavender_oil lavender_scent steel_cut
    modern_history classic_rock white_paper black_box red_bull red_rose red_roses
    """
)
