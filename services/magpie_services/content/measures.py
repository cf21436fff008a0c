"""Chinese measure words: what one counts pieces of an item in."""

import re

from magpie_services.content.scripts import simplified

DEFAULT = "件"
PLACES = "个名额"
# The head noun ends a Chinese title, so the last match decides: 皮鞋收纳盒 is counted as a box.
_UNITS = (
    ("双", "鞋|靴|袜|拖鞋|筷"),
    ("本", "书|绘本|教材|手账本|笔记本|日历|杂志"),
    ("台", "手机|电脑|笔记本电脑|相机|电视|冰箱|洗衣机|音箱|投影仪|打印机|空调|咖啡机|风扇|唱机"),
    ("副", "耳机|眼镜|墨镜|手套|扑克"),
    ("瓶", "香水|精华|红酒|白酒|果汁|洗发水|沐浴露|乳液|酱油|指甲油|面霜"),
    ("盏", "灯|台灯"),
    ("把", "椅|伞|剪刀|菜刀|吉他"),
    ("张", "床|桌|地毯|海报|贺卡|票|瑜伽垫|垫"),
    ("条", "裤|裙|围巾|毛巾|项链|腰带|丝巾|跳绳|围嘴"),
    ("支", "口红|唇釉|唇膏|牙膏|钢笔|牙刷|护手霜|防晒霜|洁面乳|洗面奶|录音笔"),
    ("个", "锅|杯|壶|碗|包|箱|花瓶|奶瓶|盒|靠枕|抱枕|枕头|玩具|摆件|架|蜡烛|眼影盘"),
    ("块", "手表|腕表|香皂"),
    ("枚", "书签|戒指|胸针|徽章"),
    ("盒", "面膜|腮红|粉饼|茶叶|巧克力"),
    ("套", "套装|四件套|餐具|礼盒|套|积木"),
    ("辆", "自行车|滑板车|童车"),
    (PLACES, "课程|课|训练营|体检"),
)
_FINDERS = tuple((unit, re.compile(f"(?:{words})")) for unit, words in _UNITS)


def measure(title: str, category: str, pack: str) -> str:
    """The measure word for an item by its title, else by its category: 件 when neither tells.

    What is not sold in pieces (courses, check-ups) is counted in places.
    """
    if pack != "shop":
        return PLACES
    for text in (simplified(title), simplified(category)):
        found = [(match.end(), unit) for unit, finder in _FINDERS for match in finder.finditer(text)]
        if found:
            return max(found)[1]
    return DEFAULT
