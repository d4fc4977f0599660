"""Words from a network's answers: the likeliest row of words of a small lexicon, silence between them or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from convsight.speech import decode
from convsight.speech.phones import SILENCE

Lexicon = Mapping[str, Sequence[str]]  # a word's pronunciations, each phones with spaces between
DIGITS: Lexicon = {
    "zero": ("z ih r ow", "z iy r ow"), "one": ("w ah n",), "two": ("t uw",), "three": ("th r iy",), "four": ("f aa r",),
    "five": ("f ay v",), "six": ("s ih k s",), "seven": ("s eh v ah n",), "eight": ("ey t",), "nine": ("n ay n",),
}  # fmt: skip
LEXICONS: Mapping[str, Lexicon] = {"digits": DIGITS}
_STAY, _GO = 0.9, 0.1  # chances that a frame is followed by one of the same phone, or of the next
_NEVER = -1e4
_SOFTER = 0.3  # of the network's log chances, which are too sure of each single frame


@dataclass(frozen=True)
class Word:
    """`word` from `start` to `end`, in seconds."""

    start: float
    end: float
    word: str


def words(answers: Iterable[Tensor], phones: Sequence[str], lexicon: Lexicon = DIGITS) -> list[Word]:
    """The likeliest row of words; `answers`: pieces (T, phones), log chances, frame by frame, of any length."""
    spoken = [(word, pronunciation.split()) for word, given in lexicon.items() for pronunciation in given]
    states = [SILENCE, *(phone for _, parts in spoken for phone in parts)]
    firsts, lasts, words_of, place = [], [], {}, 1
    for word, parts in spoken:
        firsts.append(place)
        lasts.append(place + len(parts) - 1)
        words_of[place] = word
        place += len(parts)
    heard = [phones.index(phone) for phone in states]
    begun, ended = ([state for state in range(1, len(states)) if state not in each] for each in (firsts, lasts))
    whole, path, last = decode.Path(_lattice(len(states), firsts, lasts)), [], None
    for piece in answers:
        if not len(piece):
            continue
        given = _SOFTER * piece[:, heard]
        if last is None:
            given[0, begun] = _NEVER  # no word is begun before the sound
        else:
            path += whole.push(last)
        last = given
    if last is None:
        return []
    last[-1, ended] = _NEVER  # or goes on after it
    path += whole.push(last) + whole.finish()
    found: list[Word] = []
    before = -1
    for frame, state in enumerate(path):
        end = decode.begins(frame + 1)
        if state in words_of and state != before:
            found.append(Word(decode.begins(frame), end, words_of[state]))
        elif state and found:
            found[-1] = Word(found[-1].start, end, found[-1].word)
        before = state
    return found


def _lattice(states: int, firsts: Sequence[int], lasts: Sequence[int]) -> Tensor:
    """(states, states) log chances: along each word, and from silence or a word's end to silence or any word."""
    chances = torch.full((states, states), _NEVER)
    stay, go = (torch.tensor(each).log() for each in (_STAY, _GO))
    chances.fill_diagonal_(float(stay))
    for first, last in zip(firsts, lasts, strict=True):
        for state in range(first, last):
            chances[state, state + 1] = go
    for leaving in (0, *lasts):
        for entering in (0, *firsts):
            if leaving != entering:
                chances[leaving, entering] = go - torch.tensor(float(len(firsts) + 1)).log()
    return chances
