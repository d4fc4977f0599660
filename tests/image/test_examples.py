from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from convsight import InputError, InputSpec, Network
from convsight.image.examples import strongest


def network() -> Network:
    """Unit 0 counts light in 4x4 pixels, unit 1 darkness, both on a grid of steps of two."""
    layer = nn.Conv2d(1, 2, 4, stride=2)
    with torch.no_grad():
        layer.weight.copy_(torch.ones(2, 1, 4, 4) * torch.tensor([1.0, -1.0]).view(2, 1, 1, 1))
        layer.bias.zero_()
    return Network(nn.Sequential(layer, nn.Flatten(), nn.LazyLinear(3)), InputSpec((1, 20, 20)))


def write(name: str, size: tuple[int, int], spot: tuple[int, int], light: int) -> Path:
    """A black picture, `size` wide and high, with 4x4 pixels of `light` from `spot`, column and row."""
    values = np.zeros(size[::-1], np.uint8)
    values[spot[1] : spot[1] + 4, spot[0] : spot[0] + 4] = light
    Image.fromarray(values).save(name)
    return Path(name)


def test_the_strongest_places_are_found_in_pictures_of_every_shape() -> None:
    net = network()
    net.module(torch.zeros(1, 1, 20, 20))
    paths = [
        write("faint.png", (20, 20), (6, 8), 100),
        write("wide.png", (32, 20), (24, 4), 250),
        write("high.png", (20, 26), (4, 20), 200),
        write("dark.png", (20, 20), (0, 0), 0),
    ]
    seen: list[int] = []
    light, dark = strongest(net, "0", [0, 1], paths, count=3, on_picture=seen.append)
    assert [each.path.name for each in light] == ["wide.png", "high.png", "faint.png"]
    assert [each.box for each in light] == [(24, 4, 28, 8), (4, 20, 8, 24), (6, 8, 10, 12)]
    assert [each.activation for each in light] == pytest.approx([16 * each / 255 for each in (250, 200, 100)], rel=1e-2)
    assert light[0].shown == (32, 20) and light[0].patch.shape == (1, 20, 20)
    assert light[0].patch.min() > 0.95
    assert dark[0].activation == 0
    assert sorted(seen)[-1] == 4
    ((least, *_),) = strongest(net, "0", [1], paths, count=3, largest=False)
    assert least.path.name == "wide.png" and least.activation < -15


def test_of_a_layer_without_maps_the_middle_of_the_whole_picture_is_shown() -> None:
    net = network()
    net.module(torch.zeros(1, 1, 20, 20))
    with torch.no_grad():
        net.module[2].weight.fill_(1.0)
        net.module[2].bias.zero_()
        net.module[0].weight[1] = 0.0
    paths = [write("bright.png", (40, 20), (18, 8), 255), write("aside.png", (40, 20), (0, 0), 255)]
    ((first, second),) = strongest(net, "output", [2], paths)
    assert (first.path.name, second.path.name) == ("bright.png", "aside.png")
    assert second.activation == 0  # what lies outside the middle square is not shown
    assert first.box == (0, 0, 20, 20)


def test_a_unit_that_sees_as_much_as_the_network_takes_is_shown_the_whole_picture() -> None:
    """How far beyond that it sees isn't known, so no part could be told."""
    deep = nn.Sequential(*[nn.Conv2d(1, 1, 5, stride=2, padding=2) for _ in range(3)], nn.Conv2d(1, 2, 3, stride=2, padding=1))
    ((first,),) = strongest(Network(deep, InputSpec((1, 20, 20))), "3", [0], [write("wide.png", (32, 20), (24, 4), 250)])
    assert first.box == (0, 0, 32, 20) and first.shown == (32, 20)


def test_pictures_of_many_sizes_are_looked_at_as_they_come() -> None:
    net = network()
    net.module(torch.zeros(1, 1, 20, 20))
    paths = [write(f"{width}.png", (width, 20), (0, 0), width) for width in range(20, 80)]
    paths += [write(f"more-{width}.png", (width, 20), (0, 0), width) for width in range(20, 80)]
    seen: list[int] = []
    ((first, *_),) = strongest(net, "0", [0], paths, count=3, on_picture=seen.append)
    assert seen[-1] == 120 and len(seen) > 40
    assert first.path.name in ("79.png", "more-79.png")


def test_a_layer_of_a_sequence_is_refused() -> None:
    net = Network(nn.Sequential(nn.Flatten(2)), InputSpec((1, 20, 20)))
    with pytest.raises(InputError, match="puts out no maps and no vector"):
        strongest(net, "0", [0], [])


def test_a_network_of_other_channels_takes_no_pictures() -> None:
    with pytest.raises(InputError, match="takes 2 channels, not pictures"):
        strongest(Network(nn.Sequential(nn.Conv2d(2, 2, 3)), InputSpec((2, 8, 8))), "0", [0], [])
