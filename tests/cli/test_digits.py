from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convsight.image.data import load_digits
from tests.conftest import Run


def write_mnist(folder: str, count: int = 300) -> None:
    """Real digits, in MNIST's own files."""
    Path(folder).mkdir()
    for prefix, part in (("train", "train"), ("t10k", "test")):
        digits = load_digits(None, part)
        step = len(digits.labels) // count
        for kind, array in (("images-idx3", digits.images[::step].numpy()), ("labels-idx1", digits.labels[::step].numpy())):
            content = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()
            Path(folder, f"{prefix}-{kind}-ubyte").write_bytes(content)


def test_a_network_is_trained_evaluated_and_used(convsight: Run) -> None:
    write_mnist("mnist")
    done = convsight("digits", "train", "--data", "mnist", "--epochs", 8, "--out", "mine.safetensors")
    assert done.returncode == 0, done.stderr
    assert "held-out digits right" in done.stdout and "mine.safetensors" in done.stdout
    assert not Path("mine.checkpoint").exists()
    evaluated = convsight("digits", "evaluate", "--network", "mine.safetensors", "--data", "mnist")
    right, _, of = evaluated.stdout.split()[:3]
    assert int(of) >= 300 and int(right) / int(of) > 0.7
    assert "conv2" in convsight("layers", "mine.safetensors").stdout


def test_the_shipped_network_is_evaluated(convsight: Run) -> None:
    done = convsight("digits", "evaluate")
    assert done.returncode == 0
    assert int(done.stdout.split()[0]) >= 995
    assert "which the shipped network has seen" in done.stdout


def test_pictures_of_digits_are_classified(convsight: Run) -> None:
    digits = load_digits(None, "test")
    Path("photos").mkdir()
    for label in (2, 7):
        image = digits.images[(digits.labels == label).nonzero()[3, 0]].numpy()
        Image.fromarray(255 - image).resize((300, 300)).save(f"photos/{label}.jpg")
    done = convsight("digits", "classify", "photos", "photos/2.jpg")
    assert done.returncode == 0
    rows = [line.split("│")[1:3] for line in done.stdout.splitlines() if "photos" in line]
    assert [(name.strip(), called.strip()) for name, called in rows] == [
        ("photos/2.jpg", "2"), ("photos/7.jpg", "7"), ("photos/2.jpg", "2"),
    ]  # fmt: skip


def test_a_picture_that_cannot_be_read_leaves_the_others(convsight: Run) -> None:
    Path("photos").mkdir()
    Path("photos/broken.png").write_text("no picture")
    image = load_digits(None, "test").images[0].numpy()
    Image.fromarray(255 - image).save("photos/digit.png")
    done = convsight("digits", "classify", "photos")
    assert done.returncode == 2
    assert "photos/digit.png" in done.stdout
    assert "photos/broken.png is not a picture" in done.stderr and "(1 of 2 pictures could not be read)" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("train", "--data", "nowhere"), "there is no folder nowhere"),
        (("train", "--data", "empty"), "empty has no train-images-idx3-ubyte"),
        (("train", "--out", "mine.pt"), "mine.pt should end in .safetensors"),
        (("train", "--out", "/proc/mine.safetensors"), "cannot write /proc/mine.safetensors"),
        (("evaluate", "--data", "cut"), "is cut off"),
        (("evaluate", "--network", "text.png"), 'no network "text.png"'),
        (("classify", "text.png"), "text.png is not a picture that can be read"),
        (("classify", "empty"), "the folder empty has no pictures in it"),
        (("classify", "missing.png"), "there is no file missing.png"),
        (("classify", "blank.png"), "nothing stands out in blank.png"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(convsight: Run, arguments: tuple[str, ...], sentence: str) -> None:
    Path("empty").mkdir()
    write_mnist("cut")
    path = Path("cut/t10k-images-idx3-ubyte")
    path.write_bytes(path.read_bytes()[:-1])
    Path("text.png").write_text("no picture")
    Image.new("L", (50, 50), 90).save("blank.png")
    done = convsight("digits", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
