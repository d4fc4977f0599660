from __future__ import annotations

import copy
from collections import OrderedDict

import pytest
import torch
from torch import nn

from convsight import (
    InputError,
    InputSpec,
    Network,
    adam,
    channel,
    evaluate,
    jitter,
    l1,
    l2,
    lbfgs,
    logit,
    neuron,
    pixels,
    rotate,
    scale,
    sgd,
    visualize,
)  # fmt: skip
from convsight.optimizers import MakeOptimizer
from tests.networks import SHAPE, network, smooth


def linear(weights: torch.Tensor) -> Network:
    layer = nn.Linear(weights[0].numel(), len(weights), bias=False)
    layer.weight.data = weights.flatten(1)
    return Network(nn.Sequential(nn.Flatten(), layer), InputSpec(tuple(weights.shape[1:])), name="linear")


@pytest.mark.parametrize("optimizer", [adam(0.05), sgd(0.05)], ids=["adam", "sgd"])
def test_the_best_input_of_a_linear_class_is_where_its_weights_are_positive(optimizer: MakeOptimizer) -> None:
    """Closed form: over pixels in [0, 1], w.x is highest at x = 1 where w > 0 and x = 0 elsewhere."""
    weights = torch.randn(4, 2, 5, 7)
    result = visualize(linear(weights), logit(range(4)), pixels((2, 5, 7), 4), optimizer=optimizer, steps=200)
    torch.testing.assert_close(result.input, (weights > 0).float(), atol=0.02, rtol=0)
    torch.testing.assert_close(result.score, weights.clamp(min=0).flatten(1).sum(1), atol=0.2, rtol=1e-2)


def test_with_l1_only_weights_above_its_strength_stay() -> None:
    """Closed form: w.x - c|x| over [0, 1] is highest at x = 1 where w > c and x = 0 elsewhere."""
    weights = torch.randn(3, 1, 6, 5)
    result = visualize(linear(weights), logit(range(3)) - 0.7 * l1(), steps=300)
    torch.testing.assert_close(result.input, (weights > 0.7).float(), atol=0.05, rtol=0)


@pytest.mark.parametrize(("optimizer", "steps"), [(adam(), 300), (sgd(), 300), (lbfgs(), 5)], ids=["adam", "sgd", "lbfgs"])
def test_the_best_patch_of_one_filter_is_the_filter(optimizer: MakeOptimizer, steps: int) -> None:
    """Closed form: w.x - |x|^2 / 2 is highest at x = w, here within the range that the weights keep to."""
    layer = nn.Conv2d(1, 1, (3, 4), bias=False)
    layer.weight.data.uniform_(0.1, 0.9)
    one = Network(nn.Sequential(OrderedDict(conv=layer)), InputSpec((1, 3, 4)))
    result = visualize(one, neuron("conv", 0) - 0.5 * l2(), optimizer=optimizer, steps=steps, precision=torch.float32)
    torch.testing.assert_close(result.input[0], layer.weight.data[0], atol=5e-3, rtol=0)


def test_a_unit_gets_the_same_picture_alone_and_in_a_batch() -> None:
    net = smooth()
    options = {"steps": 20, "transforms": [jitter(2), rotate(10), scale([0.9, 1.1])], "seed": 3}
    make = {"shape": SHAPE, "dtype": torch.float64, "seed": 1}
    together = visualize(net, channel("conv2", [0, 2, 4]), pixels(batch=3, **make), **options)
    for place, unit in enumerate([0, 2, 4]):
        alone = visualize(net, channel("conv2", [unit]), pixels(**make), **options)
        torch.testing.assert_close(together.input[place], alone.input[0], rtol=1e-8, atol=1e-8)


def test_a_seed_gives_the_same_picture_again_and_another_another() -> None:
    net = network()
    options = {"steps": 5, "transforms": [jitter(2)]}
    first, second, third = (visualize(net, channel("block", [1, 2]), seed=seed, **options) for seed in (4, 4, 5))
    assert torch.equal(first.input, second.input)
    assert torch.equal(first.scores, second.scores)
    assert not torch.equal(first.input, third.input)


def test_the_score_climbs_and_is_that_of_the_finished_picture() -> None:
    net = network()
    result = visualize(net, channel("stem", range(6)), steps=40, precision=torch.float32)
    assert result.scores.shape == (40, 6)
    assert (result.score > result.scores[0]).all()
    torch.testing.assert_close(result.score, evaluate(net, channel("stem", range(6)), result.input))


def test_penalties_see_the_picture_before_its_transforms() -> None:
    seen = visualize(network(), -l1(), pixels(SHAPE, noise=1.0), steps=1, optimizer=sgd(0.0), transforms=[scale([0.5])])
    torch.testing.assert_close(-seen.scores[0], seen.input.abs().sum((1, 2, 3)))


def test_normalisation_is_the_input_specifications() -> None:
    net = network(mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))
    image = torch.rand(2, *SHAPE)
    normalised = (image - torch.tensor([0.5, 0.4, 0.3]).view(3, 1, 1)) / torch.tensor([0.2, 0.3, 0.4]).view(3, 1, 1)
    torch.testing.assert_close(evaluate(net, logit(1), image), net.module.eval()(normalised)[:, 1].detach())


def test_the_users_module_comes_back_as_it_was() -> None:
    net = network()
    net.module.train()
    before = copy.deepcopy(net.module.state_dict())
    visualize(net, channel("block", 0), steps=3)
    assert net.module.training
    assert all(torch.equal(before[name], each) for name, each in net.module.state_dict().items())
    assert all(each.requires_grad and each.grad is None for each in net.module.parameters())


def test_frames_are_moments_of_the_history() -> None:
    for steps, frames, kept in ((30, 10, 10), (119, 60, 60), (7, 60, 7), (5, 1, 1)):
        result = visualize(network(), channel("stem", [0, 1]), steps=steps, frames=frames)
        assert result.frames is not None and len(result.frames) == kept
        assert torch.equal(result.frames[-1], (result.input * 255).round().byte())
    result = visualize(network(), channel("stem", [0, 1]), steps=30, frames=10)
    assert result.frames is not None
    assert result.frames.shape == (10, 2, *SHAPE)
    assert result.frames.dtype == torch.uint8
    assert not torch.equal(result.frames[0], result.frames[-1])


def test_a_bare_module_is_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match=r"give Network\(module, InputSpec"):
        visualize(network().module, channel("stem", 0))


def test_on_step_is_called_after_each_step() -> None:
    steps: list[int] = []
    visualize(network(), channel("stem", 0), steps=4, on_step=steps.append)
    assert steps == [0, 1, 2, 3]


def test_a_rate_that_blows_up_is_said_so() -> None:
    class Exploding(nn.Module):
        def forward(self, given: torch.Tensor) -> torch.Tensor:
            return given.flatten(1).log() - 10

    with pytest.raises(InputError, match="became infinite or undefined"):
        visualize(Network(Exploding(), InputSpec((1, 2, 2))), -logit(0), steps=60, optimizer=adam(1.0))
