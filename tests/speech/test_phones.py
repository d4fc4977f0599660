from __future__ import annotations

import pytest

from convsight.errors import InputError
from convsight.speech import espeak, mandarin, phones

# Lee and Hon 1989, table II: the labels that are folded into one, and closures and pauses as silence.
LEE_HON = {
    "aa": "aa ao", "ah": "ah ax ax-h", "er": "er axr", "hh": "hh hv", "ih": "ih ix", "l": "l el", "m": "m em", "n": "n en nx",
    "ng": "ng eng", "sh": "sh zh", "uw": "uw ux", "sil": "pcl tcl kcl bcl dcl gcl h# pau epi",
}  # fmt: skip
ALONE = "iy eh ey ae aw ay oy ow uh y r w jh ch b d g p t k dx z v f th s dh"


def test_all_61_labels_of_timit_fold_as_published() -> None:
    published = {label: phone for phone, labels in LEE_HON.items() for label in labels.split()} | {
        each: each for each in ALONE.split()
    }
    assert len(published) == 60
    assert {label: phones.timit(label) for label in published} == published
    assert phones.timit("q") == "" and len({*published.values()}) == 39 == len(phones.PHONES)
    assert {*published.values()} == {*phones.PHONES}


def test_48_are_trained() -> None:
    labels = [label for labels in LEE_HON.values() for label in labels.split()] + ALONE.split()
    assert len({phones.to_48(each) for each in labels}) == 48


def test_alphabets_meet() -> None:
    assert [phones.arpabet(each) for each in ("AH0", "ER1", "ZH", "AO2", "SIL", "")] == ["ah", "er", "sh", "aa", "sil", "sil"]
    assert [phones.ipa(each) for each in ("ə", "ˈɑː", "tʃ", "ŋ", "ɹ", "")] == ["ah", "aa", "ch", "ng", "r", "sil"]
    assert phones.espeak("'A@") == ("aa", "r") and phones.espeak("_:") == ("sil",) and phones.espeak(";") == ()
    assert phones.reader_of(["h#", "ix", "dcl"]) is phones.timit
    assert phones.reader_of(["AH0", "T", ""]) is phones.arpabet
    assert phones.reader_of(["ə", "t", "", "spn"]) is phones.ipa


@pytest.mark.parametrize(
    ("spoken", "pinyin", "ipa", "expected"),
    [
        ("庄", "zh uang1", "ʈʂ w a˥ ŋ", "jh w aa ng"),
        ("七", "q i1", "tɕʰ i˥", "ch iy"),
        ("比", "b i3", "p i˨˩˦", "b iy"),
        ("皮", "p i2", "pʰ i˧˥", "p iy"),
        ("学", "x üe2", "ɕ ɥ e˧˥", "sh y eh"),
        ("绿", "l v4", "l y˥˩", "l iy"),
        ("热", "r e4", "ʐ ɤ˥˩", "r ah"),
        ("早", "z ao3", "ts aw˨˩˦", "d z aw"),
        ("草", "c ao3", "tsʰ aw˨˩˦", "t s aw"),
        ("红", "h ong2", "x ʊ˧˥ ŋ", "hh uh ng"),
        ("六", "l iu4", "l j ow˥˩", "l y ow"),
        ("快", "k uai4", "kʰ w aj˥˩", "k w ay"),
        ("天", "t ian1", "tʰ j ɛ˥ n", "t y eh n"),
        ("耳", "er3", "ɚ˨˩˦", "aa r"),
    ],
)
def test_mandarins_alphabets_meet(spoken: str, pinyin: str, ipa: str, expected: str) -> None:
    sounds = [label for _, label in espeak.speak(spoken, language="cmn").phonemes if not label.startswith("_")]
    heard = " ".join(phone for label in sounds for phone in phones.espeak(label, "mandarin"))
    assert heard.replace("w w", "w").replace("y y", "y") == expected
    assert " ".join(map(mandarin.pinyin, pinyin.split())) == " ".join(map(mandarin.ipa, ipa.split())) == expected
    assert {*expected.split()} < {*phones.PHONES}


def test_mandarin_is_told_from_english_by_its_labels() -> None:
    assert phones.reader_of(["zh", "ong1", "x", "i4"]) is mandarin.pinyin
    assert phones.reader_of(["p", "a˥", "tɕ", ""]) is mandarin.ipa
    assert phones.reader_of(["p", "a", "t"]) is phones.ipa


def test_what_is_no_phone_is_said() -> None:
    with pytest.raises(InputError, match='"xx" is none of the 61 labels'):
        phones.timit("xx")
    for language in ("english", "mandarin"):
        with pytest.raises(InputError, match='espeak-ng\'s phoneme "Q"'):
            phones.espeak("Q", language)
    with pytest.raises(InputError, match='neither of TIMIT, of ARPAbet, of pinyin nor of IPA: "ß"'):
        phones.reader_of(["ɑ", "t", "ß"])


def test_every_phone_is_voiced_or_not() -> None:
    assert {*phones.PHONES} > phones.VOICED
    assert {*phones.PHONES} - phones.VOICED == {"ch", "f", "hh", "k", "p", "s", "sh", "sil", "t", "th"}
