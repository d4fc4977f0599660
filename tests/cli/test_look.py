from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from PIL import Image

from tests.conftest import Run

MODULE = """
import torch
from torch import nn

class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.block = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(8, 8, 3, padding=1))
        self.head = nn.Linear(8, 4)

    def forward(self, picture):
        stem = self.stem(picture).relu_()
        joined = self.block(stem)
        joined += stem
        return self.head(joined.relu_().mean((2, 3)))

def failing():
    raise ValueError("no data here")

def leaving():
    raise SystemExit(3)

class Single(nn.Conv2d):
    def forward(self, picture):
        assert len(picture) == 1
        return super().forward(picture)

class Detaching(nn.Conv2d):
    def forward(self, picture):
        return super().forward(picture).detach()

def single():
    return nn.Sequential(Single(3, 4, 3))

def detaching():
    return nn.Sequential(Detaching(3, 4, 3))

def nowhere():
    return nn.Sequential(nn.Conv2d(3, 4, 3, device="meta"))

def undefined():
    made = Residual()
    torch.nn.init.constant_(made.stem.weight, float("nan"))
    return made

def residual():
    torch.manual_seed(0)
    return Residual()
"""


@pytest.fixture
def residual() -> tuple[str, ...]:
    Path("mymodels.py").write_text(MODULE)
    Path("broken.py").write_text("def net(:")
    Path("failing.py").write_text("{}['no such key']")
    return "mymodels:residual", "--shape", "3x24x32"


def left() -> set[str]:
    return {str(each) for each in Path().rglob("*") if "__pycache__" not in str(each)}


def test_layers_lists_what_there_is(convsight: Run) -> None:
    done = convsight("layers", "digits")
    assert done.returncode == 0
    assert "conv2" in done.stdout and "50x11x11" in done.stdout and "8x8" in done.stdout


def test_names_are_whole_in_a_pipe(convsight: Run) -> None:
    done = convsight("layers", "torchvision.models:resnet18", "--shape", "3x32x32")
    assert "layer4.0.downsample.0" in done.stdout


def test_the_version_is_told(convsight: Run) -> None:
    assert convsight("--version").stdout.split() == ["convsight", version("convsight")]


def test_filters_draws_the_first_layer(convsight: Run) -> None:
    done = convsight("filters", "digits")
    assert done.returncode == 0
    assert "25 filters of conv1, 3x3, on one scale: digits-conv1-filters.png" in done.stdout
    with Image.open("digits-conv1-filters.png") as picture:
        assert picture.width == picture.height


