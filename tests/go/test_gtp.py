from __future__ import annotations

import io
import queue
import random
import re
import string
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from convsight.go import board, model, sgf
from convsight.go.engine import ANALYSES, Engine
from convsight.go.gtp import serve
from convsight.go.player import Player

ANSWER = re.compile(r"(?:[=?][0-9]*(?: [^\n]+)?(?:\n[^\n]+)*\n\n)*")
VERTEX = r"(?:[A-HJ-T](?:1[0-9]|[1-9])|pass|resign)"


@pytest.fixture(scope="module")
def player() -> Player:
    return Player(model.untrained(model.policy(width=8, depth=2)))


def talk(player: Player, *lines: str) -> list[str]:
    """What is answered to `lines`, answer by answer, without the empty line that ends each."""
    out = io.StringIO()
    serve(Engine(player), iter(f"{line}\n" for line in lines), out)
    said = out.getvalue()
    assert ANSWER.fullmatch(said), said[-500:]
    return said.split("\n\n")[:-1]


def test_a_game_is_played_as_the_protocol_says(player: Player) -> None:
    answers = talk(
        player, "1 boardsize 19", "2 clear_board", "3 komi 6.5", "4 play black D4", "play w q16", "genmove b", "play w D4",
        "undo", "undo", "undo", "undo", "quit", "name",
    )  # fmt: skip
    assert answers[:5] == ["=1", "=2", "=3", "=4", "="]
    assert re.fullmatch(f"= {VERTEX}", answers[5])
    assert answers[6:] == ["? illegal move", "=", "=", "=", "? cannot undo", "="]


def test_an_engine_with_networks_of_two_sizes_plays_on_both(player: Player) -> None:
    small = model.untrained(model.policy(width=4, depth=2, size=5))
    out = io.StringIO()
    lines = ["boardsize 5", "play b a5", "genmove w", "boardsize 9", "showboard", "boardsize 19", "play b t19", "genmove w"]
    serve(Engine(player, others=[small]), iter(f"{line}\n" for line in lines), out)
    answers = out.getvalue().split("\n\n")[:-1]
    assert answers[0] == answers[1] == "=" and re.fullmatch("= [A-E][1-5]", answers[2])
    assert answers[3] == "? unacceptable size (played are 5 and 19 lines)"
    assert "A B C D E\n" in answers[4] and "X" in answers[4]  # the game on 5 lines goes on
    assert answers[5] == answers[6] == "=" and re.fullmatch(f"= {VERTEX}", answers[7])
    sgf.write(sgf.Record(5, (), ((1, 12), (2, 7)), 7.5), Path("five.sgf"))
    sgf.write(sgf.Record(7, (), ((1, 12),), 7.5), Path("seven.sgf"))
    out = io.StringIO()
    loaded = ["loadsgf five.sgf", "play b c3", "play b a1", "loadsgf seven.sgf", "showboard"]
    serve(Engine(player, others=[small]), iter(f"{line}\n" for line in loaded), out)
    answers = out.getvalue().split("\n\n")[:-1]
    assert answers[:4] == ["=", "? illegal move", "=", "? cannot load file"] and "A B C D E\n" in answers[4]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("protocol_version", "= 2"),
        ("name", "= convsight"),
        ("version", r"= \d+\.\d+\.\d+"),
        ("known_command genmove", "= true"),
        ("known_command lz-analyze", "= true"),
        ("known_command nonsense", "= false"),
        ("known_command", r"\? syntax error"),
        ("nonsense", r"\? unknown command"),
        ("12", r"\?12 unknown command"),
        ("7 name # a remark", "=7 convsight"),
        ("\tname\x07\r", "= convsight"),
        ("boardsize 9", r"\? unacceptable size.*"),
        ("boardsize", r"\? syntax error"),
        ("boardsize x", r"\? x is no whole number"),
        ("clear_board now", r"\? syntax error"),
        ("komi -3", "="),
        ("komi nan", r"\? komi not a float"),
        ("komi x", r"\? komi not a float"),
        ("komi", r"\? syntax error"),
        ("play b t19", "="),
        ("play white pass", "="),
        ("play b i5", r"\? invalid color or coordinate"),
        ("play b a20", r"\? invalid color or coordinate"),
        ("play x a1", r"\? invalid color or coordinate"),
        ("play b", r"\? syntax error"),
        ("genmove w", f"= {VERTEX}"),
        ("genmove", r"\? syntax error"),
        ("reg_genmove b", f"= {VERTEX}"),
        ("reg_genmove c", r"\? invalid color or coordinate"),
        ("undo", r"\? cannot undo"),
        ("fixed_handicap 9", r"= D4 Q16 D16 Q4 D10 Q10 K4 K16 K10"),
        ("fixed_handicap 10", r"\? on 19 lines 2 to 9 stones have fixed places as a handicap, not 10"),
        ("fixed_handicap 1", r"\? on 19 lines .*"),
        ("place_free_handicap 12", rf"= {VERTEX}(?: {VERTEX}){{11}}"),
        ("place_free_handicap 1", r"\? invalid number of stones"),
        ("set_free_handicap a1 b1 c1", "= A1 B1 C1|="),
        ("set_free_handicap a1", r"\? bad vertex list"),
        ("set_free_handicap a1 a1", r"\? bad vertex list"),
        ("set_free_handicap a1 pass", r"\? bad vertex list"),
        ("loadsgf missing.sgf", r"\? cannot load file"),
        ("loadsgf", r"\? syntax error"),
        ("showboard", r"= *\n.*A B C D.*"),
        ("final_score", r"= (?:0|[BW]\+[0-9.]+)"),
        ("final_status_list dead", "="),
        ("final_status_list nobody", r"\? invalid status"),
        ("time_settings 600 30 1", "="),
        ("time_settings 600", r"\? syntax error"),
        ("time_left b 30 1", "="),
        ("time_left b x 1", r"\? x is no whole number"),
        ("kata-raw-nn 0", r"= symmetry 0\nwhiteWin .*policyPass 0.000000"),
        ("kata-raw-nn 9", r"\? symmetry is from 0 to 7, or all"),
        ("lz-genmove_analyze b 50", rf"=\ninfo move .*\nplay {VERTEX}"),
        ("kata-genmove_analyze w", rf"=\ninfo move .*\nplay {VERTEX}"),
    ],
)  # fmt: skip
def test_each_command_answers_right_and_wrong_and_missing_arguments(player: Player, line: str, answer: str) -> None:
    (said,) = talk(player, line)
    assert re.fullmatch(answer, said, re.DOTALL), said


