from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torchvision
from torch import Tensor, nn

from convsight import receptive_field
from convsight.architecture import build
from convsight.image.model import DIGITS
from tests.networks import SHAPE, branching


def receptive_fields(module: nn.Module, given: Tensor) -> dict[str, tuple[int, int] | None]:
    return {name: each and each.size for name, each in receptive_field.receptive_fields(module, given).items()}


def seen(module: nn.Module, layer: str, shape: tuple[int, ...]) -> tuple[int, int]:
    """By experiment: from which first to which last row and column, made undefined (NaN), the centre unit is undefined."""
    kept: list[Tensor] = []
    handle = module.get_submodule(layer).register_forward_hook(lambda _module, _inputs, output: kept.append(output.clone()))
    reached: list[list[int]] = [[], []]
    for axis in (0, 1):
        for place in range(shape[1 + axis]):
            given = torch.rand(1, *shape)
            given.select(2 + axis, place).fill_(torch.nan)
            kept.clear()
            with torch.no_grad():
                module(given)
            maps = kept[0]
            unit = maps[0, :, maps.shape[2] // 2, maps.shape[3] // 2] if maps.dim() == 4 else maps[0]
            if unit.isnan().any():
                reached[axis].append(place)
    handle.remove()
    down, across = (each[-1] - each[0] + 1 for each in reached)
    return down, across


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


class Made(nn.Module):
    """A convolution, `operation`, and another convolution that sees what comes of it."""

    def __init__(self, operation: Callable[[Tensor], Tensor] | nn.Module, channels: int = 4) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, stride=2)
        self.operation = operation
        self.conv2 = nn.Conv2d(channels, 2, (2, 1))

    def forward(self, given: Tensor) -> Tensor:
        return self.conv2(self.operation(self.conv1(given)))


def shuffled(maps: Tensor) -> Tensor:
    return maps.view(len(maps), 2, 2, *maps.shape[2:]).transpose(1, 2).reshape(maps.shape)


def late(maps: Tensor) -> Tensor:
    made = maps.clone()
    made[:, :, :-1] = maps[:, :, 1:] + maps[:, :, :-1]
    return made


def opposite(maps: Tensor) -> Tensor:
    weight = torch.ones(4, 4, 2, 1)
    above, below = nn.functional.pad(maps, (0, 0, 1, 0)), nn.functional.pad(maps, (0, 0, 0, 1))
    return nn.functional.conv2d(above, weight) + nn.functional.conv2d(below, weight)


@pytest.mark.parametrize(
    ("operation", "channels"),
    [
        (nn.GroupNorm(2, 4), 4), (nn.InstanceNorm2d(4), 4), (nn.BatchNorm2d(4), 4), (nn.LocalResponseNorm(2), 4),
        (nn.AdaptiveAvgPool2d((4, 3)), 4), (nn.AdaptiveMaxPool2d(6), 4), (nn.AvgPool2d(3, 2, 1), 4),
        (nn.MaxPool2d(2, dilation=2), 4), (lambda maps: maps.mean(1, keepdim=True), 1), (lambda maps: maps.softmax(3), 4),
        (lambda maps: maps.softmax(1), 4), (lambda maps: torch.cat([maps, maps.relu()], 1), 8), (shuffled, 4),
        (lambda maps: maps * maps.mean((2, 3), keepdim=True).sigmoid(), 4), (lambda maps: maps - 2 * maps.tanh(), 4),
        (lambda maps: nn.functional.pad(maps, (1, 1, 2, 0)), 4),
        (lambda maps: maps.sum(-2, keepdim=True).expand(-1, -1, 5, -1), 4),
        (lambda maps: maps.flip(2), 4), (lambda maps: maps.roll(3, 2), 4), (lambda maps: maps.cumsum(2), 4),
        (lambda maps: maps.transpose(2, 3), 4), (lambda maps: nn.functional.interpolate(maps, scale_factor=2), 4),
        (lambda maps: torch.fft.fft2(maps).real, 4), (lambda maps: torch.einsum("bchw,bcvw->bcvh", maps, maps), 4),
        (lambda maps: maps[:, :, ::2], 4), (lambda maps: maps[:, 1:], 3), (nn.ConvTranspose2d(4, 4, 2, stride=2), 4),
        (lambda maps: torch.cat([maps, maps], 2), 4), (lambda maps: maps.mean(2).unsqueeze(2).expand(-1, -1, 3, -1), 4),
        (lambda maps: maps + nn.functional.pad(maps, (1, -1)), 4), (late, 4), (opposite, 4),
        (nn.Conv2d(4, 4, (4, 3), padding="same", dilation=2), 4), (nn.Conv2d(4, 4, 3, padding="valid"), 4),
        (lambda maps: maps.flatten(2).softmax(-1).view_as(maps), 4),
    ],
)  # fmt: skip
def test_a_field_is_right_or_unknown(operation: Callable[[Tensor], Tensor] | nn.Module, channels: int) -> None:
    module, shape = Made(operation, channels).eval(), (3, 25, 25)
    claimed = receptive_fields(module, torch.rand(1, *shape))["conv2"]
    assert claimed in (None, seen(module, "conv2", shape))
    if isinstance(operation, nn.Module) and not isinstance(operation, nn.ConvTranspose2d):
        assert claimed is not None


def test_of_a_flattened_map_each_number_sees_what_its_place_sees() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.ReLU(), nn.Linear(4 * 10 * 15, 5))
    fields = receptive_fields(module, torch.rand(1, *SHAPE))
    assert (fields["1"], fields["2"], fields["3"]) == ((3, 3), (3, 3), SHAPE[1:])
