"""Sentences to be spoken: a small grammar and its words, which together hold every phone of English in many neighbourhoods."""

from __future__ import annotations

import random
import re

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_WORDS = {
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
_PATTERNS = (
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
_ARTICLE = re.compile(r"\ba (?=[aeiou])")


def sentences(count: int, *, seed: int = 0) -> list[str]:
    """`count` sentences of English, drawn from `seed`; no two are alike."""
    draw = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        found[sentence(draw)] = None
    return list(found)


def sentence(draw: random.Random) -> str:
    """One sentence of `draw`'s choice."""
    text = draw.choice(_PATTERNS)
    while slot := re.search(r"[A-Z]{4,}", text):
        name = slot.group().lower()
        word = draw.choice(DIGITS if name == "digit" else _WORDS[name].split()).replace("_", " ")
        text = text[: slot.start()] + word + text[slot.end() :]
    return _ARTICLE.sub("an ", text[0].upper() + text[1:])


def words(count: int, *, seed: int = 0) -> list[str]:
    """`count` words to be spoken alone, half of them digits."""
    draw = random.Random(seed)
    known = sorted({word for each in _WORDS.values() for word in each.split() if word.isalpha()})
    return [draw.choice(draw.choice((DIGITS, known))) for _ in range(count)]
