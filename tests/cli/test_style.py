from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from tests.conftest import Run
from tests.pictures import EXTREME, READABLE, REFUSED, write_extreme


@pytest.fixture(autouse=True)
def _pictures() -> None:
    for name in ("china", "flower"):
        Image.fromarray(load_sample_image(f"{name}.jpg")).resize((320, 214)).save(f"{name}.jpg")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("missing.jpg", "flower.jpg"), "there is no file missing.jpg"),
        (("china.jpg", "missing.jpg"), "there is no file missing.jpg"),
        (("china.jpg",), "Missing argument 'PAINTING...'"),
        (("china.jpg", "flower.jpg", "--weight", "nan"), "'--weight': Input should be greater than or equal to 0.001"),
        (("china.jpg", "flower.jpg", "--weight", "1", "--weight", "2"), "1 paintings take 1 times --weight, not 2"),
        (("china.jpg", "flower.jpg", "--out", "made.jpg"), "made.jpg should end in .png"),
        (("china.jpg", "flower.jpg", "--animation", "made.avi"), "made.avi should end in .gif or .mp4"),
        (("china.jpg", "flower.jpg", "--mask", "missing.png"), "there is no file missing.png"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(convsight: Run, arguments: tuple[str, ...], sentence: str) -> None:
    before = set(Path().iterdir())
    done = convsight("style", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert set(Path().iterdir()) == before


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_picture_is_said_in_a_sentence(convsight: Run, name: str) -> None:
    REFUSED[name][0](name)
    for arguments in ((name, "flower.jpg"), ("china.jpg", name), ("china.jpg", "flower.jpg", "--mask", name)):
        done = convsight("style", *arguments, "--out", "made.png")
        assert done.returncode == 2 and REFUSED[name][1] in done.stderr, done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert not Path("made.png").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", READABLE)
def test_every_kind_of_picture_is_painted_and_painted_from(convsight: Run, name: str) -> None:
    READABLE[name](name)
    done = convsight("style", name, name, "--mask", name, "--size", 192, "--steps", 1, "--out", "made.png")
    assert done.returncode == 0, done.stderr
    with Image.open("made.png") as made:
        assert (made.size, made.mode) == ((192, 144), "RGB")


@pytest.mark.slow
def test_a_point_and_a_line_of_pixels_are_too_small(convsight: Run) -> None:
    for name in EXTREME:
        write_extreme(name)
        done = convsight("style", name, "flower.jpg", "--out", "made.png")
        assert done.returncode == 2 and "the photograph is too small at" in done.stderr, done.stderr
    done = convsight("style", "china.jpg", "line.png", "--size", 256, "--steps", 1, "--out", "made.png")
    assert done.returncode == 2 and "a painting of 30000x10 pixels is too narrow" in done.stderr, done.stderr
    assert not Path("made.png").exists()


@pytest.mark.slow
def test_a_photograph_is_painted_in_its_own_size(convsight: Run) -> None:
    done = convsight("style", "china.jpg", "flower.jpg", "--steps", 3, "--animation", "made.gif", "--keep-colours")
    assert done.returncode == 0, done.stderr
    assert "china.jpg in the manner of flower.jpg, 320x214: china-style.png" in done.stdout
    record = json.loads(Path("china-style.json").read_text())
    assert (record["sizes"], record["steps"], record["keep_colours"]) == ([320], [3], True)
    assert (record["photograph"], record["paintings"], len(record["scores"])) == ("china.jpg", ["flower.jpg"], 3)
    with Image.open("china-style.png") as made:
        assert made.size == (320, 214)
    Image.new("L", (10, 10)).save("mask.png")
    done = convsight("style", "china.jpg", "flower.jpg", "--mask", "mask.png")
    assert done.returncode == 2 and "a region is 10x10 pixels, the photograph 320x214" in done.stderr
