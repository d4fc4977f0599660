from __future__ import annotations

import numpy as np
import pytest
import torch
from sgfmill import boards

from convsight.errors import InputError
from convsight.go import board, duel, model
from convsight.go.playout import ownership
from convsight.go.rules import BLACK, PASSES, PLAYER, WHITE
from convsight.network import Network

SIZE = 5


def network(seed: int = 0, *, first: str = "") -> Network:
    """One with random weights; with `first` one that plays the lowest or the highest sensible point always."""
    made = model.untrained(model.policy(width=4, depth=2, size=SIZE), seed=seed)
    if first:
        *_, bias = made.module.parameters()
        order = torch.arange(SIZE**2.0) if first == "highest" else -torch.arange(SIZE**2.0)
        with torch.no_grad():
            bias.copy_(60 * order.view_as(bias))
    return made


@pytest.fixture(scope="module")
def played() -> duel.Duel:
    return duel.duel(network(), network(1), 60, komi=2.5, seed=3)


def replayed(found: duel.Duel, game: int) -> tuple[board.Games, boards.Board]:
    """The end of a game on our board and on sgfmill's."""
    games, other = board.new(1, SIZE), boards.Board(SIZE)
    points = found.moves.points[found.moves.first[game] : found.moves.first[game + 1]]
    for number, point in enumerate(points.tolist()):
        assert board.play(games, [point])[0] >= 0
        if point < SIZE**2:
            other.play(SIZE - 1 - point // SIZE, point % SIZE, "bw"[number % 2])
    return games, other


def test_games_end_as_sgfmill_counts_them(played: duel.Duel) -> None:
    to_the_end = np.flatnonzero(~played.resigned)
    assert set(to_the_end.tolist()) >= {0, 1, 20, 21, 40, 41}
    for game in to_the_end.tolist():
        games, other = replayed(played, game)
        assert games.status[0, PASSES] == 2  # both passed
        score = other.area_score() - 2.5
        assert played.outcome[game] == np.sign(score) * (1 if played.black[game] else -1)


def test_who_gives_up_wins_none_of_the_games_that_chance_plays(played: duel.Duel) -> None:
    assert 0 < played.resigned.sum() <= 54  # two in twenty are played to the end
    for game in np.flatnonzero(played.resigned)[:10].tolist():
        games, _ = replayed(played, game)
        black_wins = ownership(games, 200, seed=9).sum((2, 3))[0] > 2.5
        loser_is_black = games.status[0, PLAYER] == BLACK
        assert (black_wins.mean() if loser_is_black else 1 - black_wins.mean()) < 0.4
        assert (played.outcome[game] == 1) == (played.black[game] != loser_is_black)


def test_mistakes_are_games_won_by_who_would_have_given_up(played: duel.Duel) -> None:
    assert set(np.flatnonzero(~played.resigned) // 2 % 10) >= {0}  # two in twenty are played to the end, one with each colour
    assert {bool(played.black[game]) for game in np.flatnonzero(played.hopeless)} == {True, False}
    checked = 0
    many = duel.duel(network(), network(1), 200, komi=4.5, seed=1)
    for game in np.flatnonzero(many.hopeless).tolist():
        first = many.moves.first[game]
        games = board.new(1, SIZE)
        for number, point in enumerate(many.moves.points[first : many.moves.first[game + 1]].tolist()):
            board.play(games, [point])
            if number < SIZE**2 // 3 or number % 9:
                continue
            own = 1 if games.status[0, PLAYER] == BLACK else -1
            lost = ((ownership(games, 300, seed=number).sum((2, 3))[0] - 4.5) * own < 0).mean()
            if lost > 0.99:  # to 300 games as to eight
                winner = BLACK if (many.outcome[game] == 1) == many.black[game] else WHITE
                assert many.mistaken[game] == (winner == games.status[0, PLAYER])
                checked += 1
            if lost > 0.6:  # eight games may have said so
                break
    assert checked > 3


def test_nobody_gives_up_if_all_is_played_to_the_end() -> None:
    found = duel.duel(network(), network(1), 20, komi=2.5, resign=False, seed=3)
    assert not found.resigned.any() and not found.hopeless.any()
    for game in range(20):
        games, _ = replayed(found, game)
        assert games.status[0, PASSES] == 2


def test_each_network_chooses_its_own_moves() -> None:
    found = duel.duel(network(first="lowest"), network(first="highest"), 4, seed=0)
    for game in range(4):
        points = found.moves.points[found.moves.first[game] : found.moves.first[game + 1]]
        firsts = points[(0 if found.black[game] else 1) :: 2]
        others = points[(1 if found.black[game] else 0) :: 2]
        assert firsts[:4].tolist() == [0, 1, 2, 3] and others[:4].tolist() == [24, 23, 22, 21]
    own = found.own()
    assert len(own) + len(found.moves.samples()[~np.isin(found.moves.samples(), own)]) == (found.moves.points < SIZE**2).sum()
    game = found.moves.first.searchsorted(own, "right") - 1
    assert ((own - found.moves.first[game]) % 2 == np.where(found.black[game], 0, 1)).all()


def test_moves_are_drawn_as_often_as_the_network_expects_them() -> None:
    one = network()
    count = 1_000
    found = duel.duel(one, one, count, seed=1)
    first_moves = found.moves.points[found.moves.first[:-1]]
    given = torch.zeros(1, 48, SIZE, SIZE)
    given[:, [2, 3, 46]] = 1  # empty, ones, sensible
    free = torch.full((SIZE, SIZE), 4)
    free[[0, -1]] -= 1
    free[:, [0, -1]] -= 1
    for liberties in (2, 3, 4):
        given[0, 36 + liberties - 1] = (free == liberties).float()
    expected = model.probabilities(one, given)[0].numpy()
    seen = np.bincount(first_moves, minlength=SIZE**2) / count
    assert abs(seen - expected).max() < 5 * np.sqrt(expected.max() / count)


def test_the_same_seed_plays_the_same_games() -> None:
    one, again, other = (duel.duel(network(), network(1), 8, seed=seed) for seed in (5, 5, 6))
    assert np.array_equal(one.moves.points, again.moves.points) and np.array_equal(one.outcome, again.outcome)
    assert not np.array_equal(one.moves.points, other.moves.points)


def test_a_draw_is_half_a_win() -> None:
    even = duel.duel(network(), network(), 60, komi=0.0, resign=False, seed=0)
    scores = [replayed(even, game)[1].area_score() for game in range(60)]
    komi = max(set(scores), key=scores.count)
    found = duel.duel(network(), network(), 60, komi=komi, resign=False, seed=0)
    drawn = found.outcome == 0
    assert drawn.sum() == scores.count(komi) > 0
    assert found.wins == (found.outcome == 1).sum() + drawn.sum() / 2


def test_a_lower_temperature_draws_more_sharply() -> None:
    one = network()
    first_moves = [
        found.moves.points[found.moves.first[:-1]]
        for found in (duel.duel(one, one, 200, temperature=each, seed=1) for each in (1.0, 0.002))
    ]
    assert len(set(first_moves[0].tolist())) > 10 and len(set(first_moves[1].tolist())) < 4


def test_answers_that_are_not_finite_are_said() -> None:
    broken = network()
    with torch.no_grad():
        next(broken.module.parameters())[:] = float("nan")
    with pytest.raises(InputError, match="became infinite or undefined; learn at a smaller rate"):
        duel.duel(broken, network(), 2)
