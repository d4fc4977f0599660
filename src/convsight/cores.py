"""The processor's cores that work is shared between."""

from __future__ import annotations

import os
from itertools import pairwise


def cores() -> int:
    """How many this process may use: `taskset` and containers may allow fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shares(count: int, parts: int) -> list[tuple[int, int]]:
    """Where each of `parts` nearly equal shares of `count` things starts and ends."""
    return list(pairwise(count * each // parts for each in range(parts + 1)))
