"""Phones, and how the alphabets in which people write them map onto the 39 that recognisers are scored with.

Source of the folding: Lee and Hon 1989, "Speaker-independent phone recognition using hidden Markov models", table II.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from convsight.errors import InputError, did_you_mean
from convsight.speech import mandarin

Language = Literal["english", "mandarin"]
SILENCE = "sil"
PHONES = (
    "aa", "ae", "ah", "aw", "ay", "b", "ch", "d", "dh", "dx", "eh", "er", "ey", "f", "g", "hh", "ih", "iy", "jh", "k", "l", "m",
    "n", "ng", "ow", "oy", "p", "r", "s", "sh", SILENCE, "t", "th", "uh", "uw", "v", "w", "y", "z",
)  # fmt: skip
VOICED = frozenset(PHONES) - {"ch", "f", "hh", "k", "p", "s", "sh", SILENCE, "t", "th"}

# TIMIT's 61 labels to the 48 that are trained; those not named stay, and q, the glottal stop, is no phone of its own.
_TO_48 = {
    "ux": "uw", "axr": "er", "em": "m", "nx": "n", "eng": "ng", "hv": "hh", "ax-h": "ax",
    "pcl": "cl", "tcl": "cl", "kcl": "cl", "qcl": "cl", "bcl": "vcl", "dcl": "vcl", "gcl": "vcl", "h#": "sil", "#h": "sil",
    "pau": "sil",
}  # fmt: skip
_TO_39 = {
    "cl": "sil", "vcl": "sil", "epi": "sil", "el": "l", "en": "n", "zh": "sh", "ao": "aa", "ix": "ih", "ax": "ah",
}  # fmt: skip
TIMIT = frozenset({*PHONES, *_TO_39, *_TO_48, "q"})

_ESPEAK = {
    "_": "sil", "_:": "sil", "_|": "sil", "_!": "sil", "_::": "sil", ";": "", "?": "t",
    "I": "ih", "I2": "ih", "I#": "ih", "i": "iy", "i:": "iy", "E": "eh", "E2": "eh", "a": "ae", "aa": "ae", "a#": "ah",
    "@": "ah", "@2": "ah", "@-": "ah", "@L": "l", "V": "ah", "3": "er", "3:": "er", "0": "aa", "0#": "ah", "O": "aa",
    "O:": "aa", "O2": "aa", "A:": "aa", "A@": "aa r", "O@": "aa r", "o@": "aa r", "e@": "eh r", "i@": "iy ah", "i@3": "ih r",
    "U@": "uh r", "aI": "ay", "aI@": "ay ah", "aI3": "ay er", "aU": "aw", "aU@": "aw ah", "OI": "oy", "eI": "ey", "oU": "ow",
    "U": "uh", "u:": "uw", "tS": "ch", "dZ": "jh", "S": "sh", "Z": "sh", "T": "th", "D": "dh", "N": "ng", "j": "y", "h": "hh",
    "r-": "r", "n-": "n", "t#": "dx", "t2": "t", "x": "k",
}  # fmt: skip
_IPA = {
    "ɑ": "aa", "ɒ": "aa", "ɔ": "aa", "æ": "ae", "a": "ae", "ʌ": "ah", "ə": "ah", "ɐ": "ah", "aʊ": "aw", "aɪ": "ay",
    "tʃ": "ch", "ʧ": "ch", "ð": "dh", "ɾ": "dx", "ɛ": "eh", "e": "eh", "ɜ": "er", "ɝ": "er", "ɚ": "er", "eɪ": "ey",
    "ɡ": "g", "h": "hh", "ɪ": "ih", "ᵻ": "ih", "i": "iy", "dʒ": "jh", "ʤ": "jh", "ŋ": "ng", "oʊ": "ow", "əʊ": "ow", "o": "ow",
    "ɔɪ": "oy", "ɹ": "r", "ɻ": "r", "ɫ": "l", "ʃ": "sh", "ʒ": "sh", "θ": "th", "ʊ": "uh", "u": "uw", "j": "y", "ʔ": "t",
}  # fmt: skip
_SILENT = frozenset({"", "sp", "spn", "<sil>", "+spn+", "+nsn+"})  # as aligners write it
_MARKS = re.compile(r"[ˈˌː̩̃ˑʰ͡'’.]")


def timit(label: str) -> str:
    """One of TIMIT's 61 labels as one of 39 phones; "" for q, which is left out.

    Raises InputError if there is no such label.
    """
    if label not in TIMIT:
        raise InputError(f'"{label}" is none of the 61 labels of TIMIT{did_you_mean(label, sorted(TIMIT))}')
    return "" if label == "q" else folded(to_48(label))


def to_48(label: str) -> str:
    """One of TIMIT's 61 labels as one of the 48 that are trained on."""
    return _TO_48.get(label, label)


def folded(phone: str) -> str:
    """One of the 48 as one of the 39 that are scored."""
    return _TO_39.get(phone, phone)


def arpabet(label: str) -> str:
    """A phone as pronouncing dictionaries write it, such as AH0 or SIL; the same 39. Raises InputError if there is none."""
    name = label.rstrip("012").lower()
    return SILENCE if name in _SILENT else timit(name)


def espeak(label: str, language: Language = "english") -> tuple[str, ...]:
    """The phones of one segment of espeak-ng's speech, such as "'oU": none, one, or two that run together.

    Raises InputError if it isn't known.
    """
    name = label.lstrip("',%=|")
    if language == "mandarin" and not name.startswith("_"):
        return tuple(mandarin.espeak(label).split())
    found = _ESPEAK.get(name, name)
    if any(each not in PHONES for each in found.split()):
        raise InputError(f'espeak-ng\'s phoneme "{label}" is none of American English that is known here')
    return tuple(found.split())


def ipa(label: str) -> str:
    """A phone of English in the International Phonetic Alphabet, one of 39. Raises InputError if it is none."""
    name = _MARKS.sub("", label.strip())
    found = SILENCE if name in _SILENT else _IPA.get(name, name)
    if found not in PHONES:
        raise InputError(f'"{label}" is no phone of English in IPA that is known here')
    return found


def reader_of(labels: Iterable[str]) -> Callable[[str], str]:
    """What reads all of `labels`, to some of the 39, spaces between: TIMIT's names, ARPAbet's, IPA, or pinyin.

    Raises InputError if none of them does.
    """
    given = sorted(set(labels))
    unread: Mapping[str, str] = {}
    for read in (timit, arpabet, ipa, mandarin.pinyin, mandarin.ipa):
        problems = {}
        for label in given:
            try:
                read(label)
            except InputError as error:
                problems[label] = str(error)
        if not problems:
            return read
        unread = min(unread or problems, problems, key=len)
    names = ", ".join(f'"{each}"' for each in list(unread)[:5])
    raise InputError(f"these labels are phones neither of TIMIT, of ARPAbet, of pinyin nor of IPA: {names}")
