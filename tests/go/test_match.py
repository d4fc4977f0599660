from __future__ import annotations

import shutil
import sys
from pathlib import Path
from time import monotonic

import pytest
from scipy.stats import binomtest

from convsight import save
from convsight.errors import InputError
from convsight.go import match as matches
from convsight.go import model, sgf
from convsight.go.match import FailedError, Program, match, wilson

PASSER = """
import sys
for line in sys.stdin:
    command = line.split()[0]
    answers = {"genmove": MOVE, "quit": ""}
    if command == "genmove" and MOVE == "hang":
        continue
    if command == "genmove" and MOVE == "crash":
        raise SystemExit(1)
    print("=", answers.get(command, ""), end="\\n\\n", flush=True)
"""


def engine(move: str) -> str:
    """A program of GTP that answers every genmove so."""
    name = "".join(each for each in move if each.isalnum())
    Path(f"{name}.py").write_text(PASSER.replace("MOVE", repr(move.replace("\\n", "\n"))))
    return f"{sys.executable} {name}.py"


@pytest.fixture
def _referee() -> None:
    if not (shutil.which("gnugo") or shutil.which("gnugo", path="/usr/games")):
        pytest.skip("there is no GNU Go")


@pytest.mark.parametrize(("wins", "games"), [(0, 10), (10, 10), (3, 20), (187, 200)])
def test_the_interval_is_wilsons(wins: int, games: int) -> None:
    theirs = binomtest(wins, games).proportion_ci(0.95, method="wilson")
    assert wilson(wins, games) == pytest.approx((theirs.low, theirs.high), abs=1e-4)


def test_a_program_that_crashes_hangs_or_refuses_fails_and_starts_again() -> None:
    for command, problem in ((engine("crash"), "crashed"), (engine("hang"), "took longer than 0.5 s for genmove black")):
        program = Program(command, seconds=0.5 if "hang" in command else 30)
        with pytest.raises(FailedError, match=problem):
            program.ask("genmove black")
        program.seconds = 30
        assert program.ask("name") == ""
        program.stop()
    with pytest.raises(InputError, match='cannot start "no-such-engine --gtp": No such file'):
        Program("no-such-engine --gtp").ask("name")


def test_what_a_program_has_started_ends_with_it_and_lines_without_end_are_too_late() -> None:
    for script in ("sleep 60 & wait", "read x; while true; do echo more; done"):
        Path("wrap.sh").write_text(f"{script}\n")
        program = Program("sh wrap.sh", seconds=0.5)
        started = monotonic()
        with pytest.raises(FailedError, match=r"took longer than 0\.5 s for name"):
            program.ask("name")
        assert monotonic() - started < 20
    with pytest.raises(InputError, match='cannot start ""'):
        Program("").ask("name")


def test_an_answer_of_two_lines_costs_that_game_only(_referee: None) -> None:
    tally = match(engine("D4\\nname"), engine("pass"), 2, size=9, komi=0.5)
    assert tally.losses == 2 and all('there is no point "D4' in each for each in tally.failures)
    assert not any("\n" in each for each in tally.failures)


def test_what_a_program_says_before_it_crashes_is_told(_referee: None) -> None:
    Path("tells.py").write_text("raise SystemExit('no such network')")
    with pytest.raises(InputError, match=r"tells\.py\" crashed: no such network"):
        match(f"{sys.executable} tells.py", engine("pass"), 2, size=9)


def test_a_referee_that_fails_is_no_players_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("referee.py").write_text(PASSER.replace('"genmove" and MOVE == "crash"', '"final_score"').replace("MOVE", "''"))
    monkeypatch.setattr(matches, "gnu_go", lambda: f"{sys.executable} referee.py")
    with pytest.raises(InputError, match="the referee, GNU Go, crashed"):
        match(engine("PASS"), engine("Pass"), 1, size=9)


def test_answers_in_another_encoding_are_answers() -> None:
    Path("latin.sh").write_text("read x; printf '= \\377\\376\\n\\n'; sleep 9\n")
    program = Program("sh latin.sh", seconds=30)
    assert program.ask("name") == "\ufffd\ufffd"
    program.stop()


@pytest.mark.parametrize(
    ("move", "result", "failure"),
    [
        ("resign", "Resign", ""),
        ("crash", "Forfeit", "crashed"),
        ("hang", "Forfeit", "took longer than 2 s for genmove"),
        ("a1", "Forfeit", "played a1, which is not allowed"),
        ("Z99", "Forfeit", 'there is no point "Z99"'),
    ],
)
def test_who_gives_up_or_fails_loses(_referee: None, move: str, result: str, failure: str) -> None:
    tally = match(engine(move), engine("PASS"), 2, size=9, seconds=2, folder=Path("games"))
    if move == "a1":  # its first stone is legal, its second no longer
        assert tally.losses == 2
    assert (tally.wins, tally.losses, tally.draws) == (0, 2, 0)
    assert [each.result for each in tally.games] == [f"W+{result}", f"B+{result}"]
    assert len(tally.failures) == (2 if failure else 0) and all(failure in each for each in tally.failures)
    written = [sgf.read(path.read_bytes()) for path in sorted(Path("games").iterdir())]
    assert [each.result for each in written] == [each.result for each in tally.games]


def test_two_that_pass_are_counted_by_the_referee(_referee: None) -> None:
    tally = match(engine("PASS"), engine("pass"), 2, size=9, komi=0.5)
    first, second = (each.result for each in tally.games)
    assert first == second and first[:2] in ("B+", "W+")
    assert (tally.wins, tally.losses, tally.different()) == (1, 1, 1)
    assert tally.rate == 0.5


@pytest.mark.slow
def test_a_network_and_gnu_go_play_to_the_end(_referee: None) -> None:
    save(model.untrained(model.policy(width=8, depth=2, size=9)), "small.safetensors")
    ours = f"{sys.executable} -m convsight go gtp --network small.safetensors"
    gnugo = shutil.which("gnugo") or "/usr/games/gnugo"
    tally = match(ours, f"{gnugo} --mode gtp --chinese-rules --level 1", 2, size=9)
    assert not tally.failures
    assert tally.losses + tally.wins == 2 and all(len(each.moves) > 20 for each in tally.games)


def test_without_gnu_go_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_args, **_more: None)
    with pytest.raises(InputError, match="the referee is GNU Go, which isn't here; on Debian: apt install gnugo"):
        match("one", "two", 1)
