from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sgfmill import boards

from convsight import InputError
from convsight.go import board, rules, sgf, sgf_files
from convsight.go.board import Games
from convsight.go.rules import BLACK, EMPTY, KO, MOVES, PASSES, PLAYER, TAKEN_BY_BLACK, TAKEN_BY_WHITE, WHITE
from tests.gnugo import COLOURS, GnuGo, RefusedError, gnugo, points, vertex

Moves = list[tuple[int, int]]
SIGNS = {".": EMPTY, "X": BLACK, "O": WHITE}


def stand(*rows: str, superko: bool = False) -> Games:
    """A game with the stones of a diagram set up: X is black, O is white, black to move."""
    size = len(rows)
    signs = "".join(rows).replace(" ", "")
    assert len(signs) == size * size
    games = board.new(1, size, superko=superko)
    for colour in (BLACK, WHITE):
        board.set_up(games, [point for point, sign in enumerate(signs) if SIGNS[sign] == colour], colour)
    return games


def play(games: Games, *places: tuple[int, int] | None) -> list[int]:
    """Play at (row, column), or pass, one after the other; what each took."""
    size = games.size
    return [int(board.play(games, [size * size if at is None else at[0] * size + at[1]])[0]) for at in places]


def drawn(games: Games) -> list[str]:
    return ["".join(".XO"[colour] for colour in row) for row in games.board()[0]]


