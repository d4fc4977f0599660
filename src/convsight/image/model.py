"""The digit network as the lecture draws it: its declaration, its loss and metric, and how it is trained, as data."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import Generator, Tensor

from convsight.architecture import Architecture, Convolution, build
from convsight.image.data import Digits
from convsight.input_spec import InputSpec
from convsight.network import Network
from convsight.optimizers import adamw
from convsight.training import Plan

DIGITS = Architecture(
    channels=1,
    axes={"height": 28, "width": 28},
    convolutions=(
        Convolution(25, slides={"height": 3, "width": 3}, pools={"height": 2, "width": 2}),
        Convolution(50, slides={"height": 3, "width": 3}, pools={"height": 2, "width": 2}),
    ),
    fully_connected=(128,),
    outputs=10,
)

PLAN = Plan(epochs=12, batch=128, optimizer=adamw(3e-3, weight_decay=1e-2))
SMALL_DATA_EPOCHS = 60

INPUT = InputSpec(shape=(1, 28, 28), mean=(0.1307,), std=(0.3081,))  # mean and deviation of MNIST's training pixels


def untrained(architecture: Architecture = DIGITS, *, seed: int = 0) -> Network:
    """A digit network with random weights drawn from `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = build(architecture)
    return Network(module, INPUT, tuple("0123456789"), "digits", {}, architecture)


def loss(output: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of each sample, (B,); `output`: (B, 10) before softmax, `labels`: (B,) int64."""
    return F.cross_entropy(output, labels, reduction="none")


@torch.no_grad()
def count_right(network: Network, digits: Digits) -> int:
    """How many of `digits` the network gives their label; in float32."""
    network.module.eval()
    called = [network(part.to(network.device)).argmax(1).cpu() for part in torch.split(digits.pictures(), 1000)]
    return int((torch.cat(called) == digits.labels).sum())


def distorted(images: Tensor, generator: Generator) -> Tensor:
    """(B, 28, 28) uint8 to (B, 1, 28, 28) float in [0, 1], each turned, stretched, sheared and moved at random.

    By up to 12 degrees, 12 percent, 0.15 and 2 pixels. Source: affine distortions as in LeCun et al. 1998, section III-A.
    """
    batch = len(images)

    def up_to(limit: float) -> Tensor:
        return (2 * torch.rand(batch, generator=generator) - 1) * limit

    angle, shear = up_to(math.radians(12)), up_to(0.15)
    stretch_x, stretch_y = 1 + up_to(0.12), 1 + up_to(0.12)
    shift_x, shift_y = up_to(2 / 14), up_to(2 / 14)
    cosine, sine = angle.cos(), angle.sin()
    first = torch.stack([cosine * stretch_x, (shear - sine) * stretch_y, shift_x], 1)
    second = torch.stack([sine * stretch_x, cosine * stretch_y, shift_y], 1)
    grid = F.affine_grid(torch.stack([first, second], 1), [batch, 1, 28, 28], align_corners=False)
    return F.grid_sample(images[:, None].float() / 255, grid, align_corners=False)


def distorted_and_labels(images: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """`distorted`, for `training.shuffled`: labels stay as they are."""
    return distorted(images, generator), labels
