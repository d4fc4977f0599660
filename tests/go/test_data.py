from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convsight import InputError
from convsight.go import board, data, encode, samples, sgf
from convsight.go.data import Report
from convsight.go.moves import Moves, of_records
from convsight.go.rules import BLACK, KO, PLAYER, WHITE
from convsight.go.sgf import Record

START = b"(;GM[1]SZ[9]"
KO_FIGHT = b";B[ba];W[ca];B[ab];W[db];B[bc];W[cc];B[ii];W[bb];B[cb]"  # the last takes the stone at bb


def random_record(seed: int, size: int, length: int, *, stones: int = 0, passes: float = 0.02) -> Record:
    """A record of legal moves, a few passes among them, after some stones that are set up."""
    random = np.random.default_rng(seed)
    places = random.choice(size * size, stones, replace=False).tolist()
    setup = tuple((int(random.integers(1, 3)), place) for place in places)
    games = board.new(1, size)
    for colour, place in setup:
        board.set_up(games, [place], colour)
    moves: list[tuple[int, int]] = []
    for _ in range(length):
        choice = np.flatnonzero(board.legal(games)[0, :-1])
        point = int(random.choice(choice)) if len(choice) and random.random() >= passes else size * size
        moves.append((int(games.status[0, PLAYER]), point))
        board.play(games, [point])
    return Record(size, setup, tuple(moves))


def write(path: str, records: Sequence[Record | bytes]) -> Path:
    file = Path(path)
    file.write_bytes(b"\n".join(each if isinstance(each, bytes) else sgf.text_of(each) for each in records))
    return file


def same(moves: Moves, others: Moves) -> bool:
    return moves.size == others.size and all(
        one.dtype == other.dtype and np.array_equal(one, other) for one, other in zip(moves[1:], others[1:], strict=True)
    )


def moves_in(moves: Moves, game: int) -> list[tuple[int, int]]:
    part = slice(moves.first[game], moves.first[game + 1])
    return list(zip(moves.colours[part].tolist(), moves.points[part].tolist(), strict=True))


def stones_in(moves: Moves, game: int) -> list[tuple[int, int]]:
    part = slice(moves.first_stone[game], moves.first_stone[game + 1])
    return list(zip(moves.stone_colours[part].tolist(), moves.stones[part].tolist(), strict=True))


def position_before(moves: Moves, move: int) -> board.Games:
    """The game before a move, played on a board one move after the other."""
    game = int(np.searchsorted(moves.first, move, "right")) - 1
    games = board.new(1, moves.size)
    for colour, point in stones_in(moves, game):
        board.set_up(games, [point], colour)
    for colour, point in [*moves_in(moves, game)[: move - moves.first[game]], (int(moves.colours[move]), -1)]:
        if games.status[0, PLAYER] != colour:
            games.status[0, [PLAYER, KO]] = colour, 0
        assert board.play(games, [point]) >= 0
    return games


def test_games_are_loaded_move_by_move() -> None:
    path = write(
        "games.sgf",
        [b"(;GM[1]SZ[9]AB[aa][bb]AW[ii];W[ee];B[];W[ea])", b"(;GM[1]SZ[9])", b"(;GM[1]SZ[9];B[ia];B[ib];W[tt])"],
    )
    moves, report = data.load([path], 9)
    assert [moves_in(moves, game) for game in range(3)] == [[(2, 40), (1, 81), (2, 4)], [], [(1, 8), (1, 17), (2, 81)]]
    assert [stones_in(moves, game) for game in range(3)] == [[(1, 0), (1, 10), (2, 80)], [], []]
    assert len(moves) == 3
    assert moves.first.tolist() == [0, 3, 3, 6]
    assert moves.first_stone.tolist() == [0, 3, 3, 3]
    assert (moves.points.dtype, moves.colours.dtype, moves.first.dtype) == (np.int16, np.int8, np.int64)
    assert (moves.stones.dtype, moves.stone_colours.dtype, moves.first_stone.dtype) == (np.int16, np.int8, np.int64)
    assert report == Report(games=3, moves=6)