def test_see_writes_picture_record_and_animation(convsight: Run) -> None:
    done = convsight(
        "see", "digits", "conv2", "--unit", "3,7-9", "--steps", 8, "--penalty", "l1=0.02", "--transform", "jitter=2",
        "--seed", 5, "--animation", "climb.gif", "--out", "out/found.png",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "out/found.png, out/found.json, climb.gif" in done.stdout
    record = json.loads(Path("out/found.json").read_text())
    assert record["objective"] == "channel(conv2, 3,7-9) - 0.02 * l1()"
    assert (record["seed"], record["steps"], record["transforms"]) == (5, 8, ["jitter(2)"])
    with Image.open("climb.gif") as history:
        assert history.n_frames == 8


def test_see_finds_classes_by_name_from_views_that_suit_photographs(convsight: Run) -> None:
    done = convsight("see", "digits", "output", "--class", "3", "--class", "7", "--steps", 2)
    assert "logit(3,7): 2 pictures" in done.stdout
    Path("mymodels.py").write_text(MODULE)
    for options, views in (((), 4), (("--transform", "none"), 0), (("--transform", "jitter=2"), 1)):
        done = convsight("see", "mymodels:residual", "output", "--shape", "3x24x32", "--steps", 2, *options, "--out", "a.png")
        assert done.returncode == 0, done.stderr
        assert len(json.loads(Path("a.json").read_text())["transforms"]) == views


def test_see_finds_what_quiets_a_unit_too(convsight: Run) -> None:
    for options, name in (((), "most.png"), (("--negative",), "least.png")):
        done = convsight("see", "digits", "fc1", "--unit", "3", "--steps", 20, "--out", name, *options)
        assert done.returncode == 0, done.stderr
    most, least = (json.loads(Path(name).read_text()) for name in ("most.json", "least.json"))
    assert least["objective"] == "-1 * neuron(fc1, 3)"
    assert most["score"][0] > 0 > -least["score"][0]


def test_in_colour_networks_the_side_of_zero_that_is_not_sought_counts_a_tenth(
    convsight: Run, residual: tuple[str, ...]
) -> None:
    for options, objective in (
        ((), "channel(block, 3, below 0.1)"),
        (("--negative",), "-1 * channel(block, 3, above 0.1)"),
        (("--objective", "channel"), "channel(block, 3)"),
        (("--with", "stem:1=-2"), "channel(block, 3, below 0.1) + -2 * channel(stem, 1, above 0.1)"),
    ):
        done = convsight("see", *residual, "block", "--unit", "3", "--steps", 2, "--out", "found.png", *options)
        assert done.returncode == 0, done.stderr
        assert json.loads(Path("found.json").read_text())["objective"] == objective


def test_see_gives_the_same_picture_again(convsight: Run) -> None:
    for name in ("first.png", "second.png"):
        assert convsight("see", "digits", "fc1", "--unit", "0-8", "--steps", 9, "--out", name).returncode == 0
    assert Path("first.png").read_bytes() == Path("second.png").read_bytes()


def test_see_looks_into_a_module_of_the_users_with_a_residual(convsight: Run, residual: tuple[str, ...]) -> None:
    for layer, objective in (
        ("block", "channel(block, 0-7, below 0.1)"),
        ("block.0", "channel(block.0, 0-7, below 0.1)"),
        ("output", "logit(0-3)"),
    ):
        done = convsight("see", *residual, layer, "--steps", 5, "--out", "found.png")
        assert done.returncode == 0, done.stderr
        assert objective in done.stdout
    listed = convsight("layers", *residual)
    assert "block.2" in listed.stdout and "7x7" in listed.stdout


def test_see_of_the_output_leaves_training_mode_out(convsight: Run) -> None:
    Path("mymodels.py").write_text(
        "from torch import nn\n"
        "def build():\n"
        "    return nn.Sequential(nn.Conv2d(1, 2, 8), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 3)).train()\n"
    )  # one value a channel: BatchNorm in training mode refuses it
    done = convsight("see", "mymodels:build", "output", "--shape", "1x8x8", "--steps", 2)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", ["mean", "neuron", "dream"])
@pytest.mark.parametrize("optimizer", ["sgd", "lbfgs"])
def test_every_objective_and_optimizer_runs(convsight: Run, kind: str, optimizer: str) -> None:
    units = () if kind == "dream" else ("--unit", "1")
    options = (
        "--objective",
        kind,
        "--optimizer",
        optimizer,
        "--steps",
        3,
        "--precision",
        "float32",
        "--parametrization",
        "fourier",
    )
    done = convsight("see", "digits", "conv1", *units, *options)
    assert done.returncode == 0, done.stderr
    assert Path("digits-conv1.png").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("see", "digits", "conv3"), 'no layer "conv3" in digits; did you mean "conv'),
        (("see", "digits", "conv2", "--class", "3"), "a class is of the layer output"),
        (("see", "digits", "output", "--class", "eleven"), 'digits has no class "eleven"'),
        (("see", "digits", "conv2", "--unit", "50"), "there is no unit 50: the layer has 50, numbered 0 to 49"),
        (("see", "digits", "conv2", "--unit", "seven"), "--unit is a list such as 3,7-9, or all"),
        (("see", "digits", "conv2", "--unit", "9-3"), "--unit is a list such as 3,7-9, or all"),
        (("see", "digits", "conv2", "--penalty", "l3=1"), 'no penalty "l3"; did you mean'),
        (("see", "digits", "conv2", "--penalty", "l1"), "--penalty is NAME=NUMBER"),
        (("see", "digits", "conv2", "--transform", "jiter=2"), 'no transform "jiter"; did you mean "jitter"'),
        (("see", "digits", "conv2", "--objective", "logit"), "a logit is of the layer output"),
        (("see", "digits", "conv2", "--out", "found.jpg"), "found.jpg should end in .png"),
        (("see", "digits", "conv2", "--out", "/proc/found.png"), "cannot write /proc/found.png"),
        (("see", "digits", "conv2", "--device", "cuda:77"), 'cannot use the device "cuda:77"'),
        (("see", "digits", "conv2", "--like", "nowhere"), "there is no folder nowhere"),
        (("see", "digit", "conv2"), 'no network "digit"; did you mean "digits"'),
        (("layers", "mymodels:residual"), "say what mymodels:residual takes: --shape"),
        (("layers", "mymodels:residual", "--shape", "3x24"), "--shape is CHANNELSxHEIGHTxWIDTH"),
        (("layers", "mymodels:residual", "--shape", "4x24x24"), "residual cannot take an input of 4x24x24"),
        (("see", "digits", "conv2", "--out", "."), ". should end in .png"),
        (("see", "digits", "conv2", "--animation", "climb.txt"), "climb.txt should end in .gif or .mp4"),
        (("see", "digits", "conv2", "--transform", "jitter=-1"), "jitter shifts by 0 pixels or more"),
        (("see", "digits", "conv2", "--transform", "scale=0"), "scale takes factors above 0"),
        (("see", "digits", "conv2", "--transform", "rotate=nan"), "--transform takes numbers up to a million"),
        (("see", "digits", "conv2", "--transform", "scale=nan"), "--transform takes numbers up to a million"),
        (("see", "digits", "conv2", "--transform", "pad=-3"), "pad adds 0 pixels or more"),
        (
            ("see", "digits", "output", "--transform", "pad=3"),
            "cannot take a batch of 10x1x34x34 that the transforms make",
        ),
        (("layers", "mymodels:failing", "--shape", "3x24x24"), "mymodels:failing failed with ValueError: no data here"),
        (("layers", "broken:net", "--shape", "3x24x24"), 'the module "broken" is no valid Python'),
        (("see", "digits", "conv2", "--transform", "pad=1000000"), "not enough memory"),
        (("see", "digits", "conv2", "--transform", "jitter=2.5"), "--transform jitter takes a whole number, not 2.5"),
        (("see", "mymodels:residual", "block", "--shape", "3x24x32", "--like", "digits"), "residual takes 3x24x32, not digits"),
        (("see", "digits", "conv2", "--learning-rate", "1e300"), "--learning-rate"),
        (("see", "digits", "conv2", "--learning-rate", "nan"), "--learning-rate"),
        (("see", "digits", "conv2", "--unit", "9" * 5000), "--unit is a list such as 3,7-9, or all"),
        (("layers", "mymodels:residual", "--shape", "1x1x" + "9" * 5000), "--shape is CHANNELSxHEIGHTxWIDTH"),
        (("see", "digits", "conv2", "--device", "hpu"), 'cannot use the device "hpu"'),
        (("see", "digits", "conv2", "--steps", "0"), "--steps"),
        (("see", "digits", "conv2", "--nothing"), "No such option: --nothing"),
        (("layers",), "Missing argument 'NETWORK'"),
        (("layers", "mymodels:leaving", "--shape", "3x24x24"), "mymodels:leaving failed with SystemExit: 3"),
        (("see", "mymodels:single", "0", "--shape", "3x24x24"), "single cannot take a batch of 4x3x24x24: AssertionError"),
        (("see", "mymodels:detaching", "0", "--shape", "3x24x24"), "no gradient comes back from channel(0, 0-3, below 0.1)"),
        (("filters", "mymodels:nowhere", "--shape", "3x24x24"), "hold infinite or undefined weights"),
        (("filters", "digits", "--out", "filters.jpg"), "filters.jpg should end in .png"),
        (("layers", "failing:net", "--shape", "3x24x24"), "importing \"failing\" failed with KeyError: 'no such key'"),
        (("layers", "mymodels.py:residual"), "write mymodels:residual"),
        (("layers", "mymodels:1+1", "--shape", "3x24x24"), '"mymodels:1+1" should be written package.module:factory'),
        (("layers", "mymodels:residual", "--shape", "3x99999x99999"), "has more than 268,435,456 numbers"),
        (("see", "digits", "conv2", "--penalty", "l1=1,2"), '--penalty l1 takes one number, not 2: "l1=1,2"'),
        (("see", "digits", "conv2", "--transform", "jitter=1,2"), "--transform jitter takes one number, not 2"),
        (("see", "digits", "conv2", "--device", "meta"), 'cannot use the device "meta": nothing can be computed there'),
        (("see", ":smile:", "conv2"), '":smile:" should be written package.module:factory'),
        (("see", "digits", ":smile:"), 'no layer ":smile:" in digits'),
        (("filters", "mymodels:undefined", "--shape", "3x24x24"), "the filters of stem hold infinite or undefined weights"),
        (("filters", "digits", "conv2"), "span 25 channels, which are no colours"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(
    convsight: Run, residual: tuple[str, ...], arguments: tuple[str, ...], sentence: str
) -> None:
    before = left()
    done = convsight(*arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert left() == before


def test_weights_that_do_not_fit_or_would_run_code_are_refused(convsight: Run, residual: tuple[str, ...]) -> None:
    torch.save({"stem.weight": torch.zeros(1)}, "weights.pt")
    done = convsight("see", *residual, "block", "--weights", "weights.pt")
    assert done.returncode == 2
    assert "stem.bias is missing" in done.stderr

    class Attack:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("attacked",)

    torch.save(Attack(), "attack.pt")
    done = convsight("see", *residual, "block", "--weights", "attack.pt")
    assert done.returncode == 2
    assert "would run code when opened, so it is refused" in done.stderr
    assert "attacked" not in done.stdout + done.stderr


def test_ctrl_c_in_the_middle_leaves_no_half_file() -> None:
    """On a terminal, where the bar tells that the middle has come."""
    command = [sys.executable, "-m", "convsight", "see", "digits", "conv2", "--steps", "100000", "--out", "out/found.png"]
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stderr=theirs, stdout=theirs) as running:
        os.close(theirs)
        said = b""
        while b"/s" not in said:
            said += os.read(ours, 1000)
        running.send_signal(signal.SIGINT)
        while True:
            try:
                said += os.read(ours, 1000)
            except OSError:  # the other end is closed
                break
    assert running.returncode == 2
    assert b"interrupted; nothing half-written is left" in said and b"Traceback" not in said
    assert left() == set()
