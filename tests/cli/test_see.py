from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from convsight import load
from convsight.image.data import load_digits
from tests.conftest import Run


def pictures(name: str, rows: int, columns: int, side: int) -> torch.Tensor:
    """The cells (rows * columns, side, side) of a sheet of square grey pictures, whatever they were enlarged by."""
    with Image.open(name) as sheet:
        values = torch.from_numpy(np.array(sheet.convert("L")))
    enlarged = (values.shape[1] - 2) // columns - 2
    assert values.shape == (rows * (enlarged + 2) + 2, columns * (enlarged + 2) + 2) and enlarged % side == 0
    cells = [
        values[2 + row * (enlarged + 2) :, 2 + column * (enlarged + 2) :][:enlarged, :enlarged]
        for row in range(rows)
        for column in range(columns)
    ]
    return torch.stack(cells)[:, :: enlarged // side, :: enlarged // side]


def test_diverse_pictures_of_a_unit_differ_and_stand_in_its_row(convsight: Run) -> None:
    done = convsight("see", "digits", "conv2", "--unit", "3,7", "--steps", 60, "--diverse", 3, "--out", "three.png")
    assert done.returncode == 0, done.stderr
    spread = pictures("three.png", 2, 3, 28).float()
    assert (spread[0] - spread[1]).abs().mean() > 10 and (spread[3] - spread[5]).abs().mean() > 10
    record = json.loads(Path("three.json").read_text())
    assert record["objective"] == "channel(conv2, 3,3,3,7,7,7), diverse in conv2 by 1"
    assert "seed=[0, 1, 2, 0, 1, 2]" in record["parametrization"]


def test_diverse_pictures_of_a_class_differ_in_the_last_maps(convsight: Run) -> None:
    done = convsight("see", "digits", "output", "--unit", "3", "--diverse", 2, "--steps", 3)
    assert "logit(3,3), diverse in conv2_pool by 1: 2 pictures" in done.stdout


def test_units_can_be_excited_together(convsight: Run) -> None:
    threes = {}
    for name, options in (("alone", ()), ("both", ("--with", "output:3=2", "--with", "conv1:0=0.01"))):
        done = convsight("see", "digits", "output", "--unit", "7-8", "--steps", 40, *options, "--out", f"{name}.png")
        assert done.returncode == 0, done.stderr
        threes[name] = load("digits")(pictures(f"{name}.png", 1, 2, 28)[:, None].float() / 255)[:, 3]
    assert (threes["both"] > threes["alone"] + 5).all()
    record = json.loads(Path("both.json").read_text())
    assert record["objective"] == "logit(7-8) + 2 * logit(3) + 0.01 * channel(conv1, 0)"


def test_examples_are_the_folders_pictures_that_excite_most(convsight: Run) -> None:
    digits = load_digits(None, "test")
    Path("real").mkdir()
    for index in range(12):
        Image.fromarray(digits.images[index].numpy()).save(f"real/{index:02d}-{digits.labels[index]}.png")
    done = convsight("see", "digits", "output", "--unit", "0-9", "--steps", 4, "--examples", "real", "--out", "made.png")
    assert done.returncode == 0, done.stderr
    rows = json.loads(Path("made.json").read_text())["examples"]
    assert [len(row) for row in rows] == [8] * 10
    answers = load("digits")(digits.pictures()[:12])
    for unit, row in enumerate(rows):
        order = answers[:, unit].argsort(descending=True)[:8].tolist()
        assert [int(Path(each["picture"]).stem[:2]) for each in row] == order
    cells = pictures("made.png", 10, 9, 28)
    best = int(Path(rows[4][0]["picture"]).stem[:2])
    assert (cells[4 * 9 + 1].float() - digits.images[best].float()).abs().max() <= 1


def test_the_size_of_a_picture_can_be_chosen_where_the_network_takes_it(convsight: Run) -> None:
    done = convsight("see", "digits", "conv2", "--unit", "1", "--size", 40, "--steps", 2)
    assert done.returncode == 0, done.stderr
    assert json.loads(Path("digits-conv2.json").read_text())["input"]["shape"] == [1, 40, 40]
    done = convsight("see", "digits", "output", "--unit", "1", "--size", 40, "--steps", 2)
    assert done.returncode == 2 and "digits cannot take a batch of 1x1x40x40" in done.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--with", "conv1"), "--with is LAYER:UNIT or LAYER:UNIT=WEIGHT, for example"),
        (("--with", "conv1:0=much"), "--with is LAYER:UNIT or LAYER:UNIT=WEIGHT, for example"),
        (("--with", "conv1:25"), '--with conv1:25: there is no unit 25; layer "conv1" has 25'),
        (("--with", "conv9:2"), 'no layer "conv9" in digits'),
        (("--diverse", "0"), "greater than or equal to 1"),
        (("--diverse", "2", "--objective", "dream"), "leave --unit and --diverse out"),
        (("--examples", "nowhere"), "there is no"),
        (("--examples", "empty", "--objective", "dream"), "--examples are of units"),
        (("--examples", "empty"), "the folder empty has no pictures in it"),
        (("--examples", "other"), "other/notes.jpg is not a picture"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(convsight: Run, options: tuple[str, ...], sentence: str) -> None:
    Path("empty").mkdir()
    Path("other").mkdir()
    Path("other/notes.jpg").write_text("no picture")
    before = set(Path().iterdir())
    arguments = ("--unit", "3") if "dream" not in options else ()
    done = convsight("see", "digits", "conv2", *arguments, *options)
    assert done.returncode == 2 and sentence in done.stderr, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert set(Path().iterdir()) == before