def test_the_report_says_what_became_of_each_record() -> None:
    path = write(
        "games.sgf",
        [
            b"(;GM[1]SZ[9];B[aa];W[bb])",
            b"(;GM[1]SZ[9];B[aa];W[aa];B[cc])",
            b"(;GM[1]SZ[9];B[aa];W[bb];AB[cc];B[dd])",
            b"(;GM[1]SZ[13];B[aa])",
            b"(;GM[1]SZ[13];B[bb])",
            b"(;GM[1];B[bb])",
            b"(;GM[6]SZ[9];B[bb])",
            b"(;GM[1]SZ[25];B[bb])",
            b"(;GM[1]SZ[9];B[cc]",
        ],
    )
    moves, report = data.load([path], 9)
    assert [moves_in(moves, game) for game in range(3)] == [[(1, 0), (2, 10)], [(1, 0)], [(1, 0), (2, 10)]]
    assert (report.games, report.moves, report.ended_early, report.left_out) == (3, 5, 2, 6)
    assert report.reasons == {
        "a move that the rules forbid": 1,
        "stones are set up after the first move": 1,
        "a board of 13 lines, not 9": 2,
        "a board of 19 lines, not 9": 1,
        "it is another game than Go": 1,
        "a board of 25 lines; here they have 5 to 19": 1,
        "unexpected end of SGF data": 1,
    }
    assert len(report.examples) == 5
    for example in report.examples:
        source, _, problem = example.partition(": ")
        assert source.startswith("games.sgf, game ") and problem in report.reasons
    assert "games.sgf, game 4: a board of 13 lines, not 9" in report.examples


@pytest.mark.parametrize(
    ("moves", "kept"),
    [
        (b";B[aa];W[bb];B[bb];W[cc]", 2),  # on a stone
        (b";W[ba];W[ab];B[aa];W[cc]", 2),  # suicide
        (b";W[ba];W[ab];B[cc];W[aa]", 4),
        (KO_FIGHT + b";W[bb];B[gg]", 9),  # ko retaken at once
        (KO_FIGHT + b";W[gg];B[hg];W[bb]", 12),
        (KO_FIGHT + b";W[];W[bb]", 11),
        (b";B[aa];B[aa]", 1),
    ],
)
def test_a_game_is_kept_up_to_a_move_that_the_rules_forbid(moves: bytes, kept: int) -> None:
    text = START + moves + b")"
    whole = sgf.read(text).moves
    loaded, report = data.load([write("game.sgf", [text, START + b";B[ii])"])], 9)
    assert moves_in(loaded, 0) == list(whole[:kept])
    assert moves_in(loaded, 1) == [(1, 80)]
    assert report.ended_early == (kept < len(whole))
    assert report.reasons == ({"a move that the rules forbid": 1} if kept < len(whole) else {})


def test_a_ko_binds_only_the_player_whose_stone_was_taken() -> None:
    text = START + KO_FIGHT + b";B[bb];W[hh])"
    moves, report = data.load([write("game.sgf", [text])], 9)
    assert moves_in(moves, 0) == list(sgf.read(text).moves)
    assert report == Report(games=1, moves=11)


def test_a_ko_is_not_seen_by_the_player_who_took_and_may_fill_it() -> None:
    moves = of_records([sgf.read(START + KO_FIGHT + b";B[bb];W[hh])")], 9)
    pictures, targets = samples.encoded(moves, np.array([9, 10], np.int32), 48)
    assert targets.tolist() == [10, 70]
    assert pictures[0, encode.AFTER : encode.AFTER + 8, 1, 1].any()
    assert pictures[1, 1, 1, 1] == 1
    for picture, move in zip(pictures, (9, 10), strict=True):
        assert torch.equal(picture, torch.from_numpy(encode.planes(position_before(moves, move))[0]))


def test_of_records_keeps_what_they_hold() -> None:
    records = [random_record(seed, 7, 10 * seed, stones=seed) for seed in range(5)]
    moves = of_records(records, 7)
    assert [tuple(moves_in(moves, game)) for game in range(5)] == [each.moves for each in records]
    assert [tuple(stones_in(moves, game)) for game in range(5)] == [each.stones for each in records]


def test_no_games_of_that_size_is_said() -> None:
    path = write("games.sgf", [b"(;GM[1]SZ[9];B[aa])"])
    with pytest.raises(
        InputError, match=r"^there is no game on 19 lines among them: games.sgf, game 1: a board of 9 lines, not 19$"
    ):
        data.load([path])
    with pytest.raises(InputError, match=r"^there is no game on 9 lines among them$"):
        data.load([write("none.sgf", [b"nothing"])], 9)
    with pytest.raises(InputError, match=r"^there is no file missing.sgf$"):
        data.load([path, Path("missing.sgf")], 9)


def test_passes_are_no_samples() -> None:
    moves, _ = data.load([write("games.sgf", [b"(;GM[1]SZ[9];B[aa];W[];B[bb];W[tt];B[])", b"(;GM[1]SZ[9];B[];W[cc])"])], 9)
    assert moves.samples().tolist() == [0, 2, 6]
    assert moves.samples().dtype == np.int32