def test_every_listed_command_is_known_and_refuses_too_many_arguments(player: Player) -> None:
    (listed,) = talk(player, "list_commands")
    names = listed.removeprefix("= ").split("\n")
    assert names == sorted(names) and {"quit", "genmove", "play", *ANALYSES} <= set(names)
    for name in names:
        assert talk(player, f"known_command {name}") == ["= true"]
        if name not in (*ANALYSES, "set_free_handicap", "quit"):
            assert talk(player, f"{name} 1 2 3 4 5 6") == ["? syntax error"]


def test_quit_answers_and_ends(player: Player) -> None:
    assert talk(player, "3 quit", "name") == ["=3"]


def test_handicap_is_placed_on_an_empty_board_only_and_white_moves_next(player: Player) -> None:
    answers = talk(player, "fixed_handicap 2", "fixed_handicap 2", "play w d4", "play w k10", "showboard")
    assert answers[1] == "? board not empty" and answers[2] == "? illegal move" and answers[3] == "="
    assert "black to play" in answers[4]


def test_the_side_that_is_named_moves_whoever_is_next(player: Player) -> None:
    assert talk(player, "play b d4", "play b q4", "genmove b", "genmove w")[:2] == ["=", "="]


def test_ko_binds_only_who_is_next(player: Player) -> None:
    shape = ("play b b1", "play b a2", "play b b3", "play b c2", "play w d2", "play w c1", "play w c3", "play w b2")
    (*_, taken, again, other, now) = talk(player, *shape[:3], *shape[4:], "play b c2", "play w b2", "play w k10", "play b k11")
    assert (taken, again, other, now) == ("=", "? illegal move", "=", "=")


def test_loadsgf_stops_before_the_move_that_is_named(player: Player) -> None:
    sgf.write(sgf.Record(19, ((1, 3),), ((2, 60), (1, 61), (2, 62)), 0.5), Path("game.sgf"))
    whole, board, part, before = talk(player, "loadsgf game.sgf", "showboard", "loadsgf game.sgf 2", "showboard")
    assert whole == "=" and part == "="
    elsewhere = 3  # the letter above and below the board, and in the line below
    assert board.count("O") == 2 + elsewhere and "black to play" in board
    assert before.count("O") == 1 + elsewhere and "black to play" in before
    assert talk(player, "loadsgf game.sgf 0") == ["? cannot load file"]


