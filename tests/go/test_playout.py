from __future__ import annotations

import numpy as np

from convsight.go import board
from convsight.go.playout import final_score, lead, ownership, statuses
from convsight.go.rules import BLACK, WHITE


def diagram(text: str) -> board.Games:
    """Rows of X, O and dots as a board."""
    rows = text.split()
    games = board.new(1, len(rows))
    for colour, sign in ((BLACK, "X"), (WHITE, "O")):
        board.set_up(
            games, [r * len(rows) + c for r, row in enumerate(rows) for c, each in enumerate(row) if each == sign], colour
        )
    return games


SETTLED = diagram(
    """
    .X.XO.O..
    XXXXO.OOO
    ...XOO.O.
    .O.XO.OOO
    ...XO....
    ...XO.XX.
    ...XO....
    XX.XOO.O.
    .X.XO.O..
    """
)


def test_stones_that_cannot_live_are_dead_and_their_area_is_the_others() -> None:
    owned = ownership(SETTLED, 200)
    found = statuses(SETTLED, owned)
    assert [3 * 9 + 1] in found["dead"]
    assert [5 * 9 + 6, 5 * 9 + 7] in found["dead"]
    assert len(found["dead"]) == 2 and not found["seki"]
    assert final_score(SETTLED, 0.0, owned) == 4 * 9 - 5 * 9
    assert final_score(SETTLED, -9.5, owned) == 0.5


def test_who_leads_wins_the_random_games() -> None:
    owned = ownership(SETTLED, 100)
    ahead, wins = lead(0.0, owned)
    assert ahead < -5 and wins < 0.1
    ahead, wins = lead(-30.0, owned)
    assert ahead > 15 and wins > 0.9


def test_two_eyes_are_never_filled() -> None:
    alive = diagram(
        """
        .X.XO
        XXXXO
        OOOOO
        .....
        .....
        """
    )
    owned = ownership(alive, 200)[0].mean(0)
    assert (owned[:2, :4] == 1).all()


def test_the_board_that_is_played_out_stays_and_the_same_seed_gives_the_same() -> None:
    games = board.new(2, 9)
    before = games.copy()
    first = ownership(games, 8, seed=3)
    assert all(np.array_equal(a, b) for a, b in zip(games[1:], before[1:], strict=True))
    assert np.array_equal(first, ownership(games, 8, seed=3))
    assert not np.array_equal(first, ownership(games, 8, seed=4))
    assert set(np.unique(first)) <= {-1, 0, 1}
