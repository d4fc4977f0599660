"""What was measured as one HTML page: a verdict, a sentence and a plot for each property of each axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from convsight import __version__
from convsight.architecture import WHOLE, Architecture
from convsight.files import written_whole
from convsight.fit import probe, recommend
from convsight.fit.data import Samples
from convsight.fit.interval import Interval
from convsight.fit.properties import Measured
from convsight.fit.verdict import Finding

if TYPE_CHECKING:
    from convsight.fit.fitting import Fit

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 460, 204, 56, 14, 24, 40


@dataclass(frozen=True)
class Question:
    """A property of an axis as the page asks and answers it; `plot` is an SVG picture."""

    title: str
    verdict: str
    answer: str
    plot: str


def page(fit: Fit) -> str:
    """The whole page, with nothing fetched from elsewhere."""
    environment = Environment(loader=PackageLoader("convsight.fit", "."), autoescape=True, undefined=StrictUndefined)
    axes = [(each, questions(each)) for each in fit.measured]
    template = environment.get_template("report.html")
    what = (
        "the chance that a network gives the right answer"
        if fit.data.labels
        else "the part of the variance that is told, an error's square counting for two variances at most"
    )
    return template.render(
        fit=fit,
        axes=axes,
        declared=declared(fit.architecture),
        version=__version__,
        score=what,
        told=told(fit.data),
        guess=probe.guessed(fit.data),
        classes=_classes(fit.data),
    )


def told(data: Samples) -> str:
    """What the percentages are of that say how well a network does."""
    return "right" if data.labels else "of the variance told"


def write_page(fit: Fit, path: Path) -> None:
    """Write the page. Raises InputError if `path` cannot be written."""
    with written_whole(path) as temporary:
        temporary.write_text(page(fit), encoding="utf-8")


def questions(found: Measured) -> list[Question]:
    """What is asked of an axis, in the order of the lecture."""
    neighbours, chance, likely = found.resemblance
    alike = f"Neighbours resemble each other {neighbours / max(chance, 1e-9):.1f} times as much as entries that lie anywhere"
    order = f"{alike} (a random order does as well with probability {likely:.3f}). "
    pieces = found.shuffled if len(found.shuffled) > 1 else {}
    answer = partial(_answer, nothing=_NO_TIME if found.learnt else _NOTHING_LEARNT)
    return [
        Question(
            "Are the patterns much smaller than the whole?",
            found.local.verdict,
            answer("The best filter of up to a third of the axis, against the best of longer ones", found.local),
            _curve(found.reach, "how many entries a filter reaches"),
        ),
        Question(
            "Do the same patterns appear in different places?",
            found.recurs,
            answer("Filters that slide, against ones that span the axis with as many parameters", found.sliding, part=True)
            + _sentence("One set of weights for all places, against one for each", found.sharing, part=True)
            + (_served(found.transfer) + _RECUR if found.sliding.effect else "")
            + _sentence("In the whole network, filters that slide, against ones that span", found.whole)
            + _as_usual(found)
            + _instead(found)
            + (_MOVED if found.shifted else ""),
            _pairs(found.shifted),
        ),
        Question(
            "Does subsampling leave the object what it is?",
            found.subsamples.verdict,
            answer("Half of the entries, means of two, against all", found.subsamples),
            _curve(found.subsampled, "how many entries were made one"),
        ),
        Question(
            "Does pooling help?",
            found.pooled.verdict,
            answer("The best pooling, against none, with as many parameters, or 48 filters", found.pooled),
            _curve(found.pooling, "how many answers are pooled to one"),
        ),
        Question(
            "Does the order matter at all?",
            found.ordered.verdict,
            order
            + answer("The true order, against a fixed other order of the same entries", found.ordered)
            + (_PIECES if pieces else ""),
            _curve(pieces, "entries of a piece, in random order (last: as it is)"),
        ),
    ]


def declared(architecture: Architecture) -> list[str]:
    """`architecture` in words, a line a layer."""
    lines = []
    for number, each in enumerate(architecture.convolutions, start=1):
        spanned = [axis for axis, length in architecture.axes.items() if axis not in each.slides and length > 1]
        parts = [f"slide along {axis}, {length} long" for axis, length in each.slides.items()]
        parts += [f"span {axis}" for axis in spanned if number == 1]
        parts += [
            f"pooled {'whole' if factor == WHOLE else f'by {factor}'} along {axis}" for axis, factor in each.pools.items()
        ]
        lines.append(f"{each.filters} filters: {', '.join(parts)}")
    lines += [f"{width} fully connected neurons" for width in architecture.fully_connected]
    if architecture.per_point:
        count = architecture.outputs // prod(architecture.axes.values())
        return [*lines, "a number for each point" if count == 1 else f"{count} numbers for each point"]
    return [*lines, f"{architecture.outputs} output{'s' if architecture.outputs > 1 else ''}"]


def _classes(data: Samples) -> str:
    """What there is to be told, in words."""
    if not data.labels:
        return "each with a number a point to be told" if data.per_point else "each with numbers to be told"
    if data.targets.ndim == 2:
        return f"each point of one of {len(data.labels)} classes"
    return f"of {len(data.labels)} {'points' if data.per_point else 'classes'}"


_NO_TIME = "There was no time to measure this, or it can't be asked here. "
_NOTHING_LEARNT = "Small networks did not surely tell more than a guess does, so nothing can be said. "
_RECUR = "They recur if filters that slide and ones that learnt in the other half say so, and shared weights don't deny it. "
_MOVED = (
    "The plot moves what is judged, and nothing that is learnt: a network that expects a pattern at its place loses what one "
    "that looks everywhere keeps."
)
_PIECES = (
    "The plot has pieces of the axis in random order, another in each sample: where short pieces suffice, patterns are small "
    "and may be anywhere."
)


def _answer(what: str, found: Finding, *, nothing: str, part: bool = False) -> str:
    return _sentence(what, found, part=part) or nothing


def _sentence(what: str, found: Finding, *, part: bool = False) -> str:
    """`part`: of an answer that rests on several, of which each has its verdict."""
    if (effect := found.effect) is None:
        return ""
    so = f", so {found.verdict}" if part else ""
    return f"{what}: {_between(effect)}{so}. "


def _as_usual(found: Measured) -> str:
    if (more := found.as_usual) is None:
        return ""
    usual = f"filters of three entries{' and pooling by two' if found.along.pools != 1 else ''}, as is usual"
    return f"The whole network by what seemed to do best, against {usual}: {_between(more)}, so these it has. "


def _instead(found: Measured) -> str:
    if found.instead is None:
        return ""
    before, more = found.instead
    now, then = recommend.does(found), recommend.does(replace(found, along=before))
    return f"The whole network by filters that {now}, against filters that {then}: {_between(more)}, so the first it has. "


def _served(found: Finding) -> str:
    if (share := found.effect) is None:
        return (
            "Whether filters that learnt in one half of the axis serve in the other can't be told: there was no time, or a "
            "half's own don't surely bring more than ones that learnt nothing. "
        )
    return (
        f"Filters that learnt in one half of the axis, used in the other: {share.mean:.0%} (between {share.low:.0%} and "
        f"{share.high:.0%}) of what that half's own bring over ones that learnt nothing, so {found.verdict}. "
    )


def _between(effect: Interval) -> str:
    return f"{effect.mean:+.1%} (between {effect.low:+.1%} and {effect.high:+.1%})"


def _curve(points: Mapping[int, Interval], what: str) -> str:
    """Points with intervals and a line through them."""
    rows = sorted(points.items(), key=lambda each: (each[0] == WHOLE, each[0]))
    names = ["all" if each == WHOLE else str(each) for each, _ in rows]
    return _drawn(names, [[each for _, each in rows]], what)


def _pairs(shifted: Mapping[int, tuple[Interval, Interval]]) -> str:
    rows = [[each[kind] for each in shifted.values()] for kind in (0, 1)]
    kinds = "filters that slide", "filters that span"
    return _drawn([str(by) for by in shifted], rows, "by how many entries what is judged was moved", kinds=kinds)


def _drawn(names: Sequence[str], rows: Sequence[Sequence[Interval]], what: str, *, kinds: Sequence[str] = ()) -> str:
    """`rows` of points with intervals, side by side, which `kinds` name; a line goes through one alone."""
    if not names:
        return ""
    every = [each for row in rows for each in row]
    low, high = min(each.low for each in every), max(each.high for each in every)
    span = max(high - low, 0.02)
    low, high = low - 0.08 * span, low + 1.08 * span
    inner = _WIDTH - _LEFT - _RIGHT

    def x(place: int, row: int) -> float:
        return _LEFT + inner * (place + 0.5) / len(names) + (row - (len(rows) - 1) / 2) * 12

    def y(value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - value) / (high - low)

    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="score against {what}">']
    for value in (low + 0.08 * span, low + 0.58 * span, high - 0.08 * span):
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.1%}</text>')
    for number, row in enumerate(rows):
        kind = ("one", "two")[number]
        if kinds:
            middle = _LEFT + inner * (number + 0.5) / len(kinds)
            parts.append(f'<circle class="{kind}" cx="{middle - 58:.1f}" cy="7" r="4"/>')
            parts.append(f'<text x="{middle:.1f}" y="11" text-anchor="middle">{kinds[number]}</text>')
        else:
            path = " ".join(f"{x(place, number):.1f},{y(each.mean):.1f}" for place, each in enumerate(row))
            parts.append(f'<polyline class="{kind}" points="{path}"/>')
        for place, each in enumerate(row):
            at = x(place, number)
            parts.append(f'<line class="{kind}" x1="{at:.1f}" x2="{at:.1f}" y1="{y(each.low):.1f}" y2="{y(each.high):.1f}"/>')
            parts.append(f'<circle class="{kind}" cx="{at:.1f}" cy="{y(each.mean):.1f}" r="4"/>')
    for place, name in enumerate(names):
        middle = _LEFT + inner * (place + 0.5) / len(names)
        parts.append(f'<text x="{middle:.1f}" y="{_HEIGHT - 22}" text-anchor="middle">{name}</text>')
    parts.append(f'<text x="{_LEFT + inner / 2:.1f}" y="{_HEIGHT - 5}" text-anchor="middle" class="what">{what}</text></svg>')
    return "".join(parts)
