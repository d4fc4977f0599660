"""Small networks that the tests look into; the names and shapes are chosen so that mistakes show (nothing is square)."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from convsight import InputSpec, Network

SHAPE = (3, 12, 17)


class Residual(nn.Module):
    """A block that adds its input to what two convolutions make of it, in place, as torchvision's do."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, given: Tensor) -> Tensor:
        made = self.second(self.relu(self.first(given)))
        made += given
        return self.relu(made)


class Branching(nn.Module):
    """A stem, two branches side by side, a residual block, and a head, which counts how often it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, stride=2)
        self.left = nn.Sequential(nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.Conv2d(6, 4, 3, padding=1))
        self.right = nn.Conv2d(6, 4, 1)
        self.block = Residual(8)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(8, 5)
        self.head_calls = 0

    def forward(self, given: Tensor) -> Tensor:
        stem = self.stem(given)
        joined = self.block(torch.cat([self.left(stem), self.right(stem)], 1))
        self.head_calls += 1
        return self.head(self.dropout(joined.mean((2, 3))))


def branching(seed: int = 0) -> Branching:
    torch.manual_seed(seed)
    module = Branching()
    for each in module.modules():
        if isinstance(each, nn.BatchNorm2d):
            each.running_mean.uniform_(-0.2, 0.2)
            each.running_var.uniform_(0.5, 1.5)
    return module


def network(module: nn.Module | None = None, **spec: tuple[float, ...]) -> Network:
    return Network(module or branching(), InputSpec(SHAPE, **spec), name="small")


def smooth(seed: int = 0) -> Network:
    """A network without kinks, in float64, so that finite differences are exact to many digits."""
    torch.manual_seed(seed)
    layers = OrderedDict(
        conv1=nn.Conv2d(3, 4, 3), act1=nn.Tanh(), conv2=nn.Conv2d(4, 5, 3, stride=2), act2=nn.Softplus(),
        flatten=nn.Flatten(), fc=nn.Linear(5 * 4 * 7, 7),
    )  # fmt: skip
    return Network(nn.Sequential(layers).double(), InputSpec(SHAPE, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.25)), name="smooth")
