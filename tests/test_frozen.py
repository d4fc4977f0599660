from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from convsight import Network, channel, logit, visualize
from convsight.errors import InputError
from convsight.frozen import frozen
from tests.networks import SHAPE, network


class Odd(nn.Module):
    """A submodule under two names, a weight in two places, and an LSTM, which keeps its weights elsewhere too."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3)])
        self.first = self.blocks[0]
        self.blocks[2].weight = self.blocks[1].weight
        self.register_buffer("passes", torch.zeros(()))
        self.lstm = nn.LSTM(4, 5, batch_first=True)
        self.head = nn.Linear(5, 2)

    def forward(self, given: Tensor) -> Tensor:
        self.passes += 1
        for block in self.blocks:
            given = block(given)
        sequence, _ = self.lstm(given.mean(3).transpose(1, 2))
        return self.head(sequence[:, -1])


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("objective", [channel("first", [1, 2]), channel("blocks.2", [0, 3]), logit([0, 1])])
def test_shared_modules_and_weights_come_back_as_they_were(precision: torch.dtype, objective: object) -> None:
    module = Odd()
    before = {name: (each, each.clone()) for name, each in module.named_parameters(remove_duplicate=False)}
    visualize(Network(module, network().input), objective, steps=2, precision=precision)
    after = dict(module.named_parameters(remove_duplicate=False))
    assert after.keys() == before.keys()
    for name, (parameter, values) in before.items():
        assert after[name] is parameter and parameter.requires_grad and parameter.grad is None
        assert torch.equal(parameter, values)
    assert module.training and module.passes == 0
    module(torch.rand(1, *SHAPE)).sum().backward()


def test_inside_parameters_are_constants_and_buffers_copies() -> None:
    module = Odd()
    with frozen(module):
        assert not module.training and not any(each.requires_grad for each in module.parameters())
        assert module.blocks[2].weight is module.blocks[1].weight
        module(torch.rand(1, *SHAPE))
        assert module.passes == 1
    assert module.passes == 0 and module.training


def test_an_error_inside_leaves_the_module_as_it_was() -> None:
    module = Odd()
    before = dict(module.named_parameters())
    with pytest.raises(KeyboardInterrupt), frozen(module):
        raise KeyboardInterrupt
    assert all(each is before[name] for name, each in module.named_parameters())


class Checkpointing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.head = nn.Linear(4, 2)

    def forward(self, given: Tensor) -> Tensor:
        return self.head(checkpoint(self.conv, given, use_reentrant=True).mean((2, 3)))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_network_that_computes_anew_for_the_gradient_gets_none_itself() -> None:
    module = Checkpointing()
    result = visualize(Network(module, network().input), logit([0, 1]), steps=3)
    assert (result.input[0] != result.input[1]).any()
    assert all(each.grad is None for each in module.parameters())
    with pytest.raises(InputError, match="no gradient comes back from channel"):
        visualize(Network(module, network().input), channel("conv", [0, 1]), steps=3)
