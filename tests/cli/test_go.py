from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convsight import load, save
from convsight.go import board, model, sgf
from convsight.go.sgf import Record
from tests.conftest import Run


def written_games(count: int, size: int = 9, *, path: str = "games.sgf") -> None:
    """Short random games, all in one file."""
    random = np.random.default_rng(0)
    texts = []
    for _ in range(count):
        games, moves = board.new(1, size), []
        for number in range(30):
            point = int(random.choice(np.flatnonzero(board.legal(games)[0, :-1])))
            board.play(games, [point])
            moves.append((1 + number % 2, point))
        texts.append(sgf.text_of(Record(size, (), tuple(moves), 7.5, "B+1.5")))
    Path(path).write_bytes(b"\n".join(texts))


def untrained(size: int = 9) -> str:
    save(model.untrained(model.policy(width=4, depth=2, size=size)), f"net{size}.safetensors")
    return f"net{size}.safetensors"


def test_a_network_is_trained_on_games_judged_and_kept_with_its_curve(convsight: Run) -> None:
    written_games(12)
    options = ("--size", 9, "--width", 6, "--depth", 2, "--batch", 16, "--positions", 160, "--out", "mine.safetensors")
    done = convsight("go", "train", "games.sgf", *options)
    assert done.returncode == 0, done.stderr
    assert "12 games with 360 moves" in done.stdout
    network = load("mine.safetensors")
    assert network.input.shape == (48, 9, 9) and network.card["data"].startswith(
        "11 games with 330 positions, of which it saw 160"
    )
    lines = [json.loads(line) for line in Path("mine.jsonl").read_text().splitlines()]
    assert lines[-1]["positions"] == 160 and {"loss", "first", "five", "log_loss", "seconds"} <= lines[-1].keys()
    assert not Path("mine.checkpoint").exists()
    judged = convsight("go", "evaluate", "games.sgf", "--network", "mine.safetensors", "--by-move", "--games", 5)
    assert judged.returncode == 0, judged.stderr
    assert "among the first five, log loss" in judged.stdout and "of 150 moves in 5 games" in judged.stdout
    assert "1 to 50" in judged.stdout
    more = convsight("go", "train", "games.sgf", "--size", 9, "--start", "mine.safetensors", "--positions", 32, "--batch", 16)
    assert more.returncode == 0, more.stderr


