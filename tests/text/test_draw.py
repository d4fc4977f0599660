from __future__ import annotations

import pytest
import torch

from convsight.text import draw
from convsight.text.show import Explanation, NGram, Part

NGRAM = NGram(("not", "bad"), (1.0, 0.5), 1.5)


def told(words: tuple[str, ...], for_good: list[float]) -> Explanation:
    by_word = torch.tensor([[0.0, each] for each in for_good]).view(-1, 2)
    parts = (Part(3, 0, NGRAM, (0.0, 2.0)), Part(5, 1, NGRAM, (1.0, 0.0)))
    return Explanation(words, ("bad", "good"), parts, (0.0, 0.0), (0.0, 1.0), by_word, (0.0, 0.0))


def count(picture: torch.Tensor, colour: tuple[int, int, int]) -> int:
    wanted = torch.tensor(colour).view(3, 1, 1) / 255
    return int(((picture - wanted).abs().amax(0) < 0.02).sum())


def test_words_are_shaded_and_bars_are_as_long_as_they_contribute() -> None:
    picture = draw.explained(told(("not", "bad", "film"), [1.0, -0.5, 0.0]))
    assert picture.shape[0] == 3 and float(picture.min()) >= 0 and float(picture.max()) <= 1
    assert count(picture, draw._shade(1.0)) > 200 and count(picture, draw._shade(-0.5)) > 200
    green, red = count(picture, draw.FOR), count(picture, draw.AGAINST)
    assert 1.8 < green / red < 2.2


def test_long_texts_take_several_lines_and_empty_ones_none() -> None:
    short, long = (draw.explained(told(("word",) * count, [0.1] * count)) for count in (3, 60))
    assert long.shape[2] == short.shape[2] and long.shape[1] > short.shape[1]
    assert draw.explained(told((), [])).shape[0] == 3


def test_ngrams_stand_under_their_class_with_bars_of_their_answers() -> None:
    strong, weak = (NGRAM, NGram(("dull",), (0.75,), 0.75))
    together, apart = (draw.ngrams([strong, weak], labels) for labels in (("good", "good"), ("good", "bad")))
    assert apart.shape[1] - together.shape[1] == draw._LINE  # a label more
    green = (together - torch.tensor(draw.FOR).view(3, 1, 1) / 255).abs().amax(0) < 0.02
    lengths = green.sum(1)
    assert float(lengths.max()) / float(lengths[lengths > 0].min()) == pytest.approx(2, rel=0.05)
