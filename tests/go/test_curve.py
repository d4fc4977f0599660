from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from convsight.go import curve


def test_a_curve_is_told_anew_from_where_a_training_went_on() -> None:
    path = Path("mine.jsonl")
    assert curve.seconds(path) == 0
    for positions in (100, 200, 300, 200, 250):
        curve.add(path, {"positions": positions, "seconds": positions / 10})
    assert [json.loads(line)["positions"] for line in path.read_text().splitlines()] == [100, 200, 250]
    assert curve.seconds(path) == 25


def test_self_play_is_drawn_against_the_number_of_games() -> None:
    path = Path("rl.jsonl")
    for games, wins in ((100, 0.5), (200, 0.75), (300, 1.0)):
        curve.add(path, {"positions": games, "seconds": 1, "wins": wins, "entropy": 2 - wins, "length": 50})
    drawn = curve.picture(curve.read(path))
    assert drawn.shape == (3, 4 * 260, 900)
    bar = ((drawn * 255).round() == torch.tensor(curve.BAR)[:, None, None]).all(0)
    wins, against_start, entropy, length = (part.nonzero() for part in bar.split(260))
    assert len(against_start) == 0  # it was never asked
    for rows, part in ((wins, 0.5), (-entropy, 1)):  # one climbs to the right, from half of its scale on, the other falls
        left, right = rows[rows[:, 1].abs().argmin()], rows[rows[:, 1].abs().argmax()]
        assert left[0] - right[0] == pytest.approx(164 * part, abs=10)
    assert int(length[:, 0].max() - length[:, 0].min()) < 12
