"""Scores with their intervals, as SVG pictures that the report's style colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor, log10

from convsight.architecture import WHOLE
from convsight.fit.interval import Interval

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM, _LEGEND = 460, 190, 56, 14, 10, 40, 16
_LEAST_SPAN = 0.02
_TICKS = 6  # at most, about


def curve(points: Mapping[int, Interval], what: str) -> str:
    """A line through the scores at `points`, all there is last; `what` they are is written below. Nothing without points."""
    rows = sorted(points.items(), key=lambda each: (each[0] == WHOLE, each[0]))
    names = ["all" if each == WHOLE else str(each) for each, _ in rows]
    return _drawn(names, [[each for _, each in rows]], what)


def pairs(points: Mapping[int, tuple[Interval, Interval]], kinds: tuple[str, str], what: str) -> str:
    """Two scores side by side at each of `points`; `kinds` names the two. Nothing without points."""
    rows = [[each[kind] for each in points.values()] for kind in (0, 1)]
    return _drawn([str(each) for each in points], rows, what, kinds)


def _drawn(names: Sequence[str], rows: Sequence[Sequence[Interval]], what: str, kinds: Sequence[str] = ()) -> str:
    """`rows` of points with intervals, which `kinds` name; a line goes through one alone."""
    if not names:
        return ""
    every = [each for row in rows for each in row]
    low, high = min(each.low for each in every), max(each.high for each in every)
    span = max(high - low, _LEAST_SPAN)
    low, high = low - 0.08 * span, low + 1.08 * span
    top = _TOP + (_LEGEND if kinds else 0)
    inner, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT + top - _TOP

    def x(place: int, row: int) -> float:
        return _LEFT + inner * (place + 0.5) / len(names) + (row - (len(rows) - 1) / 2) * 12

    def y(value: float) -> float:
        return top + (height - top - _BOTTOM) * (high - value) / (high - low)

    parts = [f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="score against {what}">']
    ticks, digits = _ticks(low, high)
    for value in ticks:
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.{digits}%}</text>')
    for number, row in enumerate(rows):
        kind = ("one", "two")[number]
        if kinds:
            left = _LEFT + inner * number / len(kinds) + 24
            parts.append(f'<circle class="{kind}" cx="{left:.1f}" cy="10" r="4"/>')
            parts.append(f'<text x="{left + 10:.1f}" y="14">{kinds[number]}</text>')
        else:
            path = " ".join(f"{x(place, number):.1f},{y(each.mean):.1f}" for place, each in enumerate(row))
            parts.append(f'<polyline class="{kind}" points="{path}"/>')
        for place, each in enumerate(row):
            at = x(place, number)
            parts.append(f'<line class="{kind}" x1="{at:.1f}" x2="{at:.1f}" y1="{y(each.low):.1f}" y2="{y(each.high):.1f}"/>')
            parts.append(f'<circle class="{kind}" cx="{at:.1f}" cy="{y(each.mean):.1f}" r="4"/>')
    for place, name in enumerate(names):
        middle = _LEFT + inner * (place + 0.5) / len(names)
        parts.append(f'<text x="{middle:.1f}" y="{height - 22}" text-anchor="middle">{name}</text>')
    parts.append(f'<text x="{_LEFT + inner / 2:.1f}" y="{height - 5}" text-anchor="middle">{what}</text></svg>')
    return "".join(parts)


def _ticks(low: float, high: float) -> tuple[list[float], int]:
    """Round values between `low` and `high`, and how many digits they have as percentages."""
    least = (high - low) / _TICKS
    power = 10.0 ** floor(log10(least))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= least)
    count = range(ceil(low / step), floor(high / step) + 1)
    return [each * step for each in count], max(0, -floor(log10(100 * step) + 1e-9))
