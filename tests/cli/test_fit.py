from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from convsight.architecture import Architecture
from tests.conftest import Run

DRAW = np.random.default_rng(0)


def test_data_are_measured_and_a_network_is_learnt_that_other_commands_open(convsight: Run) -> None:
    y = DRAW.integers(2, size=120)
    np.savez("data.npz", x=y[:, None, None] + DRAW.standard_normal((120, 8, 9)), y=y)
    done = convsight("fit", "data.npz", "--axes", "frequency,time", "--budget", "3s")
    assert done.returncode == 0, done.stderr
    assert "frequency" in done.stdout and "the one to take, by samples that none had learnt" in done.stdout
    declared = Architecture.from_dict(json.loads(Path("fit.json").read_text()))
    assert dict(declared.axes) == {"frequency": 8, "time": 9} and Path("fit.html").exists()
    assert not Path("fit.checkpoint").exists()
    assert convsight("layers", "fit.safetensors").returncode == 0
    assert convsight("see", "fit.safetensors", "output", "--steps", 2, "--out", "see.png").returncode == 0


def test_names_of_axes_are_shown_as_they_are(convsight: Run) -> None:
    np.savez("data.npz", x=DRAW.standard_normal((60, 6)), y=np.arange(60) % 2)
    done = convsight("fit", "data.npz", "--axes", "[/]<b>höhe", "--budget", "1s")
    assert done.returncode == 0 and "[/]<b>höhe" in done.stdout
    assert "&lt;b&gt;höhe" in Path("fit.html").read_text(encoding="utf-8")


def test_digits_by_name_in_a_second(convsight: Run) -> None:
    done = convsight("fit", "digits", "--budget", "1s")
    assert done.returncode == 0 and "cannot tell" in done.stdout and "there was no time to measure whether" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nothing.npz"], "there is no file or folder nothing.npz"),
        (["few.npz"], "there are 10 samples; 40 at least"),
        (["few.npz", "--budget", "soon"], "--budget is a time from 1s to a week"),
        (["few.npz", "--out", "fit.txt"], "should end in .html"),
        (["few.npz", "--data", "games"], "--data goes with digits, go, speech, text"),
        (["go"], "which games? give them with --data"),
        (["text"], "which texts? give them with --data"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(convsight: Run, arguments: list[str], problem: str) -> None:
    np.savez("few.npz", x=DRAW.standard_normal((10, 4, 4)), y=np.arange(10) % 2)
    done = convsight("fit", *arguments)
    assert done.returncode == 2 and problem in done.stderr and done.stderr.count("\n") < 4