def test_some_of_the_games_are_the_same_games() -> None:
    records = [random_record(seed, 9, 20 + seed, stones=seed % 3) for seed in range(6)]
    moves = of_records(records, 9)
    for start in range(7):
        for stop in range(start, 7):
            part = moves.games(start, stop)
            assert same(part, of_records(records[start:stop], 9))
            assert len(part) == stop - start
    part = moves.games(2, 4)
    chosen = moves.samples()
    chosen = chosen[(chosen >= moves.first[2]) & (chosen < moves.first[4])]
    for one, other in zip(
        samples.encoded(moves, chosen, 48), samples.encoded(part, chosen - moves.first[2].astype(np.int32), 48), strict=True
    ):
        assert torch.equal(one, other)


def test_several_processes_give_the_same_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = [b"(;GM[1]SZ[13];B[aa])", b"(;GM[1]SZ[9];B[aa];W[aa])", b"(;GM[1]SZ[9];B[aa]", b"(;GM[6]SZ[9])"]
    records = [random_record(seed, 9, 6 + seed % 9, stones=seed % 4) for seed in range(120)]
    texts = [sgf.text_of(each) for each in records]
    path = write(
        "games.sgf", [each for index, text in enumerate(texts * 9) for each in (text, wrong[index // 2 % 4])[: 1 + index % 2]]
    )
    counts: list[int] = []
    moves, report = data.load([path], 9, on_game=counts.append)
    assert counts == [500, 1000, 1500, 1620]
    monkeypatch.setattr(data, "_AT_ONCE", 10_000)
    alone, report_alone = data.load([path], 9)
    assert same(moves, alone)
    assert report == report_alone
    assert (report.games, report.left_out, report.ended_early) == (1080 + 135, 3 * 135, 135)
    assert tuple(moves_in(moves, len(moves) - 1)) == records[-1].moves


def test_an_error_in_a_later_file_comes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "_AT_ONCE", 3)
    with pytest.raises(InputError, match=r"^there is no file missing.sgf$"):
        data.load([write("games.sgf", [b"(;GM[1]SZ[9];B[aa])"] * 3), Path("missing.sgf")], 9)


@pytest.mark.parametrize("count", encode.COUNTS)
@pytest.mark.parametrize("size", [5, 9, 19])
def test_a_sample_is_the_position_before_the_move(size: int, count: int) -> None:
    moves = of_records([random_record(seed, size, 2 * size * seed, stones=2 * seed) for seed in range(4)], size)
    chosen = np.random.default_rng(1).permutation(moves.samples())[:60]
    pictures, targets = samples.encoded(moves, chosen, count)
    assert (pictures.dtype, targets.dtype) == (torch.uint8, torch.int64)
    assert pictures.shape == (len(chosen), count, size, size)
    assert targets.tolist() == moves.points[chosen].tolist()
    for picture, move in zip(pictures, chosen.tolist(), strict=True):
        assert torch.equal(picture, torch.from_numpy(encode.planes(position_before(moves, move), count)[0]))


def test_a_sample_is_seen_by_who_moves_even_twice_in_a_row() -> None:
    moves = of_records([sgf.read(b"(;SZ[9];B[aa];B[bb];B[cc];W[dd];W[ee];B[])")], 9)
    chosen = np.arange(6, dtype=np.int32)
    pictures, _ = samples.encoded(moves, chosen, 48)
    for picture, move in zip(pictures, chosen.tolist(), strict=True):
        assert torch.equal(picture, torch.from_numpy(encode.planes(position_before(moves, move))[0]))
    assert pictures[:, :2].sum((2, 3)).tolist() == [[0, 0], [1, 0], [2, 0], [0, 3], [1, 3], [3, 2]]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.integers(5, 9), st.integers(0, 8), st.sampled_from(encode.COUNTS))
def test_any_sample_of_any_game_is_as_the_board_says(seed: int, size: int, stones: int, count: int) -> None:
    moves = of_records([random_record(seed, size, 30, stones=stones, passes=0.2)], size)
    chosen = np.array([29, 0, 13, 29], np.int32)
    pictures, _ = samples.encoded(moves, chosen, count)
    for picture, move in zip(pictures, chosen.tolist(), strict=True):
        assert torch.equal(picture, torch.from_numpy(encode.planes(position_before(moves, move), count)[0]))


def test_positions_are_boards_to_play_on() -> None:
    moves = of_records([random_record(seed, 9, 60, stones=seed) for seed in range(4)], 9)
    chosen = np.array([0, 59, 61, 100, 239, 100], np.int32)
    games = samples.positions(moves, chosen)
    for row, move in enumerate(chosen.tolist()):
        assert all(map(np.array_equal, games.rows([row])[1:], position_before(moves, move)[1:]))
    assert board.play(games, moves.points[chosen]).min() >= 0


def test_a_position_of_a_record_is_before_the_move_of_that_number() -> None:
    record = random_record(3, 9, 50, stones=3, passes=0.1)
    moves = of_records([record], 9)
    for number in range(1, 51):
        assert all(map(np.array_equal, samples.position(record, number)[1:], position_before(moves, number - 1)[1:]))
    end = samples.position(record, 51)
    before = samples.position(record, 50)
    board.play(before, [record.moves[-1][1]])
    assert all(map(np.array_equal, end[1:], before[1:]))
    for wrong, following in ((Record(9, (), ()), BLACK), (Record(9, ((BLACK, 3),), ()), WHITE)):
        assert samples.position(wrong, 1).status[0, PLAYER] == following
    with pytest.raises(InputError, match=r"^of it: the rules forbid its move 2$"):
        samples.position(Record(9, (), ((BLACK, 3), (WHITE, 3), (BLACK, 4)), source="of it"), 3)


def turned(picture: torch.Tensor, symmetry: int, size: int) -> torch.Tensor:
    table = torch.from_numpy(samples.symmetry_table(size)[symmetry, :-1].astype(np.int64))
    answer = torch.empty_like(picture).flatten(1)
    answer[:, table] = picture.flatten(1)
    return answer.view_as(picture)


def test_the_symmetries_are_all_eight_of_the_square_and_the_first_is_none() -> None:
    for size in (5, 8, 19):
        table = samples.symmetry_table(size)
        assert table.shape == (8, size * size + 1) and table.dtype == np.int16
        assert table[0].tolist() == list(range(size * size + 1))
        assert (table[:, -1] == size * size).all()
        square = np.arange(size * size).reshape(size, size)
        by_numpy = {np.rot90(each, times).tobytes() for each in (square, square.T) for times in range(4)}
        assert {each[:-1].astype(np.int64).reshape(size, size).tobytes() for each in table} == by_numpy


@pytest.mark.parametrize("count", encode.COUNTS)
def test_a_sample_may_be_turned_and_mirrored_with_its_move(count: int) -> None:
    size = 9
    moves = of_records([random_record(seed, size, 70, stones=seed) for seed in range(3)], size)
    chosen = np.repeat(moves.samples()[::30], 8)
    symmetries = np.resize(np.arange(8, dtype=np.int8), len(chosen))
    plain, targets = samples.encoded(moves, chosen, count)
    pictures, turned_targets = samples.encoded(moves, chosen, count, symmetries)
    table = samples.symmetry_table(size)
    for index, symmetry in enumerate(symmetries.tolist()):
        assert torch.equal(pictures[index], turned(plain[index], symmetry, size))
        assert turned_targets[index] == int(table[symmetry, targets[index]])


def test_a_pass_stays_a_pass_when_turned() -> None:
    moves = of_records([Record(9, (), ((BLACK, 3), (WHITE, 81)))], 9)
    _, targets = samples.encoded(moves, np.ones(8, np.int32), 4, np.arange(8, dtype=np.int8))
    assert targets.tolist() == [81] * 8


@pytest.mark.parametrize("threads", [1, 3, 64])
def test_threads_change_nothing(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    moves = of_records([random_record(seed, 9, 60) for seed in range(4)], 9)
    chosen = np.random.default_rng(0).choice(moves.samples(), 50)
    symmetries = np.random.default_rng(0).integers(0, 8, 50, dtype=np.int8)
    expected = [samples.encoded(moves, chosen[each : each + 1], 48, symmetries[each : each + 1]) for each in range(50)]
    monkeypatch.setattr(samples, "cores", lambda: threads)
    pictures, targets = samples.encoded(moves, chosen, 48, symmetries)
    assert torch.equal(pictures, torch.cat([each for each, _ in expected]))
    assert torch.equal(targets, torch.cat([each for _, each in expected]))


def test_no_samples_are_an_empty_batch() -> None:
    moves = of_records([random_record(0, 9, 5)], 9)
    pictures, targets = samples.encoded(moves, np.zeros(0, np.int32), 48)
    assert (pictures.shape, targets.shape) == ((0, 48, 9, 9), (0,))


def test_loaded_games_are_encoded_as_their_records() -> None:
    records = [random_record(seed, 9, 40, stones=seed) for seed in range(3)]
    moves, _ = data.load([write("games.sgf", records)], 9)
    assert [tuple(moves_in(moves, game)) for game in range(3)] == [each.moves for each in records]
    chosen = moves.samples()
    for one, other in zip(samples.encoded(moves, chosen, 48), samples.encoded(of_records(records, 9), chosen, 48), strict=True):
        assert torch.equal(one, other)
