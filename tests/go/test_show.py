from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from convsight import InputError
from convsight.activations import read
from convsight.go import board, model, show
from convsight.go.moves import of_records
from convsight.go.rules import BLACK, EMPTY, WHITE
from convsight.go.sgf import Record
from convsight.network import Network


def looks_for(*wanted: tuple[int, int, int]) -> Network:
    """A network whose first filter answers to planes at places (plane, row, column) of its 5x5, one for each that is there."""
    network = model.untrained(model.policy(width=2, depth=1, planes=4, size=9))
    first = network.module[0]  # type: ignore[index]
    assert isinstance(first, nn.Conv2d)
    with torch.no_grad():
        first.weight.zero_()
        for plane, row, column in wanted:
            first.weight[0, plane, row, column] = 1
    return network


def random_games(count: int, seed: int = 0) -> list[Record]:
    random = np.random.default_rng(seed)
    records = []
    for _ in range(count):
        games, moves = board.new(1, 9), []
        for number in range(60):
            legal = np.flatnonzero(board.legal(games)[0, :-1])
            point = int(random.choice(legal))
            board.play(games, [point])
            moves.append((BLACK + number % 2, point))
        records.append(Record(9, (), tuple(moves)))
    return records


def test_a_filter_answers_where_its_stones_are() -> None:
    network = looks_for((0, 2, 2), (1, 2, 3))
    games = board.new(1, 9)
    board.set_up(games, [40], BLACK)
    board.set_up(games, [41], WHITE)
    maps = show.response(network, "conv1", 0, games)
    assert maps.shape == (1, 9, 9)
    assert maps[0].argmax() == 40 and maps[0, 4, 4] == 2
    games.status[0, 0] = WHITE
    assert show.response(network, "conv1", 0, games)[0, 4, 4] == 0


def test_the_strongest_positions_are_of_different_games_and_the_best_of_all() -> None:
    network = looks_for((0, 2, 2), (1, 2, 3), (1, 1, 2), (0, 3, 3), (0, 4, 4))
    moves = of_records(random_games(5), 9)
    found = show.strongest(network, "conv1", 0, moves, count=3, sample=10**6)
    everything = show.response(network, "conv1", 0, show.positions(moves, moves.samples())).flatten(1).max(1).values
    assert found[0].response == everything.max()
    assert [each.response for each in found] == sorted((each.response for each in found), reverse=True)
    row, column = found[0].place
    assert show.response(network, "conv1", 0, found[0].games)[0, row, column] == found[0].response


def test_a_climb_reaches_the_highest_board_and_keeps_every_chain_alive() -> None:
    network = looks_for((0, 1, 1), (0, 1, 2), (1, 2, 1), (1, 3, 3), (0, 4, 2))
    moves = of_records(random_games(3), 9)
    start = show.strongest(network, "conv1", 0, moves, count=1, sample=20)[0]
    climbed = show.climbed(network, "conv1", 0, start)
    assert climbed.response == 5 >= start.response
    stones = climbed.games.board() != EMPTY
    assert (board.liberties(climbed.games)[stones] > 0).all()
    top, left, bottom, right = show.seen(network, "conv1", start.place)
    changed = np.argwhere(climbed.games.board()[0] != start.games.board()[0])
    assert all(top <= row <= bottom and left <= column <= right for row, column in changed)


def test_the_stones_that_carry_a_move_are_those_that_its_filter_sees() -> None:
    network = looks_for((0, 2, 1))  # an own stone beside
    with torch.no_grad():
        network.module[2].weight.copy_(torch.tensor([3.0, 0.0]).view(1, 2, 1, 1))  # type: ignore[index, operator, union-attr]
    games = board.new(1, 9)
    board.set_up(games, [40, 5], BLACK)
    board.set_up(games, [50], WHITE)
    carried = show.carrying(network, games, 41)
    assert carried.keys() == {40, 5, 50}
    assert carried[40] > 1 and carried[5] < 0.1 and abs(carried[50]) < 0.1


def test_what_is_no_map_or_no_unit_is_said() -> None:
    network, games = looks_for(), board.new(1, 9)
    with pytest.raises(InputError, match=r'layer "conv1" has no unit 2: it has 2, from 0 to 1|numbered 0 to 1'):
        show.response(network, "conv1", 2, games)
    with pytest.raises(InputError, match='layer "output" puts out no map of the board'):
        show.response(network, "output", 0, games)
    with pytest.raises(InputError, match='no layer "conv2"'):
        show.response(network, "conv2", 0, games)


@pytest.mark.parametrize("layer", ["conv1", "conv2_relu", "conv3"])
def test_what_a_filter_sees_is_what_its_gradient_reaches(layer: str) -> None:
    network = model.untrained(model.policy(width=16, depth=3, planes=4))
    place = (1, 9)
    given = torch.rand(1, 4, 19, 19, generator=torch.Generator().manual_seed(0)).requires_grad_()
    with read(network.module, [layer]) as activations_of:
        activations_of(given)[layer][0, :, place[0], place[1]].sum().backward()
    reached = given.grad[0].abs().amax(0).nonzero()
    (top, left), (bottom, right) = reached.amin(0).tolist(), reached.amax(0).tolist()
    assert show.seen(network, layer, place) == (top, left, bottom, right)


def test_a_deep_filter_sees_farther_than_the_board_is_wide() -> None:
    network = model.untrained(model.policy(width=2, depth=12, planes=4))
    assert show.seen(network, "conv12", (0, 1)) == (0, 0, 13, 14)
    assert show.seen(network, "output", (0, 1)) == (0, 0, 18, 18)


def test_first_filters_are_read_by_their_planes_of_stones() -> None:
    filters = show.filters(looks_for((0, 2, 2), (1, 0, 0), (2, 4, 4)))
    assert filters.shape == (2, 3, 5, 5)
    assert np.argwhere(filters[0]).tolist() == [[0, 2, 2], [1, 0, 0], [2, 4, 4]]
