"""How long something takes, and by how much it makes a process grow."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from statistics import median
from threading import Event, Thread
from time import perf_counter

import psutil


def timed(run: Callable[[], object]) -> float:
    """Seconds that `run` takes."""
    started = perf_counter()
    run()
    return perf_counter() - started


def ratio(theirs: Sequence[float], ours: Sequence[float]) -> float:
    """How many times as long the first took, in the median of the rounds: each beside its neighbour in time."""
    return median(first / second for first, second in zip(theirs, ours, strict=True))


def growth_megabytes(run: Callable[[], object]) -> float:
    """By how much this process grows at most during `run`, looked at every five milliseconds."""
    process = psutil.Process()
    before = process.memory_info().rss
    return float(_peak(run, lambda: int(process.memory_info().rss), seconds=0.005) - before) / 1e6


def peak_of_all_processes(run: Callable[[], object]) -> float:
    """Megabytes that this process and those it starts hold at most during `run`, shared pages counted once."""

    def held() -> int:
        total = 0
        for each in (psutil.Process(), *psutil.Process().children(recursive=True)):
            with suppress(psutil.Error):
                total += each.memory_full_info().pss
        return total

    return _peak(run, held, seconds=0.5) / 1e6


def _peak(run: Callable[[], object], held: Callable[[], int], *, seconds: float) -> int:
    """The most that `held` says during `run`, asked every so many `seconds`, and before."""
    done, peak = Event(), held()

    def watch() -> None:
        nonlocal peak
        while not done.wait(seconds):
            peak = max(peak, held())

    watcher = Thread(target=watch)
    watcher.start()
    try:
        run()
    finally:
        done.set()
        watcher.join()
    return peak


def in_a_process_of_its_own(script: str, *arguments: str) -> float:
    """The number that `python script --only ARGUMENTS` prints last."""
    command = [sys.executable, script, "--only", *arguments]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])
