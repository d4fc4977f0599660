from __future__ import annotations

import pytest
import torch
import torchvision
from torch import Tensor, nn

from convsight.architecture import build
from convsight.image.model import DIGITS
from convsight.receptive_field import receptive_fields
from tests.networks import SHAPE, branching


def seen(module: nn.Module, layer: str, shape: tuple[int, ...]) -> tuple[int, int]:
    """By experiment: which rows and columns, made undefined (NaN), make the centre unit undefined."""
    kept: list[Tensor] = []
    handle = module.get_submodule(layer).register_forward_hook(lambda _module, _inputs, output: kept.append(output.clone()))
    reached = [0, 0]
    for axis in (0, 1):
        for place in range(shape[1 + axis]):
            given = torch.rand(1, *shape)
            given.select(2 + axis, place).fill_(torch.nan)
            kept.clear()
            with torch.no_grad():
                module(given)
            maps = kept[0]
            unit = maps[0, :, maps.shape[2] // 2, maps.shape[3] // 2] if maps.dim() == 4 else maps[0]
            reached[axis] += bool(unit.isnan().any())
    handle.remove()
    return reached[0], reached[1]


@pytest.mark.parametrize("layer", ["conv1", "conv1_pool", "conv2", "conv2_pool", "fc1", "output"])
def test_of_the_digit_network(layer: str) -> None:
    module = build(DIGITS).eval()
    assert receptive_fields(module, torch.rand(1, 1, 28, 28))[layer] == seen(module, layer, (1, 28, 28))


@pytest.mark.parametrize("layer", ["stem", "left.2", "right", "block.first", "head"])
def test_of_a_branching_network_with_a_residual(layer: str) -> None:
    module = branching().eval()
    shape = (3, 31, 37)
    assert receptive_fields(module, torch.rand(1, *shape))[layer] == seen(module, layer, shape)


def test_of_vgg16_as_published() -> None:
    """The figures are those of the field's tables, for example Araujo, Norris, Sim 2019, "Computing Receptive Fields"."""
    fields = receptive_fields(torchvision.models.vgg16(weights=None).features, torch.rand(1, 3, 224, 224))
    assert [fields[name] for name in ("0", "4", "14", "28", "30")] == [(3, 3), (6, 6), (40, 40), (196, 196), (212, 212)]


def test_where_things_move_in_an_unknown_way_nothing_is_claimed() -> None:
    class Strange(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, given: Tensor) -> Tensor:
            return self.conv(given.unfold(2, 4, 4).flatten(3))

    assert receptive_fields(Strange(), torch.rand(1, *SHAPE))["conv"] is None
