"""Answers in 8-bit integers, against the same in floating point."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from convsight import load
from convsight.errors import InputError
from convsight.go import int8
from convsight.go.duel import duel, sensible
from convsight.go.int8 import Integers
from convsight.go.model import answers, policy, untrained
from convsight.go.samples import encoded
from convsight.network import Network

native = pytest.mark.skipif(
    not int8.possible(untrained(policy(width=2, depth=2, size=5))), reason="this CPU multiplies no 8-bit integers natively"
)


@cache
def positions(count: int = 200) -> Tensor:
    network = load("go9")
    moves = duel(network, network, 8, seed=1).moves
    chosen = np.random.default_rng(0).choice(moves.samples(), count, replace=False)
    return encoded(moves, np.sort(chosen).astype(np.int32), 48)[0]


@torch.no_grad()
def simulated(integers: Integers, given: Tensor) -> Tensor:
    """What the convolutions of `integers` give by the paper's formula, in float64, from `given` uint8."""
    current = given.double()
    for place, convolution in enumerate(integers.convolutions):
        weight = convolution.weight.double()
        factors = weight.abs().amax((1, 2, 3), keepdim=True) / 127
        assert convolution.bias is not None
        answer = F.conv2d(current, (weight / factors).round(), padding=convolution.padding)
        answer = (integers.factors[place] * factors.view(-1, 1, 1) * answer + convolution.bias.double()[:, None, None]).relu()
        last = place == len(integers.convolutions) - 1
        current = answer if last else (answer / integers.factors[place + 1]).round().clamp(0, 255)
    return current


@native
def test_convolutions_are_those_of_the_paper() -> None:
    network = untrained(policy(width=16, depth=2, size=9), seed=3)
    integers = Integers(network)
    integers(positions()[:64])
    captured: list[Tensor] = []
    integers.rest = nn.Sequential(nn.Identity(), integers.rest)
    integers.rest[0].register_forward_hook(lambda _module, _inputs, output: captured.append(output.detach()))
    integers(positions()[64:128])
    expected = simulated(integers, positions()[64:128])
    apart = (captured[0].double() - expected).abs()
    assert float(expected.max()) > 1 and float(apart.max()) < 0.01 * float(expected.max())
    assert float((apart < 1e-4).double().mean()) > 0.99  # but where a half was rounded the other way


@native
@torch.no_grad()
@pytest.mark.parametrize(("count", "size", "planes", "width"), [(1, 5, 4, 3), (3, 5, 12, 1), (1, 19, 48, 4)])
def test_one_board_small_boards_and_few_planes_and_filters(count: int, size: int, planes: int, width: int) -> None:
    network = untrained(policy(width=width, depth=3, size=size, planes=planes), seed=1)
    given = (torch.rand(count, 48, size, size, generator=torch.Generator().manual_seed(0)) < 0.3).to(torch.uint8)
    integers = Integers(network)
    found, expected = integers(given), integers.rest(simulated(integers, given[:, :planes]).float())
    assert float(expected.abs().max()) > 0.1
    torch.testing.assert_close(found, expected, atol=0.01 * float(expected.abs().max()), rtol=0)


@native
@torch.no_grad()
def test_they_answer_nearly_what_floats_do() -> None:
    network, given = load("go9"), positions()
    expected = sensible(answers(network, given), given).log_softmax(1)
    found = sensible(Integers(network)(given), given).log_softmax(1)
    apart = (expected.exp() * (expected - found)).sum(1)
    assert float(apart.mean()) < 0.003
    assert float((expected.argmax(1) == found.argmax(1)).double().mean()) > 0.95


@native
def test_a_board_beyond_the_range_is_answered_in_floats() -> None:
    network, given = load("go9"), positions().clone()
    integers = Integers(network)
    integers(given[:64])
    given[70] = 30  # which no plane holds
    found = integers(given[64:80])
    assert torch.equal(found[6], answers(network, given[70:71])[0])
    others = torch.arange(16) != 6
    assert not torch.equal(found[others], answers(network, given[64:80])[others])


@native
@pytest.mark.parametrize("layer", ["conv1", "conv2", "conv3"])
def test_weights_that_are_not_finite_are_said(layer: str) -> None:
    network = untrained(policy(width=8, depth=3, size=9), seed=0)
    network.module.get_parameter(f"{layer}.weight").data[0] = float("nan")
    with pytest.raises(InputError, match="became infinite or undefined"):
        Integers(network)(positions())


@native
def test_only_what_begins_with_convolutions_and_takes_planes_as_they_are() -> None:
    network = untrained(policy(width=8, depth=3, size=9), seed=0)
    assert int8.possible(network)
    assert not int8.possible(replace(network, input=replace(network.input, mean=(0.5,), std=(0.5,))))
    pooled = nn.Sequential(nn.Conv2d(48, 8, 3), nn.MaxPool2d(2), nn.Flatten())
    assert not int8.possible(Network(pooled, network.input))
    same = nn.Sequential(*[nn.Conv2d(48, 48, 3, padding="same"), nn.ReLU()] * 2, nn.Flatten())
    assert not int8.possible(Network(same, network.input))
    assert not int8.possible(Network(Residual(), network.input))


class Residual(nn.Module):
    """Its parts are those of a sequence, but what it does is not."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.first_relu = nn.Conv2d(48, 48, 3, padding=1), nn.ReLU()
        self.second, self.second_relu = nn.Conv2d(48, 48, 3, padding=1), nn.ReLU()

    def forward(self, given: Tensor) -> Tensor:
        return given + self.second_relu(self.second(self.first_relu(self.first(given))))


@native
def test_layers_may_come_twice() -> None:
    relu = nn.ReLU()
    torch.manual_seed(0)
    layers = [nn.Conv2d(4, 4, 3, padding=1, bias=False), relu, nn.Conv2d(4, 4, 3, padding=1, bias=False), relu]
    network = replace(
        untrained(policy(planes=4, size=5)), module=nn.Sequential(*layers, nn.Conv2d(4, 1, 1), nn.Flatten()), architecture=None
    )
    assert int8.possible(network)
    given = torch.ones(2, 4, 5, 5, dtype=torch.uint8)
    expected = answers(network, given).detach()
    torch.testing.assert_close(Integers(network)(given), expected, atol=0.05 * float(expected.abs().max()), rtol=0)


@pytest.mark.parametrize("known", [True, False])
def test_without_native_integers_games_are_in_floats(monkeypatch: pytest.MonkeyPatch, known: bool) -> None:
    if known:
        monkeypatch.setattr(torch.cpu, "_is_vnni_supported", lambda: False)
    else:
        monkeypatch.delattr(torch.cpu, "_is_vnni_supported")
    network = untrained(policy(width=8, depth=3, size=5), seed=0)
    assert not int8.possible(network)
    assert len(duel(network, network, 2, seed=0).outcome) == 2
