"""Every gradient against central differences in float64, on inputs where nothing has a kink."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor, nn

from convsight import (
    channel,
    dream,
    fourier,
    fourier_overlay,
    jitter,
    l1,
    l2,
    logit,
    maco,
    neuron,
    overlay,
    pad,
    pixels_from,
    principal,
    rotate,
    scale,
    total_variation,
)
from convsight.activations import INPUT, read
from convsight.objectives import Objective
from convsight.transforms import Transform
from tests.networks import SHAPE, smooth

OBJECTIVES = {
    "channel": channel("conv2", [1, 4]),
    "channel mean": channel("act1", [0, 2], over="mean"),
    "channel of a vector": channel("fc", 3),
    "neuron": neuron("conv2", [2, 3]),
    "neuron at a position": neuron("conv1", 1, position=(4, 7)),
    "neuron of a vector": neuron("fc", [5, 6]),
    "logit": logit([0, 6]),
    "dream": dream("act2"),
    "l1": -l1(),
    "l2": l2(),
    "total variation": total_variation(),
    "algebra": 0.5 * (channel("conv2", [1, 2]) - dream("conv1") / 3) + logit(1) - 0.1 * (l1() + total_variation()),
}
TRANSFORMS = {"jitter": jitter(3), "scale": scale([0.8, 1.3]), "rotate": rotate(20), "pad": pad(2)}
SEEDS = st.integers(0, 2**32)


def assert_gradient_is_right(function: Callable[[Tensor], Tensor], point: Tensor, generator: Generator) -> None:
    """Along three random directions, the derivative that autograd gives is that of central differences to 1e-5."""
    point = point.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(function(point), point)
    for _ in range(3):
        direction = torch.randn(point.shape, generator=generator, dtype=torch.float64)
        direction = torch.where(gradient == 0, direction, direction.abs() * gradient.sign())  # no cancellation
        direction /= direction.norm()
        step = 1e-5
        with torch.no_grad():
            measured = (function(point + step * direction) - function(point - step * direction)) / (2 * step)
        torch.testing.assert_close((gradient * direction).sum(), measured, rtol=1e-5, atol=1e-9)


def picture(generator: Generator) -> Tensor:
    """(2, 3, 12, 17) in (0.1, 0.9), every two neighbours at least 2e-4 apart, so that no difference is near its kink."""
    levels = torch.linspace(0.1, 0.9, 2 * 3 * 12 * 17, dtype=torch.float64)
    shuffled = levels[torch.randperm(len(levels), generator=generator)].view(2, *SHAPE)
    assert levels.diff().min() > 2e-4
    return shuffled


def score(objective: Objective, image: Tensor) -> Tensor:
    network = smooth()
    with read(network.module, objective.layers.keys() - {INPUT}) as activations_of:
        return objective(activations_of(network.input.normalise(image)) | {INPUT: image}).sum()


@pytest.mark.parametrize("name", OBJECTIVES)
@settings(max_examples=8, deadline=None)
@given(seed=SEEDS)
def test_objectives(name: str, seed: int) -> None:
    generator = Generator().manual_seed(seed)
    assert_gradient_is_right(lambda image: score(OBJECTIVES[name], image), picture(generator), generator)


@pytest.mark.parametrize("name", TRANSFORMS)
@settings(max_examples=8, deadline=None)
@given(seed=SEEDS)
def test_transforms(name: str, seed: int) -> None:
    generator = Generator().manual_seed(seed)
    transform: Transform = TRANSFORMS[name]
    view = transform(generator)
    assert_gradient_is_right(lambda image: view(image).pow(3).sum(), picture(generator), generator)


@pytest.mark.parametrize(
    "make",
    [
        "pixels",
        "overlay",
        "fourier overlay",
        "fourier",
        "fourier, correlated",
        "fourier, decay 1.5",
        "fourier, range",
        "maco",
        "principal",
    ],
)
@settings(max_examples=8, deadline=None)
@given(seed=SEEDS)
def test_parametrizations(make: str, seed: int) -> None:
    generator = Generator().manual_seed(seed)
    small = seed % 1000
    parametrization: nn.Module = {
        "pixels": lambda: pixels_from(picture(generator)),
        "overlay": lambda: overlay(picture(generator)),
        "fourier overlay": lambda: fourier_overlay(picture(generator)),
        "fourier": lambda: fourier(SHAPE, 2, seed=small, deviation=1.0, dtype=torch.float64),
        "fourier, correlated": lambda: fourier(SHAPE, 2, seed=small, decorrelated=False, dtype=torch.float64),
        "fourier, decay 1.5": lambda: fourier((1, 9, 8), 2, seed=small, decay=1.5, dtype=torch.float64),
        "fourier, range": lambda: fourier((1, 6, 11), seed=small, value_range=(-2.0, 3.0), dtype=torch.float64),
        "maco": lambda: maco((3, 7, 6), 2, seed=small, dtype=torch.float64),
        "principal": lambda: principal(0.45 + 0.1 * torch.rand(30, 2, 5, 7, generator=generator).double(), 2, components=6),
    }[make]()
    ((name, parameter),) = parametrization.named_parameters()

    def cubed(values: Tensor) -> Tensor:
        image: Tensor = torch.func.functional_call(parametrization, {name: values}, ())
        return image.pow(3).sum()

    assert_gradient_is_right(cubed, parameter, generator)
