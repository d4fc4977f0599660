from __future__ import annotations

import numpy as np
import torch

from convsight.go import board, model
from convsight.go.player import RESIGN, Player
from convsight.go.playout import ownership
from convsight.go.rules import BLACK, WHITE
from convsight.network import Network


def network(likes: dict[int, float], size: int = 9) -> Network:
    """A network that expects moves as their numbers say, whatever the board."""
    made = model.untrained(model.policy(width=2, depth=1, planes=4, size=size))
    with torch.no_grad():
        for each in made.module.parameters():
            each.zero_()
        for point, chance in likes.items():
            made.module[-1].bias[point] = chance  # type: ignore[index, union-attr, operator]
    return made


def test_its_move_is_the_likeliest_that_is_sensible() -> None:
    player = Player(network({40: 9.0, 41: 5.0, 3: 2.0}))
    games, random = board.new(1, 9), np.random.default_rng(0)
    assert player.choose(games, random) == 40
    board.play(games, [40])
    assert player.choose(games, random) == 41
    prior = player.prior(games)[0]
    assert prior[40] == 0 and np.isclose(prior.sum(), 1) and prior[3] > prior[4] > 0


def test_with_a_temperature_moves_are_drawn_as_often_as_it_expects_them() -> None:
    chances = np.log([6.0, 3.0])
    player = Player(network({40: float(chances[0]) + 20, 41: float(chances[1]) + 20}), temperature=1.0)
    random = np.random.default_rng(0)
    drawn = [player.choose(board.new(1, 9), random) for _ in range(300)]
    assert set(drawn) == {40, 41} and 170 < drawn.count(40) < 230
    sharper = Player(player.network, temperature=0.25)
    again = [sharper.choose(board.new(1, 9), random) for _ in range(300)]
    assert again.count(40) > 260


def test_the_smallest_temperatures_play_the_likeliest() -> None:
    player = Player(network({40: 9.0, 41: 8.0}), temperature=1e-4)
    assert player.choose(board.new(1, 9), np.random.default_rng(0)) == 40


def test_the_network_plays_an_outcome_before_chance_does() -> None:
    """A group of black's with one eye of three in a row lives if black plays the middle, which only the network knows."""
    games = board.new(1, 9)
    rows = [
        ".........",
        ".OOOOOOO.",
        ".OXXXXXO.",
        ".OX...XO.",
        ".OXXXXXO.",
        ".OOOOOOO.",
        *["OOOOOOOOO"] * 0,
        *["........."] * 3,
    ]
    for colour, letter in ((BLACK, "X"), (WHITE, "O")):
        board.set_up(
            games, [row * 9 + at for row, line in enumerate(rows) for at, each in enumerate(line) if each == letter], colour
        )
    middle = 3 * 9 + 4
    knowing = Player(network({middle: 30.0})).outcome(games)[0].mean(0)
    assert (knowing[2:5, 2:7] == 1).all()
    assert ownership(games, 64)[0].mean(0)[2:5, 2:7].mean() < 0.9
    assert np.array_equal(knowing, Player(network({middle: 30.0})).outcome(games)[0].mean(0))


def test_it_passes_too_when_nothing_is_to_be_won() -> None:
    games = board.new(1, 9)
    board.set_up(games, [point for point in range(81) if point not in (0, 1, 80)], BLACK)
    assert board.legal(games)[0, :2].all()
    board.play(games, [81])
    player = Player(network({0: 9.0}))
    assert player.prior(games)[0, 0] > 0.9
    assert player.choose(games, np.random.default_rng(0)) == 81


def test_it_gives_up_a_game_that_random_games_do_not_win() -> None:
    games = board.new(1, 9)
    board.set_up(games, [point for point in range(81) if point % 9 not in (0, 4, 8)], BLACK)
    games.status[0, 0] = 3 - BLACK
    assert Player(network({}), resign=0.1).choose(games, np.random.default_rng(0)) == RESIGN
    assert Player(network({})).choose(games, np.random.default_rng(0)) != RESIGN
