from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from PIL import Image

from convsight import InputError, channel, load, visualize
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


def test_a_layer_without_units_is_refused() -> None:
    net = Network(torch.nn.Sequential(torch.nn.Flatten(0)), load("digits").input)
    with pytest.raises(InputError, match="it has no units"):
        draw(net, [Layer("0", "Flatten", (), None, 0)], Path("atlas"))
    assert not Path("atlas").exists()
