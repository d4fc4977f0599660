"""What was measured as one HTML page: a verdict, a sentence and a plot for each property of each axis."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from convsight import __version__
from convsight.architecture import WHOLE, Architecture, lengths
from convsight.files import written_whole
from convsight.fit import plot, probe, recommend
from convsight.fit.data import Samples
from convsight.fit.interval import Interval
from convsight.fit.properties import Measured
from convsight.fit.verdict import Finding

if TYPE_CHECKING:
    from convsight.fit.fitting import Fit


@dataclass(frozen=True)
class Question:
    """A property of an axis as the page asks and answers it; `plot` is an SVG picture.

    `parts`: where the verdict rests on several comparisons, what each compares, what came of it, and its own verdict.
    """

    title: str
    verdict: str
    answer: str
    plot: str
    parts: tuple[tuple[str, str, str], ...] = ()


def page(fit: Fit) -> str:
    """The whole page, with nothing fetched from elsewhere."""
    environment = Environment(loader=PackageLoader("convsight.fit", "."), autoescape=True, undefined=StrictUndefined)
    axes = [(each, questions(each)) for each in fit.measured]
    environment.filters["typeset"] = _typeset
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
    nothing = _NO_TIME if found.learnt else _NOTHING_LEARNT
    answer = partial(_answer, nothing=nothing)
    return [
        Question(
            "Are the patterns much smaller than the whole?",
            found.local.verdict,
            answer("The best filter of up to a third of the axis, against the best of longer ones", found.local),
            plot.curve(found.reach, "how many entries a filter reaches"),
        ),
        Question(
            "Do the same patterns appear in different places?",
            found.recurs,
            (_recur(found) if found.sliding.effect else nothing)
            + _sentence("In the whole network, filters that slide, against ones that span", found.whole)
            + _as_usual(found)
            + _instead(found)
            + (_MOVED if found.shifted else ""),
            plot.pairs(
                found.shifted, ("filters that slide", "filters that span"), "by how many entries what is judged was moved"
            ),
            _compared(found) if found.sliding.effect else (),
        ),
        Question(
            "Does half the detail tell as much (subsampling)?",
            found.subsamples.verdict,
            answer("Half of the entries, means of two, against all", found.subsamples),
            plot.curve(found.subsampled, "how many entries were made one"),
        ),
        Question(
            "Does pooling help?",
            found.pooled.verdict,
            answer("The best pooling, against none, with as many parameters (but 48 filters at most)", found.pooled),
            plot.curve(found.pooling, "how many answers are pooled to one"),
        ),
        Question(
            "Does the order matter at all?",
            found.ordered.verdict,
            order
            + answer("The true order, against a fixed other order of the same entries", found.ordered)
            + (_PIECES if pieces else ""),
            plot.curve(pieces, "entries of a piece, in random order (last: as it is)"),
        ),
    ]


def declared(architecture: Architecture) -> list[str]:
    """`architecture` in words, a line a layer."""
    lines = []
    for each, before in zip(architecture.convolutions, lengths(architecture), strict=True):
        parts = [f"slide along {axis}, {length} long" for axis, length in each.slides.items()]
        parts += [f"span {axis}" for axis, length in before.items() if axis not in each.slides and length > 1]
        parts += [
            f"pooled {'whole' if factor == WHOLE else f'by {factor}'} along {axis}" for axis, factor in each.pools.items()
        ]
        lines.append(f"{each.filters} filters: {', '.join(parts) or 'at the one place that is left'}")
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
_MOVED = (
    "The plot moves what is judged, and nothing that is learnt: a network that expects a pattern at its place loses by it, one "
    "that looks everywhere should not."
)
_PIECES = (
    "The plot has pieces of the axis in random order, another in each sample: where short pieces suffice, patterns are small "
    "and may be anywhere. Entries that mean something each, as the numbers that describe a word, lose that, too."
)


def _answer(what: str, found: Finding, *, nothing: str) -> str:
    return _sentence(what, found) or nothing


def _sentence(what: str, found: Finding) -> str:
    return f"{what}: {_between(found.effect)}. " if found.effect else ""


def _recur(found: Measured) -> str:
    how = (
        "They do if sliding and serving elsewhere say yes, and sharing doesn't say no; they don't if sliding or serving "
        "elsewhere says no. "
    )
    slides = found.recurs != "yes" and found.along.slides is not None
    return how + ("Filters slide here all the same, for the reason that is given under What suits. " if slides else "")


def _compared(found: Measured) -> tuple[tuple[str, str, str], ...]:
    """What recurrence rests on."""
    differences = (
        ("Sliding: filters that slide, against ones that span the axis, of as many parameters", found.sliding),
        ("Sharing: one set of weights for all places, against one for each", found.sharing),
    )
    what = (
        "Serving elsewhere: what filters bring that learnt in the other half of the axis, if a half's own bring 100%, and ones "
        "that learnt nothing 0% (yes above half)"
    )
    if (share := found.transfer.effect) is None:
        came = "not known: no time, or a half's own don't surely bring anything"
    else:
        came = f"{share.mean:.0%} (between {share.low:.0%} and {share.high:.0%})"
    return (
        *((of, _between(each.effect) if each.effect else "not measured", each.verdict) for of, each in differences),
        (what, came, found.transfer.verdict),
    )


def _as_usual(found: Measured) -> str:
    if (more := found.as_usual) is None:
        return ""
    usual = f"filters of three entries{' and pooling by two' if found.along.pools != 1 else ''}, as is usual"
    return f"The whole network by what seemed to do best, against {usual}: {_between(more)}, so these it has. "


def _instead(found: Measured) -> str:
    if found.instead is None:
        return ""
    before, more = found.instead
    return (
        f"The whole network by filters that {recommend.does(found)}, against {before}: {_between(more)}, so the first it has. "
    )


def _typeset(text: str) -> str:
    """With minus signs for hyphens before numbers, and no line broken before or after ±."""
    return re.sub(r"(?<!\w)-(?=\d)", "\u2212", text.replace(" ± ", "\u00a0±\u00a0"))


def _between(effect: Interval) -> str:
    return f"{effect.mean:+.1%} (between {effect.low:+.1%} and {effect.high:+.1%})"
