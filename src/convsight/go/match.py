"""Matches between two programs that speak GTP, with GNU Go as referee.

A program that crashes, answers too late, or plays what the referee forbids loses that game; it is started anew for the next.
"""

from __future__ import annotations

import math
import os
import queue
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import IO

from convsight.errors import InputError, first_line
from convsight.go import sgf
from convsight.go.rules import BLACK, WHITE

NAMES = {BLACK: "black", WHITE: "white"}


class FailedError(Exception):
    """Why a program can't go on with a game."""


class RefusedError(FailedError):
    """What a program said to a command that it won't do; it goes on."""


class Program:
    """A program that speaks GTP on its standard input and output; started when first asked, and again after it failed."""

    def __init__(self, command: str, *, seconds: float = 60.0) -> None:
        self.command, self.seconds = command, seconds
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._complaints: IO[bytes] | None = None

    def ask(self, command: str) -> str:
        """The answer to `command`.

        Raises RefusedError if the program refuses, and FailedError if it ends, or takes longer than its `seconds`.
        """
        process = self._process or self._start()
        try:
            assert process.stdin is not None
            process.stdin.write(command + "\n")
            process.stdin.flush()
        except OSError:
            raise self._crashed() from None
        told: list[str] = []
        until = monotonic() + self.seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.001, until - monotonic()))
            except queue.Empty:
                line = None
            if monotonic() > until:
                self.stop()
                raise FailedError(f"took longer than {self.seconds:g} s for {command}") from None
            if line is None:
                raise self._crashed()
            if line.strip():
                told.append(line.rstrip())
            elif told:
                break
        answer = "\n".join([told[0][1:].strip(), *told[1:]])
        if told[0][0] != "=":
            raise RefusedError(f"refused {command}: {first_line(ValueError(answer))}")
        return answer

    def stop(self) -> None:
        """End the program and what it has started, if it runs."""
        if self._process is not None:
            if os.name == "posix":
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
            with suppress(subprocess.TimeoutExpired):
                self._process.communicate(timeout=5)
            self._process = None
        if self._complaints is not None:
            self._complaints.close()
            self._complaints = None

    def _crashed(self) -> FailedError:
        assert self._process is not None and self._complaints is not None
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        self._complaints.seek(0)
        said = self._complaints.read().decode(errors="replace").strip().splitlines()
        self.stop()
        return FailedError(f"crashed: {said[-1].strip()}" if said else "crashed")

    def _start(self) -> subprocess.Popen[str]:
        complaints = tempfile.TemporaryFile()  # noqa: SIM115 (it stays as long as the program)
        try:
            process = subprocess.Popen(
                shlex.split(self.command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints,
                encoding="utf-8", errors="replace", start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError, IndexError) as error:
            complaints.close()
            raise InputError(f'cannot start "{self.command}": {getattr(error, "strerror", None) or error}') from None
        lines: queue.Queue[str | None] = queue.Queue()

        def take_in() -> None:
            assert process.stdout is not None
            with suppress(ValueError):  # the pipe is closed when the program is stopped
                for line in process.stdout:
                    lines.put(line)
            lines.put(None)

        threading.Thread(target=take_in, daemon=True).start()
        self._process, self._lines, self._complaints = process, lines, complaints
        return process


@dataclass
class Tally:
    """How a match stands, from the first program's side; `failures` say what went wrong, `games` are the records."""

    wins: int = 0
    losses: int = 0
    draws: int = 0
    failures: list[str] = field(default_factory=list)
    games: list[sgf.Record] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Part of the games won, a draw as half of one."""
        return (self.wins + self.draws / 2) / max(1, len(self.games))

    def interval(self) -> tuple[float, float]:
        """Of `rate`, with 95% confidence."""
        return wilson(self.wins + self.draws / 2, len(self.games))

    def different(self) -> int:
        """How many of the games are not one and the same as another; two programs without chance play two."""
        return len({each.moves for each in self.games})


def wilson(wins: float, games: int, z: float = 1.96) -> tuple[float, float]:
    """The interval in which a rate lies that was seen as `wins` of `games`. Source: Wilson 1927."""
    if games == 0:
        return 0.0, 1.0
    rate = wins / games
    middle = rate + z * z / (2 * games)
    spread = z * math.sqrt(rate * (1 - rate) / games + z * z / (4 * games * games))
    whole = 1 + z * z / games
    return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)


def match(
    first: str,
    second: str,
    games: int,
    *,
    size: int = 19,
    komi: float = 7.5,
    seconds: float = 60.0,
    folder: Path | None = None,
    on_game: Callable[[int, Tally], None] | None = None,
) -> Tally:
    """Let the programs that the command lines `first` and `second` start play `games`, the first with black, then in turn.

    `seconds`: how long a program may take for an answer. `folder`: where a record of each game goes. `on_game(count, tally)` is
    called after each. Raises InputError if a program can't be started or refuses the size, or GNU Go, the referee, isn't here
    or fails.
    """
    referee = Program(gnu_go(), seconds=120)
    programs = [Program(first, seconds=seconds), Program(second, seconds=seconds)]
    tally = Tally()
    try:
        for each in programs:
            try:
                each.ask("name")
                each.ask(f"boardsize {size}")
            except FailedError as error:
                raise InputError(f'"{each.command}" {error}') from None
        for number in range(games):
            black = number % 2
            record, winner, failure = play_game((programs[black], programs[1 - black]), referee, size=size, komi=komi)
            tally.games.append(record)
            if winner is None:
                tally.draws += 1
            elif (winner == BLACK) == (black == 0):
                tally.wins += 1
            else:
                tally.losses += 1
            if failure:
                tally.failures.append(f"game {number + 1}: {failure}")
            if folder is not None:
                names = (programs[black].command, programs[1 - black].command)
                sgf.write(record, folder / f"{number + 1:04d}.sgf", names=names)
            if on_game is not None:
                on_game(number + 1, tally)
    finally:
        for each in (*programs, referee):
            each.stop()
    return tally


def gnu_go() -> str:
    """The command that starts GNU Go with area rules. Raises InputError if it isn't here."""
    found = shutil.which("gnugo") or shutil.which("gnugo", path="/usr/games")
    if found is None:
        raise InputError("the referee is GNU Go, which isn't here; on Debian: apt install gnugo")
    return f"{found} --mode gtp --chinese-rules"


def play_game(players: Sequence[Program], referee: Program, *, size: int, komi: float) -> tuple[sgf.Record, int | None, str]:
    """One game of black and white: its record, who won (None: nobody), and what went wrong, or an empty text.

    It ends when both pass, one gives up or fails, or after 3 moves a point; then the referee counts the area.
    Raises InputError if the referee fails.
    """
    moves: list[tuple[int, int]] = []

    def ended(result: str, winner: int | None, failure: str = "") -> tuple[sgf.Record, int | None, str]:
        return sgf.Record(size, (), tuple(moves), komi, result), winner, failure

    for command in (f"boardsize {size}", "clear_board", f"komi {komi:g}"):
        _ruled(referee, command)
        for colour, player in zip((BLACK, WHITE), players, strict=True):
            try:
                player.ask(command)
            except FailedError as error:
                return ended(f"{'WB'[colour - 1]}+Forfeit", 3 - colour, f"{NAMES[colour]} {error}")
    passes = 0
    while passes < 2 and len(moves) < 3 * size * size:
        colour = BLACK if len(moves) % 2 == 0 else WHITE
        own, other = players[colour - 1], players[2 - colour]
        lost = f"{'WB'[colour - 1]}+"
        try:
            vertex = own.ask(f"genmove {NAMES[colour]}")
            if vertex.lower() == "resign":
                return ended(lost + "Resign", 3 - colour)
            point = sgf.of_name(vertex, size)
        except (FailedError, InputError) as error:
            return ended(lost + "Forfeit", 3 - colour, f"{NAMES[colour]} {first_line(error)}")
        command = f"play {NAMES[colour]} {sgf.named(point, size)}"
        try:
            _ruled(referee, command)
        except RefusedError:
            return ended(lost + "Forfeit", 3 - colour, f"{NAMES[colour]} played {vertex}, which is not allowed")
        moves.append((colour, point))
        passes = passes + 1 if point == size * size else 0
        try:
            other.ask(command)
        except FailedError as error:
            return ended(f"{'BW'[colour - 1]}+Forfeit", colour, f"{NAMES[3 - colour]} {error}")
    score = _ruled(referee, "final_score")
    winner = {"B": BLACK, "W": WHITE}.get(score[:1].upper())
    return ended(score, winner)


def _ruled(referee: Program, command: str) -> str:
    """What the referee answers. Raises RefusedError for a move that isn't allowed, InputError if it fails."""
    try:
        return referee.ask(command)
    except FailedError as error:
        if isinstance(error, RefusedError) and command.startswith("play"):
            raise
        raise InputError(f"the referee, GNU Go, {error}; the games so far are kept") from None
