"""A sentence as numbers of words, and sentences as a tensor in which padding cannot be seen.

Every sentence ends in at least one place of padding, whose vector is zero. So each filter, which is padded wide, meets a window
of padding alone in every sentence, and more padding adds nothing that the maximum over time did not see.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import torch
from torch import Tensor

from convsight.errors import InputError, extra

PADDING, UNKNOWN = 0, 1
_WORDS_AT_ONCE = 100_000
_OTHER = re.compile(r"[^A-Za-z0-9(),!?'`]")
_CLITIC = re.compile(r"n't|'(?:s|ve|re|d|ll)")
_MARK = re.compile(r"[,!()?]")


def english(text: str) -> list[str]:
    """Words in small letters, clitics such as n't apart; of other signs only , ! ? ( ) stay. Source: Kim 2014, clean_str."""
    plain = _OTHER.sub(" ", text)
    return _MARK.sub(r" \g<0> ", _CLITIC.sub(r" \g<0>", plain)).lower().split()


def unicode(text: str) -> list[str]:
    """Words of any script that writes spaces, in small letters (Unicode's case folding), and every other sign alone."""
    return _word_or_sign().findall(unicodedata.normalize("NFC", text.casefold()))


def chinese(text: str) -> list[str]:
    """Words as jieba finds them, and every other sign alone. Raises InputError without the extra `chinese`."""
    jieba = extra("jieba", "chinese")
    jieba.setLogLevel(logging.WARNING)
    return [each for each in jieba.cut(text.casefold()) if not each.isspace()]


@cache
def _word_or_sign() -> re.Pattern[str]:
    """Letters, with the vowel signs and accents that Unicode writes as marks of their own, as in Hindi or Arabic."""
    marks = "".join(chr(code) for code in range(0x300, 0x20000) if unicodedata.category(chr(code)).startswith("M"))
    word = rf"\w[\w{marks}\u200c\u200d]*"  # those two join letters
    return re.compile(rf"{word}(?:['’]{word})*|[^\w\s][{marks}]*")


TOKENISERS: Mapping[str, Callable[[str], list[str]]] = {"english": english, "unicode": unicode, "chinese": chinese}


@dataclass(frozen=True)
class Vocabulary:
    """The words that a network knows; a word's number is its place. The first two stand for padding and for any other word."""

    words: tuple[str, ...]
    tokeniser: str = "english"

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def number(self, word: str) -> int:
        """The number of `word`; of "" it is padding's."""
        return self._numbers.get(word, UNKNOWN) if word else PADDING

    def split(self, text: str) -> list[str]:
        """The words of `text`."""
        return TOKENISERS[self.tokeniser](text)

    def numbers(self, text: str) -> list[int]:
        """The numbers of the words of `text`."""
        return [self.number(word) for word in self.split(text)]


def vocabulary(texts: Iterable[str], tokeniser: str = "english", *, most: int | None = None) -> Vocabulary:
    """All words of `texts`, the frequent ones first, and `most` of them at most.

    Raises InputError if there is no such tokeniser.
    """
    if tokeniser not in TOKENISERS:
        raise InputError(f'tokenisers are {", ".join(TOKENISERS)}, not "{tokeniser}"')
    counts = Counter(word for text in texts for word in TOKENISERS[tokeniser](text))
    found = sorted(counts, key=lambda word: (-counts[word], word))[:most]
    return Vocabulary(("<padding>", "<unknown>", *found), tokeniser)


def padded(sentences: Sequence[Sequence[int]]) -> Tensor:
    """Numbers of words to (B, 1, 1, T) float32, T one more than the longest: whole numbers, PADDING behind each sentence."""
    longest = max(map(len, sentences), default=0)
    rows = [[*each, *[PADDING] * (longest + 1 - len(each))] for each in sentences]
    return torch.tensor(rows, dtype=torch.float32).view(len(sentences), 1, 1, longest + 1)


def of_similar_length(sentences: Sequence[Sequence[int]], batch: int) -> Iterator[list[int]]:
    """Which sentences to take together, `batch` at most and fewer if they are long, so that little is padding; each once."""
    order = sorted(range(len(sentences)), key=lambda place: len(sentences[place]))
    start = 0
    while start < len(order):
        some = order[start : start + batch]
        while len(some) > 1 and len(some) * len(sentences[some[-1]]) > _WORDS_AT_ONCE:
            some.pop()
        yield some
        start += len(some)
