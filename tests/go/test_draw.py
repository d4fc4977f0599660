from __future__ import annotations

import numpy as np
import pytest
import torch

from convsight.go import draw
from convsight.go.rules import BLACK, WHITE


def at(picture: torch.Tensor, point: int, size: int, cell: int = 28) -> torch.Tensor:
    """The colour a little beside the middle of a point, where no line and no letter runs."""
    row, column = divmod(point, size)
    return picture[:, (row + 1) * cell + cell // 4, (column + 1) * cell + cell // 4]


def test_stones_lie_where_the_board_says() -> None:
    board = np.zeros((9, 9), np.int8)
    board[0, 8], board[5, 2] = BLACK, WHITE
    picture = draw.picture(board)
    assert picture.shape == (3, 280, 280) and picture.min() >= 0 and picture.max() <= 1
    wood = at(picture, 40 + 10, 9)
    assert at(picture, 8, 9).max() < 0.2 and at(picture, 47, 9).min() > 0.9
    torch.testing.assert_close(wood, torch.tensor([222, 184, 120]) / 255, atol=0.02, rtol=0)


@pytest.mark.parametrize(("size", "lines"), [(7, []), (9, [2, 6]), (12, [2, 9]), (13, [3, 9]), (19, [3, 9, 15])])
def test_star_points_are_those_that_boards_have(size: int, lines: list[int]) -> None:
    picture = draw.picture(np.zeros((size, size), np.int8), cell=56)
    drawn = [
        (row, column)
        for row in range(size)
        for column in range(size)
        if picture[:, (row + 1) * 56 + 3, (column + 1) * 56 + 3].max() < 0.5
    ]
    middle = [(size // 2, size // 2)] if size in (9, 13) else []
    assert sorted(drawn) == sorted([(row, column) for row in lines for column in lines] + middle)


def test_likely_moves_are_bluer_and_what_changed_is_red() -> None:
    prior = np.zeros(81, np.float32)
    prior[[10, 30]] = 0.9, 0.1
    expected = draw.expected(np.zeros((9, 9), np.int8), prior)
    likely, less, none = (at(expected, point, 9) for point in (10, 30, 50))
    assert likely[2] - likely[0] > less[2] - less[0] > none[2] - none[0]
    before, after = np.zeros((9, 9), np.int8), np.zeros((9, 9), np.int8)
    before[3, 3] = WHITE
    first, second = draw.climb(before, after, (2, 2, 5, 5))
    assert at(second, 30, 9)[0] - at(second, 30, 9)[2] > 0.3
    assert at(first, 30, 9).min() > 0.9


def test_what_was_played_is_red_and_what_was_expected_blue() -> None:
    prior = np.zeros(81, np.float32)
    prior[[10, 30]] = 0.9, 0.1
    drawn = draw.surprise(np.zeros((9, 9), np.int8), prior, 30)
    played, expected = at(drawn, 30, 9, 64), at(drawn, 10, 9, 64)
    assert played[0] - played[2] > 0.4 and expected[2] - expected[0] > 0.4


def test_stones_that_speak_for_a_move_are_blue_and_those_against_it_red() -> None:
    board = np.zeros((9, 9), np.int8)
    board[4, 4], board[4, 5] = BLACK, BLACK
    picture = draw.carrying(board, {40: 2.0, 41: -2.0}, 50)
    middle = [picture[:, 5 * 28, column * 28] for column in (5, 6)]
    assert middle[0][2] > middle[0][0] + 0.3 and middle[1][0] > middle[1][2] + 0.3


def test_a_filter_is_a_pattern_of_what_it_likes_best() -> None:
    weights = np.zeros((3, 5, 5), np.float32)
    weights[0, 0, 0], weights[1, 2, 2], weights[2, 4, 4] = 1, 1, 1
    picture = draw.pattern(weights)
    own, other, empty = (picture[:, place * 18 + 9, place * 18 + 9] for place in (0, 2, 4))
    assert own.max() < 0.2 and other.min() > 0.9 and empty[2] > empty[0] + 0.4


def test_pictures_stand_in_rows_on_white() -> None:
    sheet = draw.side_by_side([torch.full((3, 10, 12), value) for value in (0.0, 0.25, 0.5)], columns=2, gap=4)
    assert sheet.shape == (3, 2 * 14 + 4, 2 * 16 + 4)
    assert sheet[0, 8, 8] == 0 and sheet[0, 8, 24] == 0.25 and sheet[0, 22, 8] == 0.5 and sheet[0, 22, 24] == 1
