"""Sentences to be spoken: for each language a small grammar and its words, which hold every phone in many neighbourhoods."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convsight.speech.phones import Language

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_ENGLISH = {
    "noun": """
        apple bird boat bottle bridge brother butcher camera candle carpet castle chair cherry child church circle cloud coffee
        cottage cousin creature curtain daughter desert doctor dragon drawer eagle engine farmer father feather finger fire
        flower forest friend garage garden giant glove guitar hammer harbour heart hedge horse hour hunter island jacket jewel
        judge juice jungle kettle key kitchen knife ladder lawyer leather letter lion machine market meadow measure
        mother mouth mountain mushroom needle neighbour nurse ocean onion orange oven owl oyster package painter palace paper
        path pepper pigeon pillow planet pocket potato pleasure puzzle queen question rabbit radio railway river roof rope
        sailor scissors shadow shepherd ship shoe shoulder singer sister soldier spider spoon square station stranger street
        sugar table teacher theatre thief thumb thunder tiger tooth toy tower treasure tree uncle usher valley village voice
        vase wagon wall watch water weather whale wheel window winter witch wolf wool yard youth zebra zoo television vision
    """,
    "person": """
        Alice Anthony Beth Carla Charles Charlotte David Dorothy Edward Emma Ethan Faith George Grace Hannah Hugo Ian Isabel
        Jack Joyce Judith Julia Keith Laura Leo Lucy Margaret Martha Matthew Nathan Oliver Paul Peter Rachel Roy Ruth Samuel
        Sarah Sheila Simon Sophie Thomas Timothy Victor Vivian Walter William Yolanda Zoe
    """,
    "verb": """
        admired borrowed bought breathed broke brought built carried caught chased checked cleaned covered crushed described
        divided dragged drew dropped enjoyed examined explored fetched filled finished followed forgot found gathered guarded
        handed heard hid ignored imagined joined kicked kissed lifted liked loved measured mentioned missed moved noticed
        offered opened painted passed pointed polished pulled pushed reached refused remembered repaired saw sent shared shook
        showed sketched smelled sold stole studied taught threw touched trusted understood used visited wanted washed watched
        weighed wrapped
    """,
    "adjective": """
        ancient angry beautiful big blue brave bright broken calm careful cheap clever cold curious dark deep delicate dusty
        early empty enormous fair famous fresh friendly funny gentle golden good green happy heavy hollow honest huge hungry
        large lazy little lonely long loud lovely lucky mighty modern narrow neat noisy odd old orange patient pleasant poor
        proud quick quiet rare red rich rough round royal rusty sharp shiny short shy silent slow small smooth soft southern
        strange strong sure sweet tall thick thin tiny tough usual useful various warm weary wet white wide wild wise wooden
        yellow young
    """,
    "adverb": """
        again already always badly carefully early easily finally gently happily later loudly often perhaps quickly quietly
        seldom slowly soon suddenly together today tomorrow usually yesterday
    """,
    "place": """
        above_the_NOUN across_the_NOUN along_the_NOUN among_the_NOUNs around_the_NOUN behind_the_NOUN below_the_NOUN
        beside_the_NOUN between_the_NOUNs beyond_the_NOUN by_the_NOUN from_the_NOUN in_the_NOUN near_the_NOUN on_the_NOUN
        over_the_NOUN through_the_NOUN towards_the_NOUN under_the_NOUN with_a_NOUN without_the_NOUN
    """,
    "number": "two three four five six seven eight nine ten eleven twelve thirteen twenty fifty a_hundred a_thousand",
}
_ENGLISH_PATTERNS = (
    "The ADJECTIVE NOUN VERB the NOUN PLACE.",
    "PERSON VERB NUMBER ADJECTIVE NOUNs PLACE.",
    "ADVERB, PERSON and PERSON VERB a ADJECTIVE NOUN.",
    "Did PERSON say that the NOUN VERB their NOUN?",
    "These NOUNs are ADJECTIVE, but those NOUNs are ADJECTIVE and ADJECTIVE.",
    "PERSON, who VERB the NOUN, is as ADJECTIVE as a NOUN.",
    "We thought the NOUN PLACE was ADJECTIVE.",
    "NUMBER NOUNs and NUMBER NOUNs VERB the NOUN ADVERB.",
    "You should put the ADJECTIVE NOUN PLACE, he said ADVERB.",
    "Why would a ADJECTIVE NOUN be PLACE?",
    "It was the NOUN that PERSON VERB ADVERB, not the NOUN.",
    "I know which NOUN VERB PERSON PLACE.",
    "Both NOUNs could see her PLACE.",
    "DIGIT DIGIT DIGIT DIGIT DIGIT.",
)
_MANDARIN = {
    "noun": """
        苹果 书包 电话 汽车 飞机 火车 房子 窗户 桌子 椅子 杯子 面包 鸡蛋 牛奶 米饭 蔬菜 水果 西瓜 葡萄 橘子 茶叶 咖啡
        糖果 蛋糕 衣服 裤子 毛衣 帽子 鞋子 手套 雨伞 钥匙 剪刀 铅笔 报纸 词典 地图 照片 礼物 玩具 足球 篮球 钢琴 电脑
        机器 冰箱 灯笼 蜡烛 石头 树叶 花园 草地 河流 湖水 月亮 星星 太阳 云彩 雪花 森林 老虎 狮子 大象 猴子 兔子 乌龟
        鸭子 蝴蝶 蚂蚁 鲤鱼 公鸡 绵羊 骆驼 松鼠 孔雀 袋子 瓶子 船票 邮票 故事 消息 问题 计划 钱包 绿豆 白云 春天
    """,
    "person": """
        小明 小红 老王 老李 妈妈 爸爸 爷爷 奶奶 哥哥 姐姐 弟弟 妹妹 叔叔 老师 医生 司机 厨师 画家 农民 工人 学生 邻居
        朋友 同学 警察 记者 护士 校长 女儿 律师
    """,
    "verb": """
        看见 找到 买到 卖掉 送来 拿走 洗净 打开 关上 画好 修好 带来 借走 忘记 爱上 想起 听说 发现 得到 放下 扔掉 推开
        拉住 抓住 摸到 尝过 选好 收拾 观察 保护
    """,
    "adjective": """
        漂亮 干净 聪明 勇敢 安静 热闹 新鲜 古老 巨大 细小 柔软 坚硬 光滑 粗糙 温暖 寒冷 潮湿 干燥 明亮 黑暗 便宜 昂贵
        简单 复杂 奇怪 普通 有趣 无聊 红色 绿色 蓝色 紫色 白色 黄色
    """,
    "place": """
        在学校 在公园 在厨房 在车站 在海边 在山上 在河边 在超市 在医院 在图书馆 在院子里 在大街上 在屋顶上 在树林里
        在北京 在上海 在广州 在村子里 在桥上 在门口
    """,
    "time": "今天 昨天 明年 去年 早上 中午 下午 晚上 最近 刚才 周末 夏天 秋天 冬天 上个月 星期六",
    "number": "两种 三种 四种 五种 六种 七种 八种 九种 十种 二十种 一百种 几种 许多",
}
_MANDARIN_PATTERNS = (
    "PERSON PLACE VERB了 NUMBER NOUN。",
    "TIME ， PERSON和 PERSON PLACE VERB了 NOUN。",
    "这些 NOUN很 ADJECTIVE ， 那些 NOUN不 ADJECTIVE。",
    "ADJECTIVE的 NOUN PLACE。",
    "PERSON说 PERSON没有 VERB他们的 NOUN。",
    "你知道 PERSON为什么 VERB ADJECTIVE的 NOUN吗？",
    "如果 TIME不下雨 ， 我们就去找 NOUN。",
    "PERSON把 NOUN放 PLACE ， 然后就走了。",
    "NUMBER NOUN和 NUMBER NOUN ， 都是 PERSON的。",
    "TIME的 NOUN比 TIME的更 ADJECTIVE。",
    "DIGIT DIGIT DIGIT DIGIT DIGIT。",
)
_MANDARIN_DIGITS = ("零", "一", "二", "三", "四", "五", "六", "七", "八", "九")
_ARTICLE = re.compile(r"\ba (?=[aeiou])")


@dataclass(frozen=True)
class _Grammar:
    """`patterns` with slots, in capitals, for `words`; `space` stands between words."""

    patterns: Sequence[str]
    words: Mapping[str, str]
    digits: Sequence[str]
    space: str = " "


_GRAMMARS: Mapping[Language, _Grammar] = {
    "english": _Grammar(_ENGLISH_PATTERNS, _ENGLISH, DIGITS),
    "mandarin": _Grammar(_MANDARIN_PATTERNS, _MANDARIN, _MANDARIN_DIGITS, space=""),
}


def sentences(count: int, *, seed: int = 0, language: Language = "english") -> list[str]:
    """`count` sentences, drawn from `seed`; no two are alike."""
    draw = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        found[sentence(draw, language)] = None
    return list(found)


def sentence(draw: random.Random, language: Language = "english") -> str:
    """One sentence of `draw`'s choice."""
    grammar = _GRAMMARS[language]
    text = draw.choice(grammar.patterns)
    while slot := re.search(r"[A-Z]{4,}", text):
        name = slot.group().lower()
        word = draw.choice(grammar.digits if name == "digit" else grammar.words[name].split()).replace("_", " ")
        text = text[: slot.start()] + word + text[slot.end() :]
    return _ARTICLE.sub("an ", text[0].upper() + text[1:]).replace(" ", grammar.space)


def words(count: int, *, seed: int = 0, language: Language = "english") -> list[str]:
    """`count` words to be spoken alone, half of them digits."""
    draw, grammar = random.Random(seed), _GRAMMARS[language]
    known = sorted({word for each in grammar.words.values() for word in each.split() if word.isalpha()})
    return [draw.choice(draw.choice((grammar.digits, known))) for _ in range(count)]
