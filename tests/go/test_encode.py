from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from convsight import InputError
from convsight.go import board, encode, samples, sgf, sgf_files
from convsight.go.board import Games
from convsight.go.moves import of_records
from convsight.go.rules import BLACK, EMPTY, KO, MOVES, PLAYER, WHITE
from tests.go import reference
from tests.go.reference import FIRST_OF, Board, Point, Position, drawn, picture

COLOURS = {reference.BLACK: BLACK, reference.WHITE: WHITE}
SIGNS = {"X": reference.BLACK, "O": reference.WHITE}
EIGHTS = ("turns", "liberties", "capture", "self-atari", "after")
Planes = NDArray[np.uint8]


def flat(point: Point | None, size: int) -> int:
    return size * size if point is None else point[0] * size + point[1]


def games_with(diagram: str, size: int = 9, *, player: int = BLACK, superko: bool = False) -> Games:
    games = board.new(1, size, superko=superko)
    for sign, colour in SIGNS.items():
        board.set_up(games, [flat(point, size) for point, each in drawn(diagram).items() if each == sign], COLOURS[colour])
    games.status[:, PLAYER] = player
    return games


def play(games: Games, *moves: Point | None) -> None:
    for move in moves:
        assert board.play(games, [flat(move, games.size)])[0] >= 0


def played(size: int, moves: Sequence[Point | None]) -> Games:
    games = board.new(1, size)
    play(games, *moves)
    return games


def of(what: str, games: Games) -> Planes:
    """The plane, or of eights the eight, called `what`."""
    first = FIRST_OF[what]
    return encode.planes(games)[0, first : first + 8] if what in EIGHTS else encode.planes(games)[0, first]


def number(what: str, games: Games, point: Point) -> int:
    """Which of the eight planes called `what` is set at `point`, from 1; 0 if none is."""
    there = np.flatnonzero(of(what, games)[:, point[0], point[1]])
    assert len(there) < 2
    return int(there[0]) + 1 if len(there) else 0


def check(ours: Planes, position: Position) -> None:
    """Fails, with a picture, if `ours` are not the planes of the plain definition."""
    theirs = reference.planes(position)
    where = [tuple(map(int, each)) for each in np.argwhere(ours != theirs)]
    assert not where, f"(plane, row, column) differ: {where}\n{picture(position)}"


