"""Mandarin's sounds as the phones of English that are nearest; tones are left out.

Contrasts that English has are kept as pinyin spells them: sounds without a breath (b, d, g, j, zh, z) become the voiced ones,
those with it (p, t, k, q, ch, c) the voiceless. What English lacks becomes its neighbour: x and sh "sh", h "hh", r "r", ü "iy",
e "ah", and the vowels of si and shi "ih"; z and c are two phones each.
"""

from __future__ import annotations

import re

from convsight.errors import InputError

_ESPEAK = {
    "p": "b", "ph": "p", "t": "d", "th": "t", "k": "g", "kh": "k", "ts": "d z", "tsh": "t s", "ts.": "jh", "ts.h": "ch",
    "tS;": "jh", "tS;h": "ch", "s.": "sh", "S;": "sh", "z.": "r", "X": "hh", "j": "y", "N": "ng", "N-": "ng",
    "A": "aa", "a": "aa", "o": "ow", "o-": "ah", "@": "ah", "@r": "aa r", "i": "iy", "i.": "ih", "i[": "ih", "u": "uw",
    "y": "iy", "ai": "ay", "Au": "aw", "ei": "ey", "ou": "ow", "ong": "uh ng", "iA": "y aa", "iE": "y eh", "iou": "y ow",
    "ua": "w aa", "uo": "w ow", "uai": "w ay", "uei": "w ey", "u@": "w ah", "y&": "y eh", "y@": "iy", "yE": "y eh",
}  # fmt: skip
_SAME = frozenset({"f", "l", "m", "n", "s", "w"})
_SILENT = ("", "sil", "sp", "spn")
_INITIALS = {
    "b": "b", "p": "p", "d": "d", "t": "t", "g": "g", "k": "k", "h": "hh", "j": "jh", "q": "ch", "x": "sh", "zh": "jh",
    "ch": "ch", "sh": "sh", "r": "r", "z": "d z", "c": "t s", "y": "y", "ng": "ng",
}  # fmt: skip
_FINALS = {
    "a": "aa", "o": "ow", "e": "ah", "ê": "eh", "ai": "ay", "ei": "ey", "ao": "aw", "ou": "ow", "an": "aa n", "en": "ah n",
    "ang": "aa ng", "eng": "ah ng", "ong": "uh ng", "er": "aa r", "i": "iy", "ia": "y aa", "ie": "y eh", "iao": "y aw",
    "iu": "y ow", "iou": "y ow", "ian": "y eh n", "in": "iy n", "iang": "y aa ng", "ing": "iy ng", "iong": "y uh ng", "u": "uw",
    "ua": "w aa", "uo": "w ow", "uai": "w ay", "ui": "w ey", "uei": "w ey", "uan": "w aa n", "un": "w ah n", "uen": "w ah n",
    "uang": "w aa ng", "ueng": "w ah ng", "ü": "iy", "üe": "y eh", "üan": "y eh n", "ün": "iy n",
}  # fmt: skip
_IPA = {
    "p": "b", "pʰ": "p", "t": "d", "tʰ": "t", "k": "g", "kʰ": "k", "ts": "d z", "tsʰ": "t s", "ʈʂ": "jh", "ʈʂʰ": "ch",
    "tʂ": "jh", "tʂʰ": "ch", "tɕ": "jh", "tɕʰ": "ch", "ʂ": "sh", "ɕ": "sh", "ʐ": "r", "ɻ": "r", "x": "hh", "h": "hh",
    "j": "y", "ɥ": "y", "ŋ": "ng", "ɲ": "n", "ʎ": "l", "ʐ̩": "ih", "z̩": "ih", "ɹ̩": "ih", "ɻ̩": "ih", "ʔ": "",
    "a": "aa", "ɑ": "aa", "o": "ow", "ɔ": "ow", "ɤ": "ah", "ə": "ah", "ɚ": "aa r", "e": "eh", "ɛ": "eh", "i": "iy", "ɨ": "ih",
    "u": "uw", "ʊ": "uh", "y": "iy", "ai": "ay", "aj": "ay", "ei": "ey", "ej": "ey", "au": "aw", "aw": "aw", "ou": "ow",
    "ow": "ow", "io": "y ow",
}  # fmt: skip
_TONE = re.compile(r"[0-9˥˦˧˨˩ˈ]|(?<=.)ː")


def espeak(label: str) -> str:
    """The phones of one segment of espeak-ng's Mandarin, such as "'iou", spaces between. Raises InputError if unknown."""
    name = label.lstrip("',%=|")
    if name not in _ESPEAK and name not in _SAME:
        raise InputError(f'espeak-ng\'s phoneme "{label}" is none of Mandarin: it takes part of the text for another language')
    return _ESPEAK.get(name, name)


def pinyin(label: str) -> str:
    """The phones of an initial or a final in pinyin, such as "zh" or "iang1", spaces between; else InputError."""
    name = _TONE.sub("", label.strip().lower()).replace("u:", "ü").replace("v", "ü")
    return _known({**_INITIALS, **_FINALS}, name, f'"{label}" is no initial and no final of pinyin')


def ipa(label: str) -> str:
    """The phones of a sound of Mandarin in IPA, such as "tɕʰ" or "aw˥˩", spaces between; else InputError."""
    return _known(_IPA, _TONE.sub("", label.strip()), f'"{label}" is no phone of Mandarin in IPA that is known here')


def _known(table: dict[str, str], name: str, problem: str) -> str:
    found = "sil" if name in _SILENT else table.get(name, name if name in _SAME else None)
    if found is None:
        raise InputError(problem)
    return found
