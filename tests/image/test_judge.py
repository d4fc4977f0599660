from __future__ import annotations

import torch

from convsight import load
from convsight.image import model
from convsight.image.data import load_digits
from convsight.image.judge import JUDGE, JUDGE_SEED, judge
from convsight.network import shipped


def test_both_judges_read_real_digits() -> None:
    digits = load_digits(None, "test")
    moved = model.distorted(digits.images, torch.Generator().manual_seed(3))  # not the very pictures that are compared with
    verdicts = judge(moved)
    by_network = sum(each.network == int(label) for each, label in zip(verdicts, digits.labels, strict=True))
    by_pixels = sum(each.neighbours == int(label) for each, label in zip(verdicts, digits.labels, strict=True))
    assert by_network >= 985
    assert by_pixels >= 700  # pixels forgive no turning: a strict judge


def test_the_second_judge_is_another_network_from_another_seed() -> None:
    second = load(str(shipped("digits_judge")))
    assert second.architecture == JUDGE != model.DIGITS
    assert f"--seed {JUDGE_SEED}" in second.card["command"]
    assert "--seed 0" in load("digits").card["command"]
