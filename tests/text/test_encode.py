from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convsight import InputError
from convsight.text import encode


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's a  Masterpiece!", ["it", "'s", "a", "masterpiece", "!"]),
        ("don't, we've (they'd) you'll?", ["do", "n't", ",", "we", "'ve", "(", "they", "'d", ")", "you", "'ll", "?"]),
        ("so-so; 5/10 – naïve", ["so", "so", "5", "10", "na", "ve"]),
        ("'80s `quoted'", ["'80s", "`quoted'"]),
        ("", []),
    ],
)
def test_english_is_split_as_kims_code_does(text: str, words: list[str]) -> None:
    assert encode.english(text) == words


def test_other_scripts_are_split_at_spaces_and_signs() -> None:
    assert encode.unicode("Größe zählt – nicht!") == ["grösse", "zählt", "–", "nicht", "!"]
    assert encode.unicode("l'été, кино") == ["l'été", ",", "кино"]
    assert encode.unicode("हिन्दी फ़िल्म।") == ["हिन्दी", unicodedata.normalize("NFC", "फ़िल्म"), "।"]
    assert encode.unicode(unicodedata.normalize("NFD", "Café, Größe")) == ["café", ",", "grösse"]
    assert encode.unicode("كِتَابٌ ❤️!") == ["كِتَابٌ", "❤️", "!"]


def test_chinese_is_split_into_words(monkeypatch: pytest.MonkeyPatch) -> None:
    assert encode.chinese("这部电影很好看，ABC 3.5 分！") == ["这部", "电影", "很", "好看", "，", "abc", "3.5", "分", "！"]
    monkeypatch.setitem(sys.modules, "jieba", None)
    with pytest.raises(InputError, match=r"convsight\[chinese\]"):
        encode.chinese("很好")


@given(st.lists(st.text(), max_size=5))
def test_words_that_are_known_have_their_place_and_others_one_of_their_own(texts: list[str]) -> None:
    known = encode.vocabulary(texts, "unicode")
    for text in texts:
        numbers = known.numbers(text)
        assert [known.words[number] for number in numbers] == encode.unicode(text)
        assert encode.UNKNOWN not in numbers
    assert known.numbers("\u2603 never seen")[-1] == encode.UNKNOWN or "seen" in known.words


def test_frequent_words_come_first_and_the_rest_is_left_out() -> None:
    assert encode.vocabulary(["b a a", "c b a"], most=2).words[2:] == ("a", "b")


def test_every_sentence_ends_in_padding() -> None:
    padded = encode.padded([[2, 3, 4], [], [5]])
    assert padded.view(3, 4).tolist() == [[2, 3, 4, 0], [0, 0, 0, 0], [5, 0, 0, 0]]
    assert encode.padded([]).shape == (0, 1, 1, 1)


@given(st.lists(st.lists(st.integers(2, 9), max_size=30)), st.integers(1, 7))
def test_sentences_of_similar_length_go_together_and_none_is_lost(sentences: list[list[int]], batch: int) -> None:
    groups = list(encode.of_similar_length(sentences, batch))
    assert sorted(place for group in groups for place in group) == list(range(len(sentences)))
    lengths = [len(sentences[place]) for group in groups for place in group]
    assert lengths == sorted(lengths) and all(0 < len(group) <= batch for group in groups)