def entry(size: int, point: int) -> int:
    return (point // size + 1) * (size + 2) + point % size + 1


def point_of(size: int, place: int) -> int:
    return (place // (size + 2) - 1) * size + place % (size + 2) - 1


def same(games: Games, others: Games) -> bool:
    return games.size == others.size and all(map(np.array_equal, games[1:], others[1:]))


def allowed(games: Games) -> list[int]:
    return np.flatnonzero(board.legal(games)[0, :-1]).tolist()


def with_turn(games: Games, colour: int) -> Games:
    """A copy in which it is the turn of `colour`, if need be because the other has passed."""
    games = games.copy()
    if games.status[0, PLAYER] != colour:
        board.play(games, [games.size**2])
    return games


def random_game(seed: int, size: int, *, longest: int = 0, to_the_end: bool = False, superko: bool = False) -> Moves:
    """Legal moves; `to_the_end`, none that fill an own eye, until both pass; else any, and a pass now and then."""
    random = np.random.default_rng(seed)
    games = board.new(1, size, superko=superko)
    moves: Moves = []
    longest = longest or (4 if to_the_end else 2) * size * size
    while len(moves) < longest and not (to_the_end and games.status[0, PASSES] > 1):
        colour = int(games.status[0, PLAYER])
        choice = allowed(games)
        if to_the_end:
            choice = [each for each in choice if not rules.is_own_eye(games.colours[0], size + 2, entry(size, each), colour)]
        elif random.random() < 0.02:
            choice = []
        point = int(random.choice(choice)) if choice else size * size
        board.play(games, [point])
        moves.append((colour, point))
    return moves


def positions(size: int, moves: Moves, *, superko: bool = False) -> Iterator[Games]:
    """The game before each of `moves`, and after the last."""
    games = board.new(1, size, superko=superko)
    yield games
    for colour, point in moves:
        games = with_turn(games, colour)
        board.play(games, [point])
        yield games


def chains(games: Games) -> Iterator[tuple[set[int], set[int]]]:
    """The stones and the liberties of each chain."""
    size, known, scratch = games.size, set(), rules.scratch_for(games.colours.shape[1])
    for point in np.flatnonzero(games.board()[0]).tolist():
        if point not in known:
            count = rules.count_liberties(games.colours[0], size + 2, entry(size, point), size * size, scratch)
            first = games.colours.shape[1]
            stones = {point_of(size, each) for each in scratch[first : first + scratch[-2]]}
            free = {point_of(size, each) for each in scratch[2 * first : 2 * first + count]}
            known |= stones
            yield stones, free


def liberties_after(games: Games, tried: Sequence[int]) -> list[set[int]]:
    """For each of the moves `tried`, the liberties that the chain of the new stone then has."""
    size, scratch = games.size, rules.scratch_for(games.colours.shape[1])
    after = games.rows([0] * len(tried))
    assert (board.play(after, tried) >= 0).all()
    found = []
    for colours, point in zip(after.colours, tried, strict=True):
        count = rules.count_liberties(colours, size + 2, entry(size, point), size * size, scratch)
        start = 2 * colours.size
        found.append({point_of(size, each) for each in scratch[start : start + count]})
    return found


def questions(games: Games, random: np.random.Generator, most: int) -> Iterator[tuple[str, str, object]]:
    """What to ask GNU Go about a position: a kind, a command, and the answer that is expected."""
    size = games.size
    for colour, name in COLOURS.items():
        yield "legal", f"all_legal {name}", set(allowed(with_turn(games, colour)))
        yield "stones", f"list_stones {name}", set(np.flatnonzero(games.board()[0] == colour).tolist())
        yield "captures", f"captures {name}", int(games.status[0, TAKEN_BY_BLACK + colour - 1])
    counted = board.liberties(games)[0].ravel()
    for stones, free in chains(games):
        assert {int(counted[each]) for each in stones} == {len(free)}
        yield "liberties", f"countlib {vertex(min(stones), size)}", len(free)
    choice = allowed(games)
    if len(choice) > most:
        choice = sorted(random.choice(choice, most, replace=False).tolist())
    name = COLOURS[int(games.status[0, PLAYER])]
    for point, free in zip(choice, liberties_after(games, choice), strict=True):
        yield "liberties after", f"accuratelib {name} {vertex(point, size)}", free


def compare(go: GnuGo, size: int, moves: Moves, seed: int, count: Counter[str], *, most: int = 60) -> list[str]:
    """Where GNU Go disagrees about one of the positions of a game; `count` counts what it was asked."""
    random = np.random.default_rng(seed)
    asked: list[tuple[str, str, object]] = []
    for number, games in enumerate(positions(size, moves)):
        if number:
            colour, point = moves[number - 1]
            asked.append(("moves", f"play {COLOURS[colour]} {vertex(point, size)}", ""))
        asked += questions(games, random, most)
    go.ask(f"boardsize {size}", "clear_board")
    problems = []
    for (kind, command, ours), theirs in zip(asked, go.answers(command for _, command, _ in asked), strict=True):
        count[kind] += 1
        if (points(theirs, size) if isinstance(ours, set) else int(theirs) if isinstance(ours, int) else theirs) != ours:
            problems.append(f"game {seed} on {size} lines: {command}: {theirs}, not {ours}")
    return problems


def compare_scores(go: GnuGo, size: int, moves: Moves, komi: float) -> list[str]:
    """Whether GNU Go's area score of a game that was played to the end is another.

    Each empty point is then an eye of one stone's size, or a ko, so no stone is dead, GNU Go has nothing to play on, and its
    final score is the area, as Chinese rules count it.
    """
    *_, end = positions(size, moves)
    assert end.status[0, PASSES] == 2
    black, white = board.area(end)[0]
    margin = black - white - komi
    ours = f"{'B' if margin > 0 else 'W'}+{abs(margin):.1f}" if margin else "0"
    commands = [f"play {COLOURS[colour]} {vertex(point, size)}" for colour, point in moves]
    theirs = go.ask(f"boardsize {size}", "clear_board", f"komi {komi}", *commands, "final_score")
    return [] if theirs == ours else [f"{size} lines: {theirs}, not {ours}"]


def test_gnu_go_agrees_about_every_position_of_random_games() -> None:
    count: Counter[str] = Counter()
    with gnugo() as go:
        problems = [each for size in (5, 7, 9, 19) for each in compare(go, size, random_game(size, size), size, count)]
    assert problems == []
    assert min(count.values()) > 800


@pytest.mark.slow
def test_gnu_go_agrees_about_every_position_of_three_hundred_random_games() -> None:
    count: Counter[str] = Counter()
    problems: list[str] = []
    with gnugo() as go:
        for seed in range(300):
            size = (5, 7, 9, 11, 13, 19)[seed % 6]
            problems += compare(go, size, random_game(seed, size, to_the_end=seed % 12 < 6), seed, count)
    print(dict(count))
    assert problems == []


@pytest.mark.slow
def test_gnu_go_agrees_about_every_position_of_real_games() -> None:
    collection = os.environ.get("CONVSIGHT_GO_GAMES")
    if not collection:
        pytest.skip("CONVSIGHT_GO_GAMES names no file of games")
    number = int(os.environ.get("CONVSIGHT_GO_GAMES_COMPARED", "200"))
    count: Counter[str] = Counter()
    problems: list[str] = []
    with gnugo() as go:
        for seed, (source, text) in zip(range(number), sgf_files.texts([Path(collection)]), strict=False):
            record = sgf.read(text, source)
            assert not record.stones
            problems += compare(go, record.size, list(record.moves), seed, count)
    print(dict(count))
    assert problems == []


def check_scores(seeds: Iterable[int]) -> None:
    with gnugo() as go:
        for seed in seeds:
            size = (5, 7, 9, 13, 19)[seed % 5]
            assert compare_scores(go, size, random_game(seed, size, to_the_end=True), (0, 0.5, 7.5)[seed % 3]) == []


def test_gnu_go_counts_the_same_area_at_the_end_of_random_games() -> None:
    check_scores(range(25))


@pytest.mark.slow
def test_gnu_go_counts_the_same_area_at_the_end_of_three_hundred_random_games() -> None:
    check_scores(range(25, 325))


def test_gnu_go_agrees_about_positional_superko() -> None:
    by_superko = 0
    with gnugo("--positional-superko") as go:
        for seed in range(40):
            moves = random_game(seed, 5, longest=99, superko=True)
            go.ask("boardsize 5", "clear_board")
            for games, move in zip(positions(5, moves, superko=True), [*moves, None], strict=True):
                ours = set(allowed(games))
                assert points(go.ask(f"all_legal {COLOURS[int(games.status[0, PLAYER])]}"), 5) == ours
                by_superko += len(set(allowed(Games(5, *games[1:4], games.past[:, :0]))) - ours)
                if move is not None:
                    go.ask(f"play {COLOURS[move[0]]} {vertex(move[1], 5)}")
    assert by_superko > 0


def test_fixed_handicap_is_where_gnu_go_puts_it() -> None:
    """On 12 lines GNU Go alone takes the fourth line, others that keep to GTP the third."""
    with gnugo() as go:
        for size in (each for each in range(5, 20) if each != 12):
            for stones in range(11):
                try:
                    theirs = points(go.ask(f"boardsize {size}", "clear_board", f"fixed_handicap {stones}"), size)
                except RefusedError:
                    with pytest.raises(InputError, match=f"on {size} lines .* have fixed places as a handicap, not {stones}$"):
                        board.handicap(size, stones)
                else:
                    ours = board.handicap(size, stones)
                    assert set(ours) == theirs and len(ours) == stones


def test_a_stone_in_the_corner_is_captured() -> None:
    games = board.new(1, 5)
    assert play(games, (0, 1), (0, 0), (1, 0)) == [0, 0, 1]
    assert drawn(games)[:2] == [".X...", "X...."]
    assert games.status[0].tolist()[:4] == [WHITE, 0, 3, 0]
    assert games.status[0, [TAKEN_BY_BLACK, TAKEN_BY_WHITE]].tolist() == [1, 0]
    assert games.placed.reshape(7, 7)[1:3, 1:3].tolist() == [[1, 0], [2, board.LONG_AGO]]


def test_several_chains_are_captured_at_once() -> None:
    games = stand("XO.OX", "XXOXX", ".XXX.", ".....", ".....")
    assert play(games, (0, 2)) == [3]
    assert drawn(games)[:2] == ["X.X.X", "XX.XX"]


def test_suicide_is_refused_whatever_its_size() -> None:
    one = stand(".O...", "O....", ".....", ".....", ".....")
    two = stand(".XO..", "OO...", ".....", ".....", ".....")
    three = stand("XX.O.", "OOXO.", "..O..", ".....", ".....")
    for games, place in ((one, (0, 0)), (two, (0, 0)), (three, (0, 2))):
        before = games.copy()
        assert not board.legal(games)[0, place[0] * 5 + place[1]]
        assert play(games, place) == [-1]
        assert same(games, before)
    white = with_turn(one, WHITE)
    assert play(white, (0, 0)) == [0]


def test_a_capture_that_looks_like_suicide_is_allowed() -> None:
    games = stand(".OX..", "OX...", "X....", ".....", ".....")
    assert board.legal(games)[0, 0]
    assert play(games, (0, 0)) == [2]
    assert drawn(games)[:3] == ["X.X..", ".X...", "X...."]
    connected = stand(".XO..", "XOO..", "O....", ".....", ".....")
    assert play(connected, (0, 0)) == [-1]
    whole = stand(*["OOOOO"] * 4, "OOOO.")
    assert play(whole, (4, 4)) == [24]


KO_FIGHT = (".XO..", "X.XO.", ".XO..", ".....", ".....")


def ko() -> Games:
    """White has just been taken in a ko at (1, 1), by black at (1, 2)."""
    games = stand(".XO..", "XO.O.", ".XO..", ".....", ".....")
    assert play(games, (1, 2)) == [1]
    assert tuple(drawn(games)) == KO_FIGHT
    return games


def test_a_ko_may_not_be_retaken_at_once_and_may_after_a_move_elsewhere() -> None:
    games = ko()
    assert games.status[0, KO] == entry(5, 6)
    assert not board.legal(games)[0, 6]
    before = games.copy()
    assert play(games, (1, 1)) == [-1]
    assert same(games, before)
    assert play(games, (4, 4), (4, 3), (1, 1)) == [0, 0, 1]
    assert not board.legal(games)[0, 7]


def test_a_ko_may_be_retaken_after_passes() -> None:
    games = ko()
    assert play(games, None, None) == [0, 0]
    assert games.status[0, [KO, PASSES]].tolist() == [0, 2]
    assert play(games, (1, 1)) == [1]
    assert games.status[0, PASSES] == 0


def test_a_ko_is_forgotten_when_stones_are_set_up() -> None:
    games = ko()
    board.set_up(games, [24], BLACK)
    assert board.legal(games)[0, 6]


def test_capturing_one_stone_with_two_or_two_with_one_is_no_ko() -> None:
    with_two = stand("XO.O.", "OXXO.", "OOOO.", ".....", ".....")
    assert play(with_two, (0, 2)) == [1]
    assert with_two.status[0, KO] == 0
    two = stand(".OO.X", "XXXX.", ".....", ".....", ".....")
    board.set_up(two, [0], BLACK)
    assert play(two, (0, 3)) == [2]
    assert two.status[0, KO] == 0


SEND_TWO_RETURN_ONE = (".O.O.", "XXO..", ".....", ".....", ".....")


@pytest.mark.parametrize("superko", [False, True])
def test_positional_superko_refuses_send_two_return_one(superko: bool) -> None:
    games = with_turn(stand(*SEND_TWO_RETURN_ONE, superko=superko), WHITE)
    assert play(games, (0, 0), (0, 2)) == [0, 2]
    assert board.legal(games)[0, 1] == (not superko)
    assert play(games, (0, 1)) == [-1 if superko else 1]
    assert (tuple(drawn(games)) == SEND_TWO_RETURN_ONE) == (not superko)


TRIPLE_KO = (
    ".XO......",
    "XO.O.....",
    ".XO......",
    ".XO......",
    "X.XO.....",
    ".XO......",
    ".XO......",
    "XO.O.....",
    ".XO......",
)


@pytest.mark.parametrize("superko", [False, True])
def test_positional_superko_refuses_the_last_move_of_a_triple_ko(superko: bool) -> None:
    games = stand(*TRIPLE_KO, superko=superko)
    assert play(games, (1, 2), (4, 1), (7, 2), (1, 1), (4, 2)) == [1, 1, 1, 1, 1]
    assert board.legal(games)[0, 7 * 9 + 1] == (not superko)
    before = games.copy()
    assert play(games, (7, 1)) == [-1 if superko else 1]
    assert same(games, before) == superko
    assert (tuple(drawn(games)) == TRIPLE_KO) == (not superko)


def test_superko_allows_passes_and_knows_the_empty_board() -> None:
    games = stand(".OOOO", *["OOOOO"] * 4, superko=True)
    assert play(games, None, None, None) == [0, 0, 0]
    assert play(board.new(1, 5, superko=True), None, None, (0, 0)) == [0, 0, 0]


def test_superko_remembers_the_whole_game() -> None:
    games = with_turn(stand(*SEND_TWO_RETURN_ONE, superko=True), WHITE)
    play(games, (0, 0), (0, 2), *[None] * 100)
    assert games.status[0, MOVES] > 4 * 5 * 5
    assert play(games, (0, 1)) == [-1]


def test_superko_remembers_the_whole_of_a_long_random_game() -> None:
    random, games, seen, again = np.random.default_rng(4), board.new(1, 5, superko=True), set(), []
    for _ in range(200):
        seen.add(games.board().tobytes())
        choice = allowed(games)
        point = int(random.choice(choice)) if choice and random.random() > 0.02 else 25
        board.play(games, [point])
        if point < 25 and games.board().tobytes() in seen:
            again.append(int(games.status[0, MOVES]))
    assert again == []


sizes = st.integers(5, 7)


@st.composite
def games_and_tries(draw: st.DrawFn, *, superko: bool | None = None) -> tuple[Games, list[int]]:
    """A game, perhaps with stones set up, and points to be tried there, many of which aren't legal."""
    size = draw(sizes)
    games = board.new(1, size, superko=draw(st.booleans()) if superko is None else superko)
    if draw(st.booleans()):
        row = st.integers(0, size - 1)
        column = draw(row)
        board.set_up(games, [column, size + column], draw(st.sampled_from([BLACK, WHITE])))
    few = draw(st.integers(4, size * size))
    return games, draw(st.lists(st.integers(0, few).map(lambda each: min(each, size * size)), max_size=60))


@settings(deadline=None)
@given(games_and_tries())
def test_an_illegal_move_changes_nothing_and_a_legal_one_is_the_others_turn(pair: tuple[Games, list[int]]) -> None:
    games, tries = pair
    for point in tries:
        before, legal = games.copy(), board.legal(games)[0, point]
        taken = int(board.play(games, [point])[0])
        assert legal == (taken >= 0)
        if taken < 0:
            assert same(games, before)
        else:
            assert games.status[0, PLAYER] == 3 - before.status[0, PLAYER]
            assert games.status[0, MOVES] == before.status[0, MOVES] + 1


@settings(deadline=None)
@given(games_and_tries(superko=False))
def test_sgfmill_agrees_about_legal_moves_captures_ko_and_area(pair: tuple[Games, list[int]]) -> None:
    games, tries = pair
    size = games.size
    theirs = boards.Board(size)
    theirs.apply_setup(*([divmod(int(p), size) for p in np.flatnonzero(games.board()[0] == c)] for c in (BLACK, WHITE)), [])
    forbidden = None
    for point in tries:
        if point < size * size:
            copy, place, name = theirs.copy(), divmod(point, size), "bw"[games.status[0, PLAYER] - 1]
            free = theirs.get(*place) is None and place != forbidden
            next_forbidden = copy.play(*place, name) if free else None
            legal = free and copy.get(*place) == name
            stones = len(theirs.list_occupied_points())
            taken = stones + 1 - len(copy.list_occupied_points()) if legal else -1
            assert board.play(games, [point]).tolist() == [taken]
            if not legal:
                continue
            theirs, forbidden = copy, next_forbidden
        else:
            board.play(games, [point])
            forbidden = None
        assert drawn(games) == ["".join({None: ".", "b": "X", "w": "O"}[each] for each in row) for row in theirs.board]
        assert games.status[0, KO] == (entry(size, forbidden[0] * size + forbidden[1]) if forbidden else 0)
        black, white = board.area(games)[0]
        assert black - white == theirs.area_score()


@settings(deadline=None)
@given(st.integers(5, 9), st.integers(0, 2**32), st.floats(0, 1), st.floats(0, 1))
def test_sgfmill_counts_the_same_area_of_any_stones(size: int, seed: int, empty: float, black: float) -> None:
    random = np.random.default_rng(seed)
    stones = np.where(random.random(size * size) < empty, EMPTY, np.where(random.random(size * size) < black, BLACK, WHITE))
    games, theirs = board.new(1, size), boards.Board(size)
    for colour in (BLACK, WHITE):
        board.set_up(games, np.flatnonzero(stones == colour).tolist(), colour)
    for point in np.flatnonzero(stones).tolist():
        theirs.board[point // size][point % size] = "bw"[stones[point] - 1]
    area = board.area(games)[0]
    assert area[0] - area[1] == theirs.area_score()
    assert area.sum() <= size * size


@settings(deadline=None)
@given(sizes, st.booleans(), st.lists(st.lists(st.integers(-1, 49), min_size=5, max_size=5), max_size=40))
def test_many_games_at_once_go_as_each_alone(size: int, superko: bool, turns: list[list[int]]) -> None:
    together = board.new(5, size, superko=superko)
    alone = [board.new(1, size, superko=superko) for _ in range(5)]
    for turn in turns:
        turn = [min(each, size * size) for each in turn]
        taken = board.play(together, turn)
        before = [each.copy() for each in alone]
        assert taken.tolist() == [int(board.play(each, [point])[0]) for each, point in zip(alone, turn, strict=True)]
        for game, (point, earlier) in enumerate(zip(turn, before, strict=True)):
            assert same(together.rows(slice(game, game + 1)), alone[game])
            assert point >= 0 or (taken[game] == 0 and same(alone[game], earlier))
    for ask in (board.legal, board.liberties, board.area):
        assert np.array_equal(ask(together), np.concatenate([ask(each) for each in alone]))


def test_a_slice_of_games_is_the_same_games_and_a_list_is_copies() -> None:
    games = board.new(3, 5)
    board.play(games.rows([0, 1]), [3, 4])
    assert not games.board().any()
    board.play(games.rows(slice(1, 3)), [3, 4])
    assert np.argwhere(games.board()).tolist() == [[1, 0, 3], [2, 0, 4]]
    copy = games.copy()
    board.play(copy, [7, 7, 7])
    assert games.status[:, MOVES].tolist() == [0, 1, 1]


def test_liberties_counted_by_hand() -> None:
    games = stand("XX..O", ".XO.O", ".....", "X...X", ".X.OO")
    assert board.liberties(games)[0].tolist() == [
        [3, 3, 0, 0, 3],
        [0, 3, 3, 0, 3],
        [0, 0, 0, 0, 0],
        [3, 0, 0, 0, 2],
        [0, 3, 0, 2, 2],
    ]


@pytest.mark.parametrize(
    ("rows", "black", "white"),
    [
        ([".....", ".....", ".....", ".....", "....."], 0, 0),
        ([".....", ".....", "..X..", ".....", "....."], 25, 0),
        ([".X.O.", ".X.O.", ".X.O.", ".X.O.", ".X.O."], 10, 10),
        (["XXOO.", ".XOOO", "XXOXX", "XOO.X", "OO.OX"], 11, 13),
        ([".XOX.", "XXOXX", "OOOOO", "....O", "...O."], 8, 17),
        (["XX.OO", "XX.OO", "XXXOO", "XX.OO", "XX.OO"], 11, 10),
        (["X...O", ".....", ".....", ".....", "....."], 1, 1),
    ],
)
def test_area_counted_by_hand(rows: list[str], black: int, white: int) -> None:
    assert board.area(stand(*rows)).tolist() == [[black, white]]


def test_area_counts_each_of_many_games_for_itself() -> None:
    games = board.new(4, 6)
    for game, point in ((0, 3), (2, 7), (3, 35)):
        board.set_up(games.rows(slice(game, game + 1)), [point], WHITE if game == 2 else BLACK)
    assert board.area(games).tolist() == [[36, 0], [0, 0], [0, 36], [36, 0]]


@pytest.mark.parametrize("size", [0, 4, 20])
def test_a_board_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(InputError, match=f"a board here has 5 to 19 lines, not {size}"):
        board.new(1, size)


@pytest.mark.parametrize("point", [-1, 81])
def test_a_stone_is_not_set_up_beside_the_board(point: int) -> None:
    with pytest.raises(InputError, match=f"there is no point {point} on a board of 9 lines"):
        board.set_up(board.new(1, 9), [point], BLACK)


def test_passing_is_always_legal() -> None:
    games = stand(*["XXXXX"] * 4, "XXXX.")
    assert board.legal(games)[0].tolist() == [False] * 25 + [True]
    assert play(games, None) == [0]
