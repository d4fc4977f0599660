from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from convsight.architecture import build
from convsight.go import model
from convsight.go.moves import of_records
from convsight.go.sgf import Record


def games(count: int) -> list[Record]:
    """Games that anyone can foretell: black from the left along the first lines, white from the right along the last."""
    black = list(range(9))
    white = [80 - column for column in range(9)]
    moves = tuple(move for pair in zip(black, white, strict=True) for move in ((1, pair[0]), (2, pair[1])))
    return [Record(9, (), moves) for _ in range(count)]


def test_the_network_is_alphagos() -> None:
    module = build(model.policy(width=192, depth=12))
    convolutions = [each for each in module if isinstance(each, nn.Conv2d)]
    assert [each.kernel_size[0] for each in convolutions] == [5, *[3] * 11, 1]
    assert [each.padding[0] for each in convolutions] == [2, *[1] * 11, 0]
    assert not [each for each in module.modules() if isinstance(each, nn.MaxPool2d | nn.BatchNorm2d)]
    assert sum(each.numel() for each in module.parameters()) == (48 * 192 * 25 + 192 + 11 * (192 * 192 * 9 + 192) + 192 + 361)
    assert build(model.policy(width=4, depth=2, planes=12, size=13))(torch.zeros(2, 12, 13, 13)).shape == (2, 169)


def test_a_network_begins_with_signals_that_keep_their_size() -> None:
    network = model.untrained(model.policy(width=64, depth=12))
    answers = network(torch.rand(4, 48, 19, 19))
    assert 0.05 < answers.std() < 20
    again = model.untrained(model.policy(width=64, depth=12))
    assert torch.equal(network.module[0].weight, again.module[0].weight)  # type: ignore[index, union-attr]


def test_loss_is_the_negative_log_probability() -> None:
    output, played = torch.randn(3, 361), torch.tensor([4, 360, 0])
    expected = torch.stack([-row.exp().div(row.exp().sum()).log()[to] for row, to in zip(output, played, strict=True)])
    torch.testing.assert_close(model.loss(output, played), expected)


def test_scores_are_what_their_names_say() -> None:
    found = model.score(torch.tensor([0, 0, 3, 7]), torch.tensor([0.5, 0.25, 0.125, 0.0625]))
    assert (found.first, found.five) == (0.5, 0.75)
    assert math.isclose(found.log_loss, math.log(2) * 2.5)


def test_batches_are_every_move_once_turned_at_random_and_the_same_again() -> None:
    moves = of_records(games(4), 9)
    batches = model.batches(moves, planes=4, batch=24, seed=1)
    first, again, later = iter(batches(0)), iter(batches(0)), iter(batches(2))
    whole = [next(first) for _ in range(3)]
    assert torch.equal(next(again)[0], whole[0][0])
    assert torch.equal(next(later)[0], whole[2][0]) and torch.equal(next(iter(batches(2)))[1], whole[2][1])
    positions, played = whole[0]
    assert positions.shape == (24, 4, 9, 9) and positions.dtype == torch.uint8
    stones = torch.cat([each.sum((2, 3)) for each, _ in whole])
    assert stones[:, 2].sort().values.tolist() == sorted(81.0 - n for n in range(18) for _ in range(4))
    rows = (played // 9).unique().tolist()
    assert len(set(rows)) > 2 and {0, 8} & set(rows)


def test_the_mean_over_the_symmetries_is_turned_with_the_board() -> None:
    network = model.untrained(model.policy(width=6, depth=3, planes=12, size=9), seed=3)
    given = torch.rand(2, 12, 9, 9, generator=torch.Generator().manual_seed(0))
    plain = model.probabilities(network, given, symmetric=True)
    torch.testing.assert_close(plain.sum(1), torch.ones(2))
    once = model.probabilities(network, given.rot90(1, (2, 3))).view(2, 9, 9).rot90(-1, (1, 2)).reshape(2, 81)
    assert (once - model.probabilities(network, given)).abs().max() > 0.01
    turned_back = model.probabilities(network, given.rot90(1, (2, 3)), symmetric=True).view(2, 9, 9).rot90(-1, (1, 2))
    torch.testing.assert_close(turned_back.reshape(2, 81), plain, atol=2e-3, rtol=2e-2)


def test_a_network_learns_what_can_be_foretold() -> None:
    from convsight.training import train

    moves = of_records(games(40), 9)
    network = model.untrained(model.policy(width=16, depth=3, planes=12, size=9))
    before = model.scored(network, moves)
    train(
        network, model.batches(moves, planes=12, batch=64, seed=0), model.loss, steps=60, optimizer=model.PLAN.optimizer,
        schedule=model.PLAN.schedule, device="cpu",
    )  # fmt: skip
    after = model.scored(network, moves)
    assert before.first < 0.2
    assert after.first > 0.6 and after.log_loss < before.log_loss / 2


def test_evaluation_goes_through_all_moves_and_takes_some() -> None:
    moves = of_records(games(3), 9)
    network = model.untrained(model.policy(width=4, depth=2, size=9))
    batches = list(model.evaluate(network, moves, batch=20))
    assert np.concatenate([some for some, _, _ in batches]).tolist() == list(range(54))
    chosen = np.array([5, 40], np.int32)
    (only,) = model.evaluate(network, moves, chosen)
    everything = torch.cat([ranks for _, ranks, _ in batches])
    assert torch.equal(only[1], everything[[5, 40]])