def positions(
    size: int,
    count: int,
    rng: np.random.Generator,
    *,
    lively: bool,
    superko: bool = False,
    length: int | None = None,
    each: float | None = None,
) -> Iterator[tuple[Games, Position]]:
    """`count` positions of games that are played here, `length` moves long, by both rules; `each` is how many of a game's."""
    length = length or (size * size * 2 // 3 if lively else size * size * 3 // 2)
    each = each or 10 / length
    while count:
        games, position, moves = board.new(1, size, superko=superko), Position.start(size, superko=superko), []
        for _ in range(length):
            if count and rng.random() < each:
                count -= 1
                yield games, position
            move = reference.lively_move(position, moves[-2:], rng) if lively else reference.any_move(position, rng)
            moves += [] if move is None else [move]
            after = position.then(move)
            taken = len(position.board.stones) + (move is not None) - len(after.board.stones)
            assert board.play(games, [flat(move, size)])[0] == taken
            position = after


def compare(sizes: dict[int, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    for size, count in sizes.items():
        for lively in (False, True):
            for games, position in positions(size, count, rng, lively=lively):
                check(encode.planes(games, 48)[0], position)


def lively_moves(size: int, seed: int) -> list[Point | None]:
    rng, position, moves = np.random.default_rng(seed), Position.start(size), []
    for _ in range(size * size * 2 // 3):
        moves.append(reference.lively_move(position, [move for move in moves[-2:] if move is not None], rng))
        position = position.then(moves[-1])
    return moves


def some(size: int = 9, count: int = 60, seed: int = 5) -> list[Games]:
    """Positions to look at, of lively and of aimless games."""
    rng = np.random.default_rng(seed)
    return [games.copy() for lively in (True, False) for games, _ in positions(size, count // 2, rng, lively=lively)]


def together(games: Sequence[Games]) -> Games:
    return Games(games[0].size, *(np.concatenate(arrays) for arrays in zip(*(each[1:] for each in games), strict=True)))


def test_planes_are_those_of_the_plain_definition() -> None:
    compare({5: 40, 9: 60, 13: 50, 19: 60}, seed=1)


def test_with_superko_planes_of_games_are_those_of_the_plain_definition() -> None:
    for games, position in positions(5, 1000, np.random.default_rng(2), lively=False, superko=True, length=90, each=1):
        check(encode.planes(games)[0], position)


@pytest.mark.parametrize("size", [5, 9])
def test_with_many_boards_in_the_past_planes_are_those_of_the_plain_definition(size: int) -> None:
    rng = np.random.default_rng(3)
    for _, position in positions(size, 30, rng, lively=True):
        here = position.board
        boards = [position.board.after(divmod(point, size), position.player) for point in range(size * size)]
        past = [each for each in boards if each is not None and rng.random() < 0.3] + [here]
        games = board.new(1, size, superko=True)
        for each in past:
            board.set_up(games, range(size * size), EMPTY)
            for name, colour in COLOURS.items():
                board.set_up(games, [flat(point, size) for point, there in each.stones.items() if there == name], colour)
            play(games, None)
        if games.status[0, PLAYER] != COLOURS[position.player]:
            play(games, None)
        known = frozenset(frozenset(each.stones.items()) for each in past)
        turns = int(games.status[0, MOVES])
        check(encode.planes(games)[0], Position(Board(size, here.stones), position.player, turns, past=known))


@pytest.mark.slow
def test_planes_of_two_thousand_positions_are_those_of_the_plain_definition() -> None:
    compare({5: 100, 9: 250, 13: 250, 19: 400}, seed=3)


@pytest.mark.slow
def test_planes_of_games_that_were_played_are_those_of_the_plain_definition() -> None:
    collection = os.environ.get("CONVSIGHT_GO_GAMES")
    if not collection:
        pytest.skip("CONVSIGHT_GO_GAMES names no file of games")
    rng = np.random.default_rng(4)
    records = [sgf.read(text, source) for source, text in islice(sgf_files.texts([Path(collection)]), 200)]
    records = [record for record in records if record.size == 19 and record.moves]
    assert records
    moves = of_records(records, 19)
    count = len(moves.points)
    chosen = np.sort(rng.choice(count, min(1000, count), replace=False)).astype(np.int32)
    encoded, targets = samples.encoded(moves, chosen, 48)
    wanted = iter(zip(chosen, encoded.numpy(), targets.tolist(), strict=True))
    sample, planes, target = next(wanted)
    for game, record in enumerate(records):
        names = {number: name for name, number in COLOURS.items()}
        position = Position.start(19, {divmod(point, 19): names[colour] for colour, point in record.stones})
        for index, (colour, point) in enumerate(record.moves, start=int(moves.first[game])):
            position = position.seen_by(names[colour])
            if index == sample:
                assert target == point
                check(planes, position)
                sample, planes, target = next(wanted, (-1, planes, -1))
            position = position.then(None if point == 361 else divmod(point, 19))
    assert sample == -1


def test_four_and_twelve_planes_are_the_first_of_all() -> None:
    for games in some(count=10):
        whole = encode.planes(games)
        assert whole.shape == (1, 48, 9, 9)
        assert whole.dtype == np.uint8
        for count in (4, 12):
            assert np.array_equal(encode.planes(games, count), whole[:, :count])


@pytest.mark.parametrize("count", [0, 3, 11, 47, 49])
def test_other_counts_of_planes_are_refused(count: int) -> None:
    with pytest.raises(InputError, match=f"4, 12 or 48 planes, not for {count}"):
        encode.planes(board.new(), count)


def test_encoding_changes_nothing_and_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    for superko in (False, True):
        for games, _ in positions(9, 20, np.random.default_rng(6), lively=True, superko=superko):
            before = games.copy()
            first, again = encode.planes(games), encode.planes(games)
            assert np.array_equal(first, again)
            assert all(np.array_equal(now, then) for now, then in zip(games[1:], before[1:], strict=True))
    assert capfd.readouterr() == ("", "")


def test_games_of_a_batch_are_encoded_each_for_itself() -> None:
    games = some()
    alone = np.concatenate([encode.planes(each) for each in games])
    assert np.array_equal(encode.planes(together(games)), alone)
    assert np.array_equal(encode.planes(together(games[::-1])), alone[::-1])


def test_an_empty_board_has_ones_empty_points_and_moves_with_their_liberties() -> None:
    for player in (BLACK, WHITE):
        games = board.new(1, 7)
        games.status[:, PLAYER] = player
        planes = encode.planes(games)[0]
        expected = np.zeros_like(planes)
        expected[[FIRST_OF["empty"], FIRST_OF["ones"], FIRST_OF["sensible"]]] = 1
        inside = np.pad(np.ones((7, 7), int), 1)
        neighbours = inside[:-2, 1:-1] + inside[2:, 1:-1] + inside[1:-1, :-2] + inside[1:-1, 2:]
        for free in (2, 3, 4):
            expected[FIRST_OF["after"] + free - 1] = neighbours == free
        assert np.array_equal(planes, expected)


def test_colour_planes_are_own_the_opponents_and_empty() -> None:
    games = played(9, [(2, 3), (4, 4), (6, 1)])
    assert np.argwhere(of("own", games)).tolist() == [[4, 4]]
    assert np.argwhere(of("opponent", games)).tolist() == [[2, 3], [6, 1]]
    assert of("empty", games).sum() == 81 - 3


@pytest.mark.parametrize("size", [5, 9, 19])
def test_planes_say_the_same_as_the_rules(size: int) -> None:
    for games in some(size, 40, seed=7):
        planes = encode.planes(games)[0]
        colours, player = games.board()[0], games.status[0, PLAYER]
        legal = board.legal(games)[0, :-1].reshape(size, size)
        liberties = board.liberties(games)[0]
        stones = colours != EMPTY
        eights = {what: planes[FIRST_OF[what] : FIRST_OF[what] + 8] for what in EIGHTS}
        assert planes.max() == 1
        assert np.array_equal(planes[0], colours == player)
        assert np.array_equal(planes[1], colours == 3 - player)
        assert np.array_equal(planes[2], ~stones)
        assert planes[3].all()
        assert not planes[47].any()
        assert np.array_equal(eights["turns"].sum(0), stones)
        assert np.array_equal(eights["liberties"].sum(0), stones)
        assert np.array_equal(eights["liberties"].argmax(0)[stones] + 1, np.minimum(liberties[stones], 8))
        assert np.array_equal(eights["after"].sum(0), legal)
        assert np.array_equal(eights["self-atari"].sum(0), eights["after"][0])
        assert (eights["capture"].sum(0) <= legal).all()
        assert (planes[44:47] <= legal).all()
        assert not planes[44:47, stones].any()
        for row, column in np.argwhere(legal):
            after = games.copy()
            taken = board.play(after, [row * size + column])[0]
            assert eights["capture"][:, row, column].tolist() == [
                taken >= 8 if each == 8 else taken == each for each in range(1, 9)
            ]
            free = min(int(board.liberties(after)[0, row, column]), 8)
            assert eights["after"][free - 1, row, column] == 1


def test_the_latest_move_lies_in_the_first_plane_of_turns_since() -> None:
    moves = [(0, 0), (8, 8), (0, 4), (8, 4), (4, 0), (4, 8), (2, 2), (6, 6), (2, 6), (6, 2)]
    games = board.new(1, 9)
    for latest, move in enumerate(moves):
        play(games, move)
        for back, earlier in enumerate(reversed(moves[: latest + 1]), start=1):
            assert number("turns", games, earlier) == min(back, 8)
        assert of("turns", games).sum() == latest + 1


def test_passes_are_turns() -> None:
    games = played(9, [(4, 4), None, None, (2, 2), None])
    assert number("turns", games, (2, 2)) == 2
    assert number("turns", games, (4, 4)) == 5


def test_stones_that_were_taken_have_no_turns_since_and_a_stone_there_is_a_new_one() -> None:
    games = played(9, [(0, 1), (0, 0), (1, 0)])
    assert number("turns", games, (0, 0)) == 0
    assert of("turns", games).sum() == 2
    play(games, (4, 4), (0, 0))
    assert number("turns", games, (0, 0)) == 1
    assert number("turns", games, (0, 1)) == 5


def test_stones_that_were_set_up_lie_eight_or_more_turns_back() -> None:
    games = games_with("X..O")
    assert number("turns", games, (0, 0)) == number("turns", games, (0, 3)) == 8
    play(games, (4, 4))
    assert number("turns", games, (0, 0)) == 8
    assert number("turns", games, (4, 4)) == 1


def test_copies_and_rows_keep_how_long_ago_stones_were_played() -> None:
    games = played(9, [(4, 4), (2, 2), (6, 6)])
    for same in (games.copy(), games.rows([0]), games.rows(slice(0, 1))):
        assert np.array_equal(encode.planes(same), encode.planes(games))


@pytest.mark.parametrize("stones", range(1, 10))
def test_liberties_lie_in_the_plane_of_their_number(stones: int) -> None:
    games = games_with("X" * stones + "O", 13)
    assert [number("liberties", games, (0, column)) for column in range(stones + 1)] == [min(stones, 8)] * stones + [2]
    assert of("liberties", games).sum() == stones + 1


@pytest.mark.parametrize("stones", range(1, 10))
def test_a_capture_lies_in_the_plane_of_its_size(stones: int) -> None:
    games = games_with(f"{'O' * stones}.{'.' * (12 - stones)} {'X' * stones}{'.' * (13 - stones)}", 13)
    assert number("capture", games, (0, stones)) == min(stones, 8)
    assert of("capture", games).sum() == 1


def test_chains_that_a_move_takes_at_once_are_counted_together_and_each_once() -> None:
    games = games_with("""
        ..XOX....
        .XO.OX...
        ..XOOX...
        ...XX....
    """)
    assert number("capture", games, (1, 3)) == 5
    assert number("after", games, (1, 3)) == 4
    assert of("capture", games).sum() == 1


@pytest.mark.parametrize("stones", range(1, 10))
def test_a_self_atari_lies_in_the_plane_of_the_chain_that_it_puts_in_atari(stones: int) -> None:
    games = games_with(f".{'X' * (stones - 1)}.O .{'O' * stones}", 14)
    assert number("self-atari", games, (0, stones)) == min(stones, 8)
    assert number("after", games, (0, stones)) == 1
    assert of("self-atari", games).sum() == 1


def test_liberties_after_a_move_are_counted_without_what_it_takes() -> None:
    games = games_with("""
        .OX......
        OX.......
        X........
    """)
    assert number("capture", games, (0, 0)) == 2
    assert number("self-atari", games, (0, 0)) == 0
    assert number("after", games, (0, 0)) == 2


def test_where_no_move_is_legal_no_plane_of_moves_is_set() -> None:
    games = games_with("""
        .XO......
        X.XO.....
        .XO......
    """, player=WHITE)  # fmt: skip
    play(games, (1, 1))
    assert games.status[0, KO] > 0
    forbidden = encode.planes(games)[0, FIRST_OF["capture"] :, 1, 2]
    assert not forbidden.any()
    play(games, (8, 8), (8, 0))
    assert number("capture", games, (1, 2)) == 1


def test_suicide_is_in_no_plane_of_moves() -> None:
    games = games_with("""
        .O.O.....
        O.O......
    """)
    planes = encode.planes(games)[0, FIRST_OF["capture"] :]
    assert not planes[:, 0, 0].any()
    assert not planes[:, 0, 2].any()
    assert number("after", games, (1, 1)) == 1


@pytest.mark.parametrize(
    ("diagram", "point", "eye"),
    [
        ("..... .XXX. .X.X. .XXX.", (2, 2), True),
        ("..... .OXX. .X.X. .XXX.", (2, 2), True),
        ("..... ..X.. .X.X. ..XO.", (2, 2), True),
        ("..... .OXX. .X.X. .XXO.", (2, 2), False),
        ("..... .XXX. .X... .XXX.", (2, 2), False),
        ("..... .XXX. .X.O. .XXX.", (2, 2), False),
        ("XX... .X... XX... .....", (1, 0), True),
        ("XO... .X... XX... .....", (1, 0), False),
        ("X.... .X... XO... .....", (1, 0), False),
        (".X... XX... ..... .....", (0, 0), True),
        (".X... X.... ..... .....", (0, 0), True),
        (".X... XO... ..... .....", (0, 0), False),
    ],
)
def test_a_move_is_sensible_if_it_fills_no_own_eye(diagram: str, point: Point, eye: bool) -> None:
    games = games_with(diagram)
    assert of("sensible", games)[point] == (not eye)
    assert number("after", games, point) > 0


def test_with_all_colours_exchanged_the_other_player_sees_the_same() -> None:
    for games in some():
        other = games.copy()
        other.colours[games.colours == BLACK], other.colours[games.colours == WHITE] = WHITE, BLACK
        other.status[:, PLAYER] = 3 - games.status[:, PLAYER]
        assert np.array_equal(encode.planes(other), encode.planes(games))


@pytest.mark.parametrize("size", [5, 9, 19])
def test_a_turned_or_mirrored_game_has_turned_or_mirrored_planes(size: int) -> None:
    moves = lively_moves(size, 9)
    for length in range(0, len(moves) + 1, len(moves) // 5):
        planes = encode.planes(played(size, moves[:length]))[0].reshape(48, -1)
        seen = set()
        for table in samples.symmetry_table(size):
            turned = [None if move is None else divmod(int(table[flat(move, size)]), size) for move in moves[:length]]
            other = encode.planes(played(size, turned))[0].reshape(48, -1)
            assert np.array_equal(other[:, table[:-1]], planes)
            seen.add(other.tobytes())
        assert length == 0 or len(seen) == 8


SEND_TWO_RETURN_ONE = """
    .O.OO....
    XXO.O....
    ..XO.....
    .........
"""


@pytest.mark.parametrize("superko", [False, True])
def test_a_move_that_superko_forbids_is_in_no_plane_of_moves(superko: bool) -> None:
    games = games_with(SEND_TWO_RETURN_ONE, player=WHITE, superko=superko)
    play(games, (0, 0), (0, 2))
    assert games.status[0, KO] == 0
    assert number("capture", games, (0, 1)) == (0 if superko else 1)
    assert number("after", games, (0, 1)) == (0 if superko else 2)
    assert of("sensible", games)[0, 1] == (not superko)
    play(games, (8, 8), (8, 0))
    assert number("after", games, (0, 1)) > 0


@pytest.mark.parametrize("superko", [False, True])
def test_a_move_that_superko_forbids_is_no_escape_from_a_ladder(superko: bool) -> None:
    games = games_with(SEND_TWO_RETURN_ONE, player=WHITE, superko=superko)
    play(games, (0, 0), (0, 2))
    assert of("ladder escape", games)[1, 3] == 1
    assert of("ladder escape", games)[0, 1] == (not superko)
