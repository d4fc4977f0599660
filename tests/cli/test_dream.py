from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Run
from tests.pictures import EXTREME, READABLE, REFUSED, write_extreme

MODULE = """
import torch
from torch import nn
from convsight import InputSpec, Network

def net():
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 6, 3, stride=2), nn.ReLU(), nn.Conv2d(6, 4, 3)
    head = nn.Sequential(nn.Sequential(*layers), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Network(head, InputSpec((3, 64, 64)), ("tabby cat", "egyptian cat", "daisy", "dog"), "small")
"""
NETWORK = ("--network", "mymodels:net")


@pytest.fixture(autouse=True)
def _photograph() -> None:
    Path("mymodels.py").write_text(MODULE)
    random = np.random.default_rng(0)
    small = Image.fromarray(random.integers(0, 255, (9, 12, 3)).astype(np.uint8))
    small.resize((120, 90), Image.Resampling.BICUBIC).save("photo.jpg")


def test_a_photograph_is_dreamt_of_in_its_own_size(convsight: Run) -> None:
    done = convsight("dream", "photo.jpg", *NETWORK, "--layer", "0.2", "--steps", 2, "--zoom", "zoom.gif", "--frames", 3)
    assert done.returncode == 0, done.stderr
    assert "dream(0.2): photo-dream.png, photo-dream.json" in done.stdout and "3 pictures: zoom.gif" in done.stdout
    with Image.open("photo-dream.png") as made, Image.open("zoom.gif") as zoomed:
        assert made.size == (120, 90)
        assert zoomed.n_frames == 3
    assert json.loads(Path("photo-dream.json").read_text())["objective"] == "dream(0.2)"


@pytest.mark.parametrize(
    ("options", "objective"),
    [
        (("--class", "egyptian"), "logit(1)"),
        (("--class", "2"), "logit(2)"),
        (("--layer", "0.0", "--layer", "0.2"), "dream(0.0) + dream(0.2)"),
        (("--layer", "0.2", "--unit", "1,3"), "channels(0.2, 1,3)"),
        (("--layer", "0.2", "--guide", "photo.jpg"), "guided(0.2)"),
    ],
)
def test_what_is_dreamt_of_can_be_chosen(convsight: Run, options: tuple[str, ...], objective: str) -> None:
    done = convsight("dream", "photo.jpg", *NETWORK, *options, "--steps", 1, "--size", 70, "--out", "made.png")
    assert done.returncode == 0, done.stderr
    assert objective in done.stdout
    with Image.open("made.png") as made:
        assert made.size == (70, 52)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("missing.jpg", *NETWORK), "there is no file missing.jpg"),
        (("mymodels.py", *NETWORK), "mymodels.py is not a picture"),
        (("photo.jpg", *NETWORK, "--layer", "0.9"), 'no layer "0.9" in small'),
        (
            ("photo.jpg", *NETWORK, "--class", "cat"),
            '"cat" is in the names of 2 classes: tabby cat (0), egyptian cat (1); give one',
        ),
        (("photo.jpg", *NETWORK, "--class", "dasiy"), 'small has no class "dasiy"; did you mean "daisy"'),
        (("photo.jpg", *NETWORK, "--class", "dog", "--layer", "0.0"), "leave --layer, --unit and --guide out"),
        (("photo.jpg", *NETWORK, "--layer", "0.0", "--unit", "8"), "there is no unit 8: the layer has 8"),
        (("photo.jpg", *NETWORK, "--out", "made.jpg"), "made.jpg should end in .png"),
        (("photo.jpg", *NETWORK, "--zoom", "made.avi"), "made.avi should end in .gif or .mp4"),
        (("photo.jpg", "--network", "digits"), "digits takes 1 channels, not colour pictures"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(convsight: Run, arguments: tuple[str, ...], sentence: str) -> None:
    before = set(Path().iterdir())
    done = convsight("dream", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert {each for each in Path().iterdir() if each.name != "__pycache__"} == before


@pytest.mark.parametrize("name", READABLE)
def test_every_kind_of_picture_is_dreamt_of(convsight: Run, name: str) -> None:
    READABLE[name](name)
    done = convsight("dream", name, *NETWORK, "--layer", "0.2", "--steps", 1, "--guide", name, "--out", "made.png")
    assert done.returncode == 0, done.stderr
    with Image.open("made.png") as made:
        assert (made.size, made.mode) == ((120, 90), "RGB")


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_picture_is_said_in_a_sentence(convsight: Run, name: str) -> None:
    REFUSED[name][0](name)
    for arguments in ((name,), ("photo.jpg", "--guide", name)):
        done = convsight("dream", *arguments, *NETWORK, "--layer", "0.2", "--out", "made.png")
        assert done.returncode == 2 and REFUSED[name][1] in done.stderr, done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert not Path("made.png").exists()


def test_a_line_of_pixels_is_dreamt_of_and_a_point_is_refused(convsight: Run) -> None:
    for name in EXTREME:
        write_extreme(name)
    done = convsight("dream", "line.png", *NETWORK, "--layer", "0.2", "--steps", 1, "--out", "made.png")
    assert done.returncode == 0, done.stderr
    with Image.open("made.png") as made:
        assert made.size == (30_000, 10)
    done = convsight("dream", "point.png", *NETWORK, "--layer", "0.4", "--steps", 1, "--out", "point-made.png")
    assert done.returncode == 2 and "small cannot take a batch of 1x3x1x1" in done.stderr
    assert not Path("point-made.png").exists()


def test_a_network_of_another_value_range_dreams_in_it(convsight: Run) -> None:
    shifted = MODULE.replace(
        "InputSpec((3, 64, 64))", "InputSpec((3, 64, 64), value_range=(-1.0, 3.0), mean=(-1.0,), std=(4.0,))"
    )
    for name, module in (("plain", MODULE), ("shifted", shifted)):
        Path("mymodels.py").write_text(module)
        done = convsight("dream", "photo.jpg", *NETWORK, "--layer", "0.2", "--steps", 3, "--out", f"{name}.png")
        assert done.returncode == 0, done.stderr
    plain, other = (np.asarray(Image.open(f"{name}.png"), np.int16) for name in ("plain", "shifted"))
    assert np.abs(plain - other).max() <= 2


def test_the_record_says_how_all_of_it_was_made(convsight: Run) -> None:
    done = convsight("dream", "photo.jpg", *NETWORK, "--layer", "0.2", "--steps", 2, "--strength", 1.5, "--octaves", 2)
    assert done.returncode == 0, done.stderr
    record = json.loads(Path("photo-dream.json").read_text())
    assert record["octaves"] == [[64, 86], [90, 120]] and record["steps"] == 2 and len(record["scores"]) == 4
    assert (record["strength"], record["detail"], record["tile"], record["photograph"]) == (1.5, 1.0, 512, "photo.jpg")
