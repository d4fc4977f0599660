from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from PIL import Image

from convsight import InputError, InputSpec, channel, load, visualize
from convsight.image.atlas import draw, drawn, picture
from convsight.network import Layer, Network
from convsight.pictures import from_tensor


def layers(net: Network, *names: str) -> list[Layer]:
    return [each for each in net.layers() if each.name in names]


def test_every_unit_has_the_picture_that_it_has_alone() -> None:
    net = load("digits")
    page = draw(net, layers(net, "conv1"), Path("atlas"), steps=4, seed=3)
    alone = visualize(net, channel("conv1", [7]), steps=4, seed=3)
    with Image.open(picture(Path("atlas"), "conv1", 7)) as drawn_there:
        assert drawn_there.tobytes() == from_tensor(alone.input[0]).tobytes()
    assert drawn(Path("atlas"), layers(net, "conv1", "conv2")) == 25
    named = re.findall(r'src="([^"]+)"', page.read_text())
    assert len(named) == 25 and all((page.parent / each).is_file() for each in named)


def test_another_call_draws_only_what_is_missing_and_adds_layers() -> None:
    net, folder = load("digits"), Path("atlas")
    draw(net, layers(net, "conv1"), folder, steps=4)
    before = {each: each.stat().st_mtime_ns for each in folder.glob("conv1/*.png")}
    lost = picture(folder, "conv1", 9)
    content = lost.read_bytes()
    lost.unlink()
    counts: list[int] = []
    page = draw(net, layers(net, "conv1", "fc1"), folder, steps=4, on_unit=counts.append)
    assert lost.read_bytes() == content
    assert all(each.stat().st_mtime_ns == time for each, time in before.items() if each != lost)
    assert counts[0] == 24 and counts[-1] == 25 + 128 and counts == sorted(counts)
    assert json.loads((folder / "atlas.json").read_text())["layers"] == {"conv1": 25, "fc1": 128}
    assert len(re.findall("<img", page.read_text())) == 25 + 128


def test_an_atlas_made_otherwise_and_a_record_of_something_else_are_left_alone() -> None:
    net, folder = load("digits"), Path("atlas")
    draw(net, layers(net, "conv1"), folder, steps=2)
    with pytest.raises(InputError, match="atlas holds an atlas of steps 2, not 3, seed 0, not 1; give another folder"):
        draw(net, layers(net, "conv1"), folder, steps=3, seed=1)
    (folder / "atlas.json").write_text("[]")
    with pytest.raises(InputError, match="is no record of an atlas"):
        draw(net, layers(net, "conv1"), folder, steps=2)


def test_other_weights_under_the_same_name_are_told_apart() -> None:
    torch.manual_seed(0)
    for attempt in range(2):
        net = Network(torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3)), InputSpec((3, 16, 16)))
        if attempt == 0:
            draw(net, layers(net, "0"), Path("atlas"), steps=1)
    with pytest.raises(InputError, match="atlas holds an atlas of weights"):
        draw(net, layers(net, "0"), Path("atlas"), steps=1)


def test_a_module_that_takes_its_own_size_alone_is_shown_that_and_a_failure_leaves_no_record() -> None:
    class Fixed(torch.nn.Conv2d):
        def forward(self, given: torch.Tensor) -> torch.Tensor:
            assert given.shape[-1] == 120
            return super().forward(given)

    net = Network(torch.nn.Sequential(Fixed(3, 2, 3)), InputSpec((3, 120, 120)))
    with pytest.raises(InputError, match="cannot take a batch of 2x3x64x64"):
        draw(net, layers(net, "0"), Path("atlas"), size=64, steps=1)
    draw(net, layers(net, "0"), Path("atlas"), steps=1)
    with Image.open(picture(Path("atlas"), "0", 1)) as drawn_there:
        assert drawn_there.size == (120, 120)


def test_a_layer_without_units_is_refused() -> None:
    net = Network(torch.nn.Sequential(torch.nn.Flatten(0)), load("digits").input)
    with pytest.raises(InputError, match="it has no units to draw"):
        draw(net, [Layer("0", "Flatten", (), None, 0)], Path("atlas"))
    assert not Path("atlas").exists()
