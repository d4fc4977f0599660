"""The Go Text Protocol: lines in, answers out, and analysis that goes on until the next line comes.

Source: GTP version 2, draft 2, https://www.lysator.liu.se/~gunnar/gtp/; analysis as Leela Zero (`lz-`) and KataGo (`kata-`)
write it, which Sabaki and Lizzie read.
"""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import IO

from convsight.go.arguments import COLOURS, RefusedError, colour_of
from convsight.go.engine import ANALYSES, Engine
from convsight.go.rules import PLAYER

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_KEYS = {
    "interval": 1, "ownership": 1, "avoid": 3, "allow": 3, "minmoves": 1, "maxmoves": 1, "rootInfo": 1, "pvVisits": 1,
    "movesOwnership": 1, "ownershipStdev": 1, "movesOwnershipStdev": 1,
}  # fmt: skip
_NUMBER = re.compile(r"[0-9]{1,9}")


def serve(engine: Engine, lines: Iterable[str], out: IO[str]) -> None:
    """Answer commands until quit or the end of `lines`."""
    coming: queue.Queue[str | None] = queue.Queue()

    def take_in() -> None:
        for each in lines:
            coming.put(each)
        coming.put(None)

    threading.Thread(target=take_in, daemon=True).start()
    while not engine.ended and (line := coming.get()) is not None:
        while line is not None:
            line = _answer(engine, line, coming, out)


def parsed(line: str) -> tuple[str, list[str]]:
    """The number of a command, if it has one, and its words; without comments and control characters (section 2.5)."""
    words = _UNSEEN.sub("", line).partition("#")[0].replace("\t", " ").split()
    number = words.pop(0) if words and _NUMBER.fullmatch(words[0]) else ""
    return number, words


def _answer(engine: Engine, line: str, coming: queue.Queue[str | None], out: IO[str]) -> str | None:
    """Answer one line; the line that came meanwhile and ended an analysis, if there is one."""
    number, words = parsed(line)
    if not words and not number:
        return None
    following: str | None = None
    try:
        if not words:
            raise RefusedError("unknown command")
        name, arguments = words[0], words[1:]
        if name not in ANALYSES:
            answer = engine.answer(name, arguments)
            out.write(f"={number}{' ' if answer and answer[0] != chr(10) else ''}{answer}\n\n")
        else:
            asked = _asked(engine, arguments)
            told = partial(engine.information, asked.colour, kata="kata" in name, avoided=asked.avoided, owned=asked.owned)
            games = engine.position(asked.colour)
            out.write(f"={number}\n")
            if "genmove" in name:
                out.write(f"{told(engine.outcome(games))}\nplay {engine.generate(asked.colour, asked.avoided)}\n\n")
            else:
                out.write(told(engine.player.outcome(games, foreseen=0)) + "\n")
                out.flush()
                ends = engine.player.outcome(games, stop=lambda: not coming.empty())
                following = _told_until_a_line_comes(told(ends), asked.seconds, coming, out)
    except RefusedError as error:
        out.write(f"?{number} {error}\n\n")
    out.flush()
    return following


def _told_until_a_line_comes(told: str, seconds: float, coming: queue.Queue[str | None], out: IO[str]) -> str | None:
    """Tell what the network expects, again every so many seconds, until a line comes; which is returned."""
    while True:
        if coming.empty():
            out.write(told + "\n")
            out.flush()
        try:
            following = coming.get(timeout=seconds)
        except queue.Empty:
            continue
        out.write("\n")
        out.flush()
        if following is None:
            coming.put(None)
        return following


@dataclass
class _Asked:
    """What an analysis was asked for: for whom, seconds between reports, points to leave out, whether whose points become."""

    colour: int
    seconds: float = 1.0
    avoided: set[int] = field(default_factory=set)
    owned: bool = False


def _asked(engine: Engine, arguments: list[str]) -> _Asked:
    """From `[COLOUR] [HUNDREDTHS] [KEY VALUE...]...`, where keys of a search say nothing. Raises RefusedError for others."""
    words = list(arguments)
    asked = _Asked(int(engine.games.status[0, PLAYER]))
    if words and words[0].lower() in COLOURS:
        asked.colour = colour_of(words.pop(0))
    if words and _NUMBER.fullmatch(words[0]):
        words.insert(0, "interval")
    while words:
        key = words.pop(0)
        count = _KEYS.get(key, 0)
        if not count or len(words) < count:
            raise RefusedError("syntax error")
        values, words = words[:count], words[count:]
        if key == "interval":
            if not _NUMBER.fullmatch(values[0]):
                raise RefusedError("syntax error")
            asked.seconds = max(0.01, min(int(values[0]) / 100, 3600.0))
        elif key == "ownership":
            asked.owned = values[0] == "true"
        elif key in ("avoid", "allow") and colour_of(values[0]) == asked.colour:
            points = {engine.point(each) for each in values[1].split(",")} - {engine.size**2}
            asked.avoided |= points if key == "avoid" else set(range(engine.size**2)) - points
    return asked
