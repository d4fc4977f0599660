"""GNU Go 3.8, an independent program that knows the rules of Go, asked over GTP.

Sources: GTP version 2, https://www.lysator.liu.se/~gunnar/gtp/; the commands that only GNU Go has are described in its manual,
https://www.gnu.org/software/gnugo/gnugo_19.html. By default it forbids suicide of any size and retaking a ko at once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest

COLOURS = {1: "black", 2: "white"}
_LETTERS = "ABCDEFGHJKLMNOPQRST"
_AT_ONCE = 16_384  # bytes of commands that are sent before their answers are read; a pipe holds more than that


class RefusedError(Exception):
    """GNU Go answered a command with an error."""


class GnuGo:
    """A running GNU Go."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def answers(self, commands: Iterable[str]) -> list[str]:
        """What it says to each of the commands; an error begins with a question mark."""
        answers: list[str] = []
        waiting: list[str] = []
        length = 0
        for command in commands:
            waiting.append(command)
            length += len(command) + 1
            if length > _AT_ONCE:
                answers += self._exchange(waiting)
                waiting, length = [], 0
        return answers + self._exchange(waiting)

    def ask(self, *commands: str) -> str:
        """What it says to the last of the commands. Raises RefusedError if it refuses one of them."""
        answers = self.answers(commands)
        for command, answer in zip(commands, answers, strict=True):
            if answer.startswith("?"):
                raise RefusedError(f"{command}: {answer}")
        return answers[-1]

    def _exchange(self, commands: list[str]) -> list[str]:
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{command}\n" for command in commands))
        self._process.stdin.flush()
        return [self._answer(command) for command in commands]

    def _answer(self, command: str) -> str:
        assert self._process.stdout is not None
        lines: list[str] = []
        while (line := self._process.stdout.readline()) != "\n":
            if not line:
                raise EOFError(f"GNU Go ended at: {command}")
            lines.append(line)
        text = "".join(lines).strip()
        return text if text.startswith("?") else text.removeprefix("=").strip()


@contextmanager
def gnugo(*options: str) -> Iterator[GnuGo]:
    """GNU Go with Chinese rules and `options`. The test is skipped where it isn't installed."""
    program = shutil.which("gnugo", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/games"]))
    if program is None:
        pytest.skip("GNU Go is not installed")
    arguments = [program, "--mode", "gtp", "--chinese-rules", *options]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield GnuGo(process)
        finally:
            process.kill()


def vertex(point: int, size: int) -> str:
    """A point, or size^2 for a pass, as GTP says it."""
    return "pass" if point == size * size else f"{_LETTERS[point % size]}{size - point // size}"


def points(answer: str, size: int) -> set[int]:
    """The points of an answer that lists vertices."""
    return {(size - int(name[1:])) * size + _LETTERS.index(name[0]) for name in answer.split()}
