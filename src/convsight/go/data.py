"""Files of game records to samples: the moves of all games, read as a stream by several processes, and a report."""

from __future__ import annotations

import multiprocessing
import signal
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from convsight.cores import cores
from convsight.errors import InputError, first_line
from convsight.go import sgf, sgf_files
from convsight.go.moves import Moves, joined, of_records
from convsight.go.samples import legal_moves

_AT_ONCE = 500


@dataclass
class Report:
    """What became of the records: how many were taken, of these ended early, how many left out, and why, with examples."""

    games: int = 0
    moves: int = 0
    ended_early: int = 0
    left_out: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)


def load(paths: Iterable[Path], size: int = 19, *, on_game: Callable[[int], None] | None = None) -> tuple[Moves, Report]:
    """The games on boards of `size` in `paths`, and what became of the others.

    From a move on that the rules forbid, or that is off the board, a game is left out. Records are read in several processes.
    `on_game(count)` is called now and then. Raises InputError as `sgf_files.texts` does, or if there is no game at all.
    """
    report, parts = Report(), []
    damaged: list[InputError] = []
    for part, news in _parsed(sgf_files.texts(paths, on_damaged=damaged.append), size):
        parts.append(part)
        report.games += news.games
        report.moves += news.moves
        report.ended_early += news.ended_early
        report.left_out += news.left_out
        report.reasons += news.reasons
        report.examples = (report.examples + news.examples)[:5]
        if on_game is not None:
            on_game(report.games + report.left_out)
    for error in damaged:
        report.left_out += 1
        report.reasons["a file that can't be read"] += 1
        report.examples = [*report.examples, str(error)][:5]
    if not report.games:
        raise InputError(f"there is no game on {size} lines among them{': ' + report.examples[0] if report.examples else ''}")
    return joined(parts), report


def _parsed(texts: Iterator[tuple[str, bytes]], size: int) -> Iterator[tuple[Moves, Report]]:
    first = list(islice(texts, _AT_ONCE))
    yield _parse(first, size)
    second = list(islice(texts, _AT_ONCE))
    if not second:
        return
    try:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(cores(), context, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN)) as pool:
            waiting = deque([pool.submit(_parse, second, size)])
            while waiting:
                while len(waiting) < 3 * cores() and (some := list(islice(texts, _AT_ONCE))):
                    waiting.append(pool.submit(_parse, some, size))
                yield waiting.popleft().result()
    except BrokenProcessPool:
        cause = "perhaps for want of memory; in a script of your own, put the call behind `if __name__ == '__main__':`"
        raise InputError(f"a process that read games was ended, {cause}") from None


def _parse(texts: Sequence[tuple[str, bytes]], size: int) -> tuple[Moves, Report]:
    report = Report()
    records: list[sgf.Record] = []

    def note(source: str, problem: str) -> None:
        report.reasons[problem] += 1
        report.examples.append(f"{source}: {problem}")

    for source, text in texts:
        try:
            record = sgf.read(text, source)
        except InputError as error:
            report.left_out += 1
            note(source, first_line(error).removeprefix(f"{source}: "))
            continue
        if record.size != size:
            report.left_out += 1
            note(source, f"a board of {record.size} lines, not {size}")
            continue
        records.append(record)
    moves = of_records(records, size)
    whole = legal_moves(moves)
    for game, record in enumerate(records):
        early = whole[game] < len(record.moves)
        report.ended_early += early or bool(record.cut)
        if early:
            note(record.source, "a move that the rules forbid")
        elif record.cut:
            note(record.source, record.cut.partition(": ")[2])
    kept = joined([moves], whole)
    report.games, report.moves = len(kept), len(kept.points)
    return kept, report
