"""How long something takes, and by how much it makes a process grow."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
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
    before = peak = process.memory_info().rss
    done = Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.005):
            peak = max(peak, process.memory_info().rss)

    watcher = Thread(target=watch)
    watcher.start()
    run()
    done.set()
    watcher.join()
    return float(peak - before) / 1e6


def in_a_process_of_its_own(script: str, *arguments: str) -> float:
    """The number that `python script --only ARGUMENTS` prints last."""
    command = [sys.executable, script, "--only", *arguments]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])
