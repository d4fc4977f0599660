"""What an engine of Go does for each command of the Go Text Protocol; `gtp` reads and writes the lines.

Source: GTP version 2, draft 2, https://www.lysator.liu.se/~gunnar/gtp/; `kata-raw-nn` and analysis as KataGo and Leela Zero
have them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from convsight.errors import InputError
from convsight.go import board, sgf
from convsight.go.arguments import RefusedError, colour_of, whole
from convsight.go.board import Games
from convsight.go.encode import planes
from convsight.go.model import by_symmetry
from convsight.go.player import RESIGN, Player
from convsight.go.playout import STATUSES, final_score, lead, statuses
from convsight.go.rules import BLACK, MOVES, PLAYER, TAKEN_BY_BLACK, TAKEN_BY_WHITE, WHITE, give_turn
from convsight.network import Network

ANALYSES = ("lz-analyze", "kata-analyze", "lz-genmove_analyze", "kata-genmove_analyze")
_VISITS = 1000  # a network without a search visits nothing; what it expects, as parts of so many


class Engine:
    """A game in progress, its player, and what each command does to them; `others`: networks for boards of other sizes."""

    def __init__(self, player: Player, *, others: Collection[Network] = (), superko: bool = False, seed: int = 0) -> None:
        self.player, self.superko = player, superko
        self.random = np.random.default_rng(seed)
        self.size = player.network.input.shape[1]
        self.networks = {each.input.shape[1]: each for each in (player.network, *others)}
        self.ended = False
        methods = [name for name in dir(self) if name.startswith("do_")]
        self.commands: dict[str, Callable[..., str]] = {name.removeprefix("do_"): getattr(self, name) for name in methods}
        self.commands["kata-raw-nn"] = self.raw
        self.before: list[Games] = []
        self.moves: list[tuple[int, int]] = []
        self._asked = b""
        self._clear()

    def answer(self, name: str, arguments: list[str]) -> str:
        """What the command `name` is answered with. Raises RefusedError if it can't be done."""
        if name not in self.commands:
            raise RefusedError("unknown command")
        command = self.commands[name]
        try:
            inspect.signature(command).bind(*arguments)
        except TypeError:
            raise RefusedError("syntax error") from None
        try:
            return command(*arguments)
        except InputError as error:
            raise RefusedError(str(error)) from None

    def do_protocol_version(self) -> str:
        return "2"

    def do_name(self) -> str:
        return "convsight"

    def do_version(self) -> str:
        return version("convsight")

    def do_known_command(self, name: str) -> str:
        return str(name in (*self.commands, *ANALYSES)).lower()

    def do_list_commands(self) -> str:
        return "\n".join(sorted([*self.commands, *ANALYSES]))

    def do_quit(self) -> str:
        self.ended = True
        return ""

    def do_boardsize(self, size: str) -> str:
        if whole(size) not in self.networks:
            raise RefusedError(f"unacceptable size (played are {' and '.join(map(str, sorted(self.networks)))} lines)")
        self.size = whole(size)
        self.player = replace(self.player, network=self.networks[self.size])
        self._clear()
        return ""

    def do_clear_board(self) -> str:
        self._clear()
        return ""

    def do_komi(self, komi: str) -> str:
        if not re.fullmatch(r"[+-]?(\d{1,4}(\.\d*)?|\.\d+)", komi):
            raise RefusedError("komi not a float")
        self.player = replace(self.player, komi=float(komi))
        return ""

    def do_play(self, colour: str, vertex: str) -> str:
        self._play(colour_of(colour), self.point(vertex))
        return ""

    def do_genmove(self, colour: str) -> str:
        return self.generate(colour_of(colour))

    def do_reg_genmove(self, colour: str) -> str:
        return self._said(replace(self.player, temperature=0.0).choose(self.position(colour_of(colour)), self.random))

    def do_undo(self) -> str:
        if not self.before:
            raise RefusedError("cannot undo")
        self.games = self.before.pop()
        self.moves.pop()
        return ""

    def do_fixed_handicap(self, stones: str) -> str:
        return self._handicap(board.handicap(self.size, whole(stones)))

    def do_place_free_handicap(self, stones: str) -> str:
        count = whole(stones)
        if not 2 <= count < self.size * self.size:
            raise RefusedError("invalid number of stones")
        self._check_empty()
        fixed = board.most_handicap(self.size)
        chosen = board.handicap(self.size, min(count, fixed)) if fixed else []
        games = board.new(1, self.size)
        while len(chosen) < count:
            board.set_up(games, chosen, BLACK)
            prior = self.player.prior(games)[0]
            if not prior.any():
                break
            chosen.append(int(prior.argmax()))
        return self._handicap(chosen)

    def do_set_free_handicap(self, *vertices: str) -> str:
        points = [self.point(each) for each in vertices]
        if len(points) < 2 or len({*points}) < len(points) or self.size**2 in points or len(points) >= self.size**2:
            raise RefusedError("bad vertex list")
        self._handicap(points)
        return ""

    def do_loadsgf(self, path: str, number: str = "") -> str:
        until = whole(number) if number else None
        try:
            record = sgf.first(Path(path))
        except InputError:
            raise RefusedError("cannot load file") from None
        moves = record.moves[: None if until is None else until - 1]
        beyond = record.cut and (until is None or until > len(record.moves) + 1)
        if record.size not in self.networks or (until is not None and until < 1) or beyond:
            raise RefusedError("cannot load file")
        kept = self.size, self.player, self.games, self.before, self.moves
        self.do_boardsize(str(record.size))
        for colour, point in record.stones:
            board.set_up(self.games, [point], colour)
        try:
            for colour, point in moves:
                self._play(colour, point)
        except RefusedError:
            self.size, self.player, self.games, self.before, self.moves = kept
            raise RefusedError("cannot load file") from None
        if record.komi is not None:
            self.player = replace(self.player, komi=record.komi)
        give_turn(self.games.status[0], record.to_play(len(self.moves) + 1))
        return ""

    def do_showboard(self) -> str:
        letters = "   " + " ".join(sgf.LETTERS[: self.size])
        rows = [
            f"{self.size - row:2d} {' '.join('.XO'[colour] for colour in line)} {self.size - row:<2d}".rstrip()
            for row, line in enumerate(self.games.board()[0])
        ]
        status = self.games.status[0]
        taken = f"black (X) has taken {status[TAKEN_BY_BLACK]}, white (O) {status[TAKEN_BY_WHITE]}"
        to_play = "black to play" if status[PLAYER] == BLACK else "white to play"
        return "\n".join(["", letters, *rows, letters, f"{taken}; {to_play}"])

    def do_final_score(self) -> str:
        score = final_score(self.games, self.player.komi, self.outcome(self.games))
        return "0" if score == 0 else f"{'B' if score > 0 else 'W'}+{abs(score):g}"

    def do_final_status_list(self, status: str) -> str:
        if status not in STATUSES:
            raise RefusedError("invalid status")
        chains = statuses(self.games, self.outcome(self.games))[status]
        return "\n".join(" ".join(sgf.named(point, self.size) for point in chain) for chain in chains)

    def do_time_settings(self, main: str, byo_yomi: str, stones: str) -> str:
        for each in (main, byo_yomi, stones):
            whole(each)
        return ""

    def do_time_left(self, colour: str, seconds: str, stones: str) -> str:
        colour_of(colour)
        for each in (seconds, stones):
            whole(each)
        return ""

    def raw(self, symmetry: str) -> str:
        """KataGo's form of what the network says, for the player to move: NAN where a move isn't legal."""
        if symmetry not in (*"01234567", "all"):
            raise RefusedError("symmetry is from 0 to 7, or all")
        given = torch.from_numpy(planes(self.games, self.player.network.input.shape[0]))
        answers = by_symmetry(self.player.network, given)[:, 0].tolist()
        legal = board.legal(self.games)[0]
        _, wins = lead(self.player.komi, self.outcome(self.games))
        ends = [f"whiteWin {1 - wins:.6f}", f"whiteLoss {wins:.6f}", "noResult 0.000000", "policy"]
        told = []
        for each in range(8) if symmetry == "all" else [int(symmetry)]:
            cells = [f"{part:.6f}" if allowed else "NAN" for part, allowed in zip(answers[each], legal[:-1], strict=True)]
            rows = [" ".join(cells[start : start + self.size]) for start in range(0, len(cells), self.size)]
            told += [f"symmetry {each}", *ends, *rows, "policyPass 0.000000"]
        return "\n".join(told)

    def position(self, colour: int) -> Games:
        """The board as `colour` sees it that is to move; ko binds only who is next."""
        games = self.games.copy()
        give_turn(games.status[0], colour)
        return games

    def outcome(self, games: Games) -> NDArray[np.float32]:
        """`Player.outcome`, and at once if that position was the last one asked for."""
        asked = games.colours.tobytes() + games.status.tobytes() + games.past.tobytes()
        if asked != self._asked:
            self._asked, self._outcome = asked, self.player.outcome(games)
        return self._outcome

    def information(
        self, colour: int, ends: NDArray[np.float32], *, kata: bool, avoided: Collection[int] = (), owned: bool = False
    ) -> str:
        """The line of an analysis: the moves that `colour` would play, the likeliest first; numbers as KataGo or Leela Zero.

        `ends`: what `outcome` says of the position. `avoided`: points to leave out. `owned`: also say whose each point becomes,
        for `colour`.
        """
        games = self.position(colour)
        prior = self.player.prior(games)[0]
        prior[list(avoided)] = 0
        ahead, wins = lead(self.player.komi, ends, colour)
        likely = [
            (int(point), float(prior[point])) for point in np.argsort(-prior, kind="stable")[:20] if prior[point] > 0.0005
        ]
        told = []
        for order, (point, chance) in enumerate(likely or [(self.size**2, 1.0)]):
            name = sgf.named(point, self.size)
            rate, expected = (f"{each:.6f}" if kata else f"{10000 * each:.0f}" for each in (wins, chance))
            lead_of = f"scoreLead {ahead:.1f} " if kata else ""
            told.append(
                f"info move {name} visits {max(1, round(_VISITS * chance))} winrate {rate} {lead_of}"
                f"prior {expected} lcb {rate} order {order} pv {name}"
            )
        if owned:
            mean = ends[0].mean(0).reshape(-1) * (1 if colour == BLACK else -1)
            told.append("ownership " + " ".join(f"{each:.3f}" for each in mean))
        return " ".join(told)

    def generate(self, colour: int, avoided: Collection[int] = ()) -> str:
        """Choose a move for `colour`, none of the points `avoided`, and play it: its name, or resign."""
        point = self.player.choose(self.position(colour), self.random, avoided)
        if point != RESIGN:
            self._play(colour, point)
        return self._said(point)

    def _said(self, point: int) -> str:
        return "resign" if point == RESIGN else sgf.named(point, self.size)

    def _play(self, colour: int, point: int) -> None:
        games = self.position(colour)
        if board.play(games, [point])[0] < 0:
            raise RefusedError("illegal move")
        self.before.append(self.games)
        self.moves.append((colour, point))
        self.games = games

    def point(self, vertex: str) -> int:
        """The point that `vertex` names. Raises RefusedError if there is none."""
        try:
            return sgf.of_name(vertex, self.size)
        except InputError:
            raise RefusedError("invalid color or coordinate") from None

    def _handicap(self, points: list[int]) -> str:
        self._check_empty()
        board.set_up(self.games, points, BLACK)
        self.games.status[0, PLAYER] = WHITE
        return " ".join(sgf.named(point, self.size) for point in points)

    def _check_empty(self) -> None:
        if self.games.status[0, MOVES] or self.games.board().any():
            raise RefusedError("board not empty")

    def _clear(self) -> None:
        self.games = board.new(1, self.size, superko=self.superko)
        self.before, self.moves = [], []
