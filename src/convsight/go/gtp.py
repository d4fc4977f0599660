"""The Go Text Protocol: lines in, answers out, and analysis that goes on until the next line comes.

Source: GTP version 2, draft 2, https://www.lysator.liu.se/~gunnar/gtp/; analysis as Leela Zero (`lz-`) and KataGo (`kata-`)
write it, which Sabaki and Lizzie read.
"""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Iterable
from typing import IO

from convsight.go.engine import ANALYSES, COLOURS, Engine, RefusedError, colour_of
from convsight.go.rules import PLAYER

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
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
            colour, seconds = _asked(engine, arguments)
            out.write(f"={number}\n")
            if "genmove" in name:
                out.write(engine.information(colour, kata=name.startswith("kata")) + "\n")
                out.write(f"play {engine.generate(colour)}\n\n")
            else:
                following = _analyse(engine, colour, seconds, coming, out, kata=name.startswith("kata"))
    except RefusedError as error:
        out.write(f"?{number} {error}\n\n")
    out.flush()
    return following


def _analyse(
    engine: Engine, colour: int, seconds: float, coming: queue.Queue[str | None], out: IO[str], *, kata: bool
) -> str | None:
    """Tell what the network expects, again every so many seconds, until a line comes; which is returned."""
    told = engine.information(colour, kata=kata)
    while True:
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


def _asked(engine: Engine, arguments: list[str]) -> tuple[int, float]:
    """The colour and the seconds between reports of an analysis, from `[COLOUR] [interval] [HUNDREDTHS] [KEY VALUE]...`."""
    colour = int(engine.games.status[0, PLAYER])
    if arguments and arguments[0].lower() in COLOURS:
        colour = colour_of(arguments.pop(0))
    if arguments and arguments[0] == "interval":
        arguments.pop(0)
    hundredths = int(arguments[0]) if arguments and _NUMBER.fullmatch(arguments[0]) else 100
    return colour, max(0.01, min(hundredths / 100, 3600.0))
