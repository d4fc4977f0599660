"""The four applications as arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from convsight.errors import InputError
from convsight.fit import applications
from convsight.go import board, sgf
from convsight.go.encode import planes
from convsight.go.rules import BLACK, WHITE
from convsight.speech import audio
from convsight.speech.encode import LogMel, features

POINTS = [72, 288, 60, 300, 100, 90, 180]  # of one game, in turn


def test_windows_come_with_the_phone_at_their_middle(tmp_path: Path) -> None:
    said = [("h#", 20), ("aa", 50), ("s", 80), ("h#", 85), ("iy", 100)]  # each up to a frame of 10 ms
    for speaker in ("anna", "ben"):
        (tmp_path / speaker).mkdir()
        sound = 0.1 * torch.randn(16_000)
        audio.write(sound, tmp_path / speaker / "one.wav")
        starts = [0, *(end for _, end in said)]
        rows = [f"{start * 160} {end * 160} {label}" for start, (label, end) in zip(starts, said, strict=False)]
        (tmp_path / speaker / "one.PHN").write_text("\n".join(rows))
    found = applications.speech(tmp_path)
    heard = features(audio.read(tmp_path / "ben/one.wav"), LogMel())
    count = heard.shape[2] - 14
    assert found.x.shape == (2 * count, 3, 40, 15) and found.axes == ("frequency", "time")
    assert found.groups.tolist() == ["anna"] * count + ["ben"] * count
    for first, (window, phone) in enumerate(zip(found.x[count:], found.y[count:], strict=True)):
        assert torch.equal(heard[..., first : first + 15], window)
        middle = (first + 7) + 1.25  # frames are 25 ms long, one begins every 10 ms
        assert phone == next(label.replace("h#", "sil") for label, end in said if middle < end)


def test_recordings_shorter_than_a_window_are_refused(tmp_path: Path) -> None:
    audio.write(torch.zeros(1_600), tmp_path / "a.wav")
    (tmp_path / "a.PHN").write_text("0 1600 aa")
    with pytest.raises(InputError, match=r"no recording in .* is as long as a window of 15 frames"):
        applications.speech(tmp_path)


def test_positions_come_with_the_move_that_was_played(tmp_path: Path) -> None:
    moves = tuple((WHITE if number % 2 else BLACK, point) for number, point in enumerate(POINTS))
    sgf.write(sgf.Record(19, (), moves), tmp_path / "game.sgf")
    found = applications.go(tmp_path)
    assert found.x.shape == (7, 48, 19, 19) and found.groups.tolist() == [0] * 7
    games = board.new()
    for number, point in enumerate(POINTS):
        assert np.array_equal(found.x[number], planes(games)[0])
        assert np.flatnonzero(found.y[number]).tolist() == [point]
        board.play(games, [point])


def test_digits_are_those_that_come_along() -> None:
    found = applications.digits(None)
    assert found.x.shape == (len(found.y), 28, 28) and sorted(set(found.y.tolist())) == list(range(10))


@pytest.mark.parametrize("name", ["go", "text"])
def test_what_has_no_data_of_its_own_asks_for_them(name: str) -> None:
    with pytest.raises(InputError, match="give them with --data"):
        applications.APPLICATIONS[name](None)
