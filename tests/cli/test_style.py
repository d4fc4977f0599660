from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from tests.conftest import Run


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


@pytest.mark.slow
def test_a_photograph_is_painted_in_its_own_size(convsight: Run) -> None:
    done = convsight("style", "china.jpg", "flower.jpg", "--steps", 3, "--animation", "made.gif", "--keep-colours")
    assert done.returncode == 0, done.stderr
    assert "china.jpg in the manner of flower.jpg, 320x214: china-style.png" in done.stdout
    with Image.open("china-style.png") as made:
        assert made.size == (320, 214)
    Image.new("L", (10, 10)).save("mask.png")
    done = convsight("style", "china.jpg", "flower.jpg", "--mask", "mask.png")
    assert done.returncode == 2 and "a region is 10x10 pixels, the photograph 320x214" in done.stderr