def test_a_game_that_cannot_be_loaded_leaves_the_board_as_it_was(player: Player) -> None:
    Path("illegal.sgf").write_bytes(b"(;SZ[19]KM[0.5];B[pd];W[dp];B[pd];W[dd])")
    Path("beyond.sgf").write_bytes(b"(;SZ[19];B[pd];W[zz])")
    answers = talk(player, "play b c3", "loadsgf illegal.sgf", "loadsgf beyond.sgf", "undo", "undo")
    assert answers == ["=", "? cannot load file", "? cannot load file", "=", "? cannot undo"]
    assert talk(player, "loadsgf illegal.sgf 3", "loadsgf beyond.sgf 2") == ["=", "="]


def test_a_record_without_komi_keeps_the_komi(player: Player) -> None:
    Path("empty.sgf").write_bytes(b"(;SZ[19])")
    engine = Engine(player)
    engine.answer("komi", ["6.5"])
    engine.answer("loadsgf", ["empty.sgf"])
    assert engine.player.komi == 6.5


def test_free_handicap_is_never_more_than_there_are_places(player: Player) -> None:
    placed = talk(player, "place_free_handicap 360")[0].split()[1:]
    assert len(set(placed)) == len(placed) > 200


def test_a_move_that_is_avoided_is_not_played(player: Player) -> None:
    best = talk(player, "reg_genmove b")[0].removeprefix("= ")
    for name in ("lz-genmove_analyze", "kata-genmove_analyze"):
        (said,) = talk(player, f"{name} b avoid b {best} 1")
        assert f"move {best} " not in said and not said.endswith(f"play {best}")


def test_after_loadsgf_a_ko_binds_only_who_is_next(player: Player) -> None:
    ko = b"(;SZ[19];B[ba];W[ca];B[ab];W[db];B[bc];W[cc];B[ss];W[bb];B[cb];W[tt];B[bb])"
    Path("ko.sgf").write_bytes(ko)
    assert talk(player, "loadsgf ko.sgf 10", "play w B18") == ["=", "? illegal move"]
    assert talk(player, "loadsgf ko.sgf 10", "play b B18") == ["=", "="]


@pytest.mark.parametrize("size", [5, 6])
def test_small_boards_have_free_handicaps(size: int) -> None:
    small = Player(model.untrained(model.policy(width=2, depth=1, size=size)))
    (said,) = talk(small, "place_free_handicap 3")
    assert len(set(said.split()[1:])) == 3


def test_a_name_that_no_file_can_have_is_no_file(player: Player) -> None:
    assert talk(player, f"loadsgf {'x' * 5000}", "name") == ["? cannot load file", "= convsight"]
    assert talk(player, "boardsize \ufffd") == ["? \\ufffd is no whole number"]


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("kata-analyze interval 50 ownership true", r"=\n(info move .* )+ownership( -?[01]\.\d{3}){361}"),
        ("lz-analyze b avoid b A1,B2 5 interval 9", r"=\n.*"),
        ("lz-analyze allow b C3,D4 1", r"=\ninfo move (C3|D4) \S.*"),
        ("lz-analyze nonsense", r"\? syntax error"),
        ("lz-analyze interval", r"\? syntax error"),
        ("lz-analyze avoid b Z99 1", r"\? invalid color or coordinate"),
    ],
)
def test_what_an_analysis_may_be_asked_for(player: Player, asked: str, answer: str) -> None:
    (said, *_) = talk(player, asked)
    assert re.fullmatch(answer, said), said
    if "avoid" in asked:
        assert "move A1 " not in said and "move B2 " not in said


def test_analysis_goes_on_until_a_line_comes_and_that_line_is_answered(player: Player) -> None:
    coming: queue.Queue[str | None] = queue.Queue()

    def lines() -> Iterator[str]:
        while (line := coming.get()) is not None:
            yield line

    out = io.StringIO()
    served = threading.Thread(target=serve, args=(Engine(player), lines(), out))
    served.start()
    coming.put("5 lz-analyze b interval 5\n")
    deadline = time.monotonic() + 60
    while out.getvalue().count("info move") < 60 and time.monotonic() < deadline:
        time.sleep(0.02)
    coming.put("6 name\n")
    while "convsight" not in out.getvalue() and time.monotonic() < deadline:
        time.sleep(0.02)
    coming.put(None)
    served.join(60)
    assert not served.is_alive()
    analysis, name, rest = out.getvalue().split("\n\n")
    first, *told = analysis.split("\n")
    assert (first, name, rest) == ("=5", "=6 convsight", "")
    assert len(told) >= 3
    for line in told:
        for each in line.split("info ")[1:]:
            assert re.fullmatch(rf"move {VERTEX} visits \d+ winrate \d+ prior \d+ lcb \d+ order \d+ pv {VERTEX} ?", each), each