def test_a_network_is_kept_before_it_is_judged(convsight: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    written_games(6)

    def interrupted(*_args: object, **_more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(model, "evaluate", interrupted)
    monkeypatch.setattr(model, "scored", lambda *_args: model.Score(0.0, 0.0, 0.0))
    done = convsight("go", "train", "games.sgf", "--size", 9, "--width", 2, "--depth", 1, "--batch", 8, "--positions", 16)
    assert done.returncode == 2 and "interrupted" in done.stderr
    assert load("go.safetensors").card["data"].startswith("5 games")


def test_games_that_are_there_twice_do_not_judge_what_learnt_them(convsight: Run) -> None:
    written_games(3)
    Path("games.sgf").write_bytes(Path("games.sgf").read_bytes() * 2)
    options = ("--size", 9, "--width", 2, "--depth", 1, "--batch", 8, "--positions", 16)
    done = convsight("go", "train", "games.sgf", *options)
    assert done.returncode == 0 and "1 of the games are also among those to judge by" in done.stdout


def test_games_to_judge_by_are_not_learnt_from(convsight: Run) -> None:
    written_games(6)
    written_games(2, path="judges.sgf")
    options = ("--size", 9, "--width", 2, "--depth", 1, "--batch", 8, "--positions", 16)
    done = convsight("go", "train", "games.sgf", "--validation", "judges.sgf", *options)
    assert done.returncode == 0, done.stderr
    assert "2 of the games are also among those to judge by" in done.stdout
    card = load("go.safetensors").card
    assert card["data"].startswith("4 games with 120 positions") and card["figure"].endswith("of 2 other games")
    assert "--validation judges.sgf" in card["command"] and "--size 9" in card["command"]
    same = convsight("go", "train", "games.sgf", "--validation", "games.sgf", *options)
    assert same.returncode == 2 and "too few games" in same.stderr


def test_a_network_to_go_on_from_has_its_own_width(convsight: Run) -> None:
    written_games(6)
    done = convsight("go", "train", "games.sgf", "--size", 9, "--start", untrained(), "--width", 8)
    assert done.returncode == 2 and "net9.safetensors has its width, depth and planes" in done.stderr


def test_games_without_moves_are_said(convsight: Run) -> None:
    Path("empty.sgf").write_bytes(b"(;GM[1]SZ[9]PL[W])")
    for command in (("evaluate", "empty.sgf"), ("show", "empty.sgf", "--unit", 0)):
        done = convsight("go", *command, "--network", untrained())
        assert done.returncode == 2 and "no move in these games" in done.stderr
    done = convsight("go", "show", "--layer", "conv2", "--network", untrained())
    assert done.returncode == 2 and "give --unit" in done.stderr


def test_planes_may_be_fewer(convsight: Run) -> None:
    written_games(4)
    for name, count in (("raw", 12), ("colours", 4)):
        done = convsight(
            "go", "train", "games.sgf", "--size", 9, "--planes", name, "--width", 4, "--depth", 1, "--positions", 16,
            "--batch", 8, "--out", f"{name}.safetensors",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert load(f"{name}.safetensors").input.shape[0] == count


def test_what_is_wrong_with_records_is_told_and_not_fatal(convsight: Run) -> None:
    written_games(3)
    whole = Path("games.sgf").read_bytes()
    Path("games.sgf").write_bytes(
        whole + b"(;GM[1]SZ[9];B[aa];W[aa];B[bb])(;GM[1]SZ[13];B[aa])(;GM[1]SZ[9];B[cc];W[zz])(;GM[1]SZ[9];B[dd]"
    )
    done = convsight("go", "evaluate", "games.sgf", "--network", untrained())
    assert done.returncode == 0, done.stderr
    for part in ("a move that the rules forbid", "a board of 13 lines, not 9", "games.sgf, game "):
        assert part in done.stdout
    assert len(done.stdout.splitlines()) < 12


def test_it_plays_over_gtp(convsight: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    name = untrained()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"boardsize 9\n1 genmove b\n2 play b \xff\xfe\nquit\n")))
    done = convsight("go", "gtp", "--network", name)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("=\n\n=1 ") and done.stdout.endswith("\n\n?2 invalid color or coordinate\n\n=\n\n")


def test_it_ends_on_quit_though_nobody_closes_its_input() -> None:
    command = [sys.executable, "-m", "convsight", "go", "gtp", "--network", untrained()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdin and running.stdout and running.stderr
        running.stdin.write("quit\n")
        running.stdin.flush()
        assert running.wait(120) == 0, running.stderr.read()
        assert running.stdout.read() == "=\n\n"


def test_moves_are_suggested_and_drawn(convsight: Run) -> None:
    name = untrained()
    written_games(1, path="game.sgf")
    done = convsight("go", "suggest", "game.sgf", "--move", 12, "--why", "best", "--network", name)
    assert done.returncode == 0, done.stderr
    assert "without the stone, the log probability of" in done.stdout and done.stdout.rstrip().endswith("game-12.png")
    with Image.open("game-12.png") as drawn:
        assert drawn.size == (2 * 280 + 24, 280 + 16)
    assert convsight("go", "suggest", "game.sgf", "--network", name, "--out", "last.png").returncode == 0
    assert Path("last.png").exists()


def test_a_game_is_reviewed_as_a_page_and_an_annotated_record(convsight: Run) -> None:
    name = untrained()
    written_games(2, path="a game.sgf")
    done = convsight("go", "review", "a game.sgf", "--network", name, "--symmetric", "--colour", "white")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("all moves: ") and "among the first five" in done.stdout
    assert "white's move" in done.stdout and "black's move" not in done.stdout
    assert done.stdout.splitlines()[-1].endswith("game 1, annotated: a game-review.sgf; the page: a game-review.html")
    assert sgf.first(Path("a game-review.sgf")).moves == sgf.first(Path("a game.sgf")).moves
    command = "convsight go suggest &#39;a game.sgf&#39; --network net9.safetensors --symmetric --move"
    assert command in re.sub("</?span>", "", Path("a game-review.html").read_text())
    assert "The moves of white that it held least likely" in Path("a game-review.html").read_text()
    Path("cut.sgf").write_bytes(b"(;SZ[9]AB[ee];W[aa];B[bb];W[zz];B[cc])")
    done = convsight("go", "review", "cut.sgf", "--network", name, "--out", "new/page.html")
    assert done.returncode == 0 and "cut.sgf, game 1 ends early, after move 2: a move is at no point" in done.stdout
    assert b"W[zz]" in Path("new/page.sgf").read_bytes() and "It ends early, after move 2" in Path("new/page.html").read_text()


def test_a_game_on_nine_lines_is_that_of_the_network_for_nine_lines(convsight: Run) -> None:
    written_games(1, path="game.sgf")
    done = convsight("go", "review", "game.sgf")
    assert done.returncode == 0 and "with the network go9." in Path("game-review.html").read_text(), done.stderr
    done = convsight("go", "suggest", "game.sgf", "--network", "rl")
    assert done.returncode == 0, done.stderr


def test_filters_are_shown_as_stones_and_by_positions(convsight: Run) -> None:
    name = untrained()
    written_games(4)
    for options in ((), ("games.sgf", "--layer", "conv2", "--unit", "1")):
        done = convsight("go", "show", *options, "--network", name, "--out", "seen.png")
        assert done.returncode == 0, done.stderr
        with Image.open("seen.png") as drawn:
            drawn.load()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("train", "missing.sgf"), "there is no file missing.sgf"),
        (("train", "empty.sgf"), "there is no game on 19 lines among them"),
        (("train", "games.sgf"), "there is no game on 19 lines among them: "),
        (("train", "games.sgf", "--out", "net.pt"), "net.pt should end in .safetensors"),
        (("train", "one.sgf", "--size", "9"), "too few games to learn from and to judge by"),
        (("train", "games.sgf", "--start", "net9.safetensors", "--size", "13"), "plays on 9 lines; leave --size away"),
        (("train", "games.sgf", "--size", "4"), "greater than or equal to 5"),
        (("evaluate", "games.sgf", "--network", "digits"), "digits is no network for Go: it takes 1x28x28"),
        (("evaluate", "no.zip", "--network", "net9.safetensors"), "no.zip can't be read: File is not a zip file"),
        (("evaluate", "empty", "--network", "net9.safetensors"), "the folder empty holds no .sgf"),
        (
            ("suggest", "games.sgf", "--move", "99", "--network", "net9.safetensors"),
            "the move is from 1 to 31, not 99",
        ),
        (("suggest", "games.sgf", "--why", "z9", "--network", "net9.safetensors"), 'no point "z9" on a board of 9 lines'),
        (("suggest", "games.sgf", "--network", "net13.safetensors"), "is on 9 lines; the network plays on 13"),
        (("suggest", "empty.sgf", "--network", "net9.safetensors"), "empty.sgf holds no game"),
        (("review", "games.sgf", "--network", "net13.safetensors"), "is on 9 lines; the network plays on 13"),
        (("review", "empty.sgf", "--network", "net9.safetensors"), "empty.sgf holds no game"),
        (("review", "passes.sgf", "--network", "net9.safetensors"), "passes.sgf, game 1 has no move to review"),
        (("review", "games.sgf", "--out", "games.html"), "would take the place of games.sgf; name another page with --out"),
        (("review", "games.sgf", "--out", "games.png"), "games.png should end in .html"),
        (("show", "--unit", "1", "--network", "net9.safetensors"), "give GAMES to look through"),
        (("show", "games.sgf", "--unit", "9", "--network", "net9.safetensors"), 'layer "conv1" has no unit 9'),
        (("show", "games.sgf", "--unit", "1", "--layer", "x", "--network", "net9.safetensors"), 'no layer "x"'),
        (("match", "no-such-engine", "gnugo"), 'cannot start "no-such-engine"'),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(convsight: Run, arguments: tuple[str, ...], sentence: str) -> None:
    written_games(2)
    written_games(1, path="one.sgf")
    untrained(9)
    untrained(13)
    Path("empty.sgf").write_bytes(b"nothing")
    Path("passes.sgf").write_bytes(b"(;SZ[9];B[];W[])")
    Path("no.zip").write_bytes(b"PK no")
    Path("empty").mkdir()
    before = set(Path().rglob("*"))
    done = convsight("go", *arguments)
    assert done.returncode == 2, done.stdout
    assert sentence in done.stderr or "the referee is GNU Go" in done.stderr, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert set(Path().rglob("*")) == before