def test_a_line_ends_an_analysis_before_its_games_are_played_out(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    coming: queue.Queue[str | None] = queue.Queue()
    coming.put("lz-analyze b\n")
    out, outcome = io.StringIO(), Player.outcome
    played: list[int] = []

    def slow(self: Player, games: board.Games, *, foreseen: int = 60, stop: Callable[[], bool] = bool) -> object:
        if foreseen:
            coming.put("name\n")  # comes while the games are played
            coming.put(None)
            while not stop():
                time.sleep(0.01)
            played.append(foreseen)
        return outcome(self, games, foreseen=0)

    monkeypatch.setattr(Player, "outcome", slow)
    serve(Engine(player), iter(coming.get, None), out)
    analysis, name, _ = out.getvalue().split("\n\n")
    assert analysis.startswith("=\ninfo move") and name == "= convsight" and played == [60]


def test_what_becomes_of_a_position_is_computed_once(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    outcome = Player.outcome

    def counted(self: Player, games: board.Games) -> object:
        asked.append(1)
        return outcome(self, games, foreseen=0)

    monkeypatch.setattr(Player, "outcome", counted)
    first = talk(player, "play b D4", "final_score", "final_status_list dead", "kata-raw-nn 0", "final_score")
    assert len(asked) == 1 and first[1] == first[4]
    talk(player, "play b D4", "final_score", "play w Q16", "final_score", "undo", "final_score")
    assert len(asked) == 4


def test_a_passed_game_that_it_leads_is_passed_too(player: Player) -> None:
    black = [f"play b {letter}10" for letter in "ABCDEFGHJKLMNOPQRST"]
    assert talk(player, "komi 0.5", *black, "play w pass", "genmove b")[-1] == "= pass"
    assert talk(player, "komi 0.5", *black, "play b pass", "genmove w")[-1] != "= pass"


def test_it_never_fills_its_last_eyes(player: Player) -> None:
    eyes = {"A1", "A3", "T19"}
    stones = [
        f"play b {letter}{row}" for row in range(1, 20) for letter in "ABCDEFGHJKLMNOPQRST" if f"{letter}{row}" not in eyes
    ]
    assert talk(player, *stones, "genmove b", "genmove w")[-2:] == ["= pass", "= pass"]


def test_raw_policy_is_a_distribution_with_nan_where_a_move_is_not_legal(player: Player) -> None:
    _, all_of_them = talk(player, "play b a19", "kata-raw-nn all")
    assert re.findall("symmetry ([0-7])", all_of_them) == list("01234567")
    _, said = talk(player, "play b a19", "kata-raw-nn 3")
    rows = said.partition("policy\n")[2].split("\n")[:19]
    cells = [each for row in rows for each in row.split()]
    assert len(cells) == 361 and cells[0] == "NAN" and cells.count("NAN") == 1
    assert 0.98 < sum(float(each) for each in cells[1:]) <= 1.001


def test_two_thousand_lines_of_noise_are_answered_in_form(player: Player) -> None:
    noise = random.Random(0)
    names = [
        *(each for each in Engine(player).commands if each not in ("quit", "loadsgf")),
        "lz-genmove_analyze",
        "",
        "?",
        "=1",
    ]
    words = [
        "b",
        "w",
        "black",
        "d4",
        "A1",
        "pass",
        "t19",
        "i9",
        "-1",
        "3",
        "19",
        "1e9",
        "nan",
        "9" * 12,
        "#",
        "\x00",
        "ä",
        "all",
    ]

    def line() -> str:
        kind = noise.random()
        if kind < 0.2:
            return "".join(noise.choice(string.printable.replace("\n", "")) for _ in range(noise.randrange(60)))
        if kind < 0.25:
            return "".join(chr(noise.randrange(32, 0x2FFF)) for _ in range(noise.randrange(300)))
        number = noise.choice(["", "", "5 ", "007 ", "-3 ", "99999999999 "])
        return number + " ".join([noise.choice(names), *(noise.choice(words) for _ in range(noise.randrange(5)))])

    lines = [line() for _ in range(2000)]
    lines = [each for each in lines if not re.search(r"\b(?:quit|(?:lz|kata)-analyze)\b", each)]
    asked = [each for each in lines if re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", each).partition("#")[0].split()]
    assert len(talk(player, *lines)) == len(asked)
