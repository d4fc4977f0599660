from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from convsight.architecture import WHOLE, Architecture, Convolution
from convsight.fit import Fit, fit, report
from convsight.fit.data import samples
from convsight.fit.interval import Interval
from convsight.fit.properties import Along, Measured
from convsight.fit.verdict import Finding

DRAW = np.random.default_rng(0)
Y = DRAW.integers(3, size=300)
X = DRAW.standard_normal((300, 14)).astype(np.float32)
for sample, its_class in enumerate(Y):
    place = DRAW.integers(9)
    X[sample, place : place + 5] += 3 * np.array([(1, 1, 1, 1, 1), (1, -1, 1, -1, 1), (0, 2, -2, 2, 0)][its_class])


def test_a_series_is_measured_reported_and_its_network_learnt(tmp_path: Path) -> None:
    asked: list[str] = []
    found: Fit = fit(X, Y, axes=("time",), budget=4, device="cpu", on_network=asked.append)
    assert [each.axis for each in found.measured] == ["time"] and len(found.candidates) == 3
    first = found.candidates[0]
    assert found.best in found.candidates
    assert found.best is first or found.best.choosing.mean() > first.choosing.mean()
    assert found.network(found.data.inputs[:4]).shape == (4, 3) and found.network.labels == ("0", "1", "2")
    assert asked[-1] == "the network that fits, and the usual ones" and len(found.reasons) == 1
    report.write_page(found, tmp_path / "fit.html")
    page = (tmp_path / "fit.html").read_text()
    assert page == found._repr_html_()
    count = np.bincount(Y)
    guess = float((count * (count - 1)).sum()) / len(Y) / (len(Y) - 1)
    assert f"a guess that knows only how often each class is has {guess:.1%}." in " ".join(page.split())
    assert page.count("<h3>") == 5 and "300 samples of 1 × 1 × 14 numbers, of 3 classes" in page
    assert not re.search(r'(src|href)="(?!data:)', page) and "nan" not in page


def test_each_question_has_its_own_answer() -> None:
    findings = {
        name: Finding("yes", Interval(mean, 0.01))
        for name, mean in (("local", 0.1), ("sliding", 0.2), ("subsamples", 0.3), ("pooled", 0.4), ("ordered", 0.5))
    }
    points = {1: Interval(0.5, 0.1), 3: Interval(0.6, 0.1), WHOLE: Interval(0.7, 0.1)}
    found = Measured("time", 14, (0.4, 0.2, 0.01), Along(3), **findings, reach=points, pooling=points, subsampled=points)  # type: ignore[arg-type]
    asked = report.questions(found)
    told = (
        "The best filter of up to a third",
        "They do if sliding and serving elsewhere say yes",
        "Half of the entries",
        "The best pooling",
        "Neighbours resemble",
    )
    assert all(each.answer.startswith(text) for each, text in zip(asked, told, strict=True))
    for each, mean in zip(asked, ("+10.0%", "+20.0%", "+30.0%", "+40.0%", "+50.0%"), strict=True):
        assert f"{mean} (between" in (each.parts[0][1] if each.parts else each.answer)
    assert [each.plot.count("<circle") for each in asked] == [3, 0, 3, 3, 0]
    found.shifted = {0: (Interval(0.7, 0.1), Interval(0.6, 0.1)), 2: (Interval(0.6, 0.1), Interval(0.2, 0.1))}
    recurring = report.questions(found)[1]
    assert [(came.partition(" (")[0], verdict) for _, came, verdict in recurring.parts] == [
        ("+20.0%", "yes"), ("not measured", "cannot tell"),
        ("not known: no time, or a half's own don't surely bring anything", "cannot tell"),
    ]  # fmt: skip
    assert "slide here all the same" in recurring.answer
    assert recurring.plot.count('<circle class="one"') == recurring.plot.count('<circle class="two"') == 3
    assert "filters that slide</text>" in recurring.plot
    found.transfer = Finding("yes", Interval(0.92, 0.04))
    assert report.questions(found)[1].parts[2][1:] == ("92% (between 88% and 96%)", "yes")
    found.whole, found.as_usual = Finding("no", Interval(0.0, 0.01)), Interval(-0.02, 0.03)
    assert "filters of three entries, as is usual: -2.0%" in report.questions(found)[1].answer
    found.along = Along(3, 2)
    answer = report.questions(found)[1].answer
    assert "In the whole network, filters that slide, against ones that span: +0.0% (between -1.0% and +1.0%). The" in answer
    assert "pooling by two, as is usual: -2.0% (between -5.0% and +1.0%), so these it has. The plot" in answer
    found.along, found.as_usual, found.instead = (
        Along(5, WHOLE),
        None,
        ("filters that span all 14 entries", Interval(0.03, 0.01)),
    )
    assert (
        "by filters that slide, 5 entries long, with pooling over all of it, against filters that span all 14 entries: "
        "+3.0% (between +2.0% and +4.0%), so the first it has. The plot" in report.questions(found)[1].answer
    )
    found.transfer = Finding("no", Interval(0.1, 0.1))
    assert "(between -1.0% and +1.0%). The whole" in report.questions(found)[1].answer
    for learnt, word in ((True, "There was no time"), (False, "did not surely tell more than a guess")):
        nothing = Measured("time", 14, (0.4, 0.2, 0.01), Along(), learnt=learnt)
        assert all(word in each.answer and not each.plot for each in report.questions(nothing))


def test_what_is_told_in_words() -> None:
    kinds = (Y, Y + 0.5, X[:, None, :] > 1, X[:, None, :] + 0.0, np.eye(14, dtype=bool)[Y][:, None, :])
    told = [report._classes(samples(X[:, None, :], y, axes=("a", "time"))) for y in kinds]
    assert told == [
        "of 3 classes", "each with numbers to be told", "each point of one of 2 classes",
        "each with a number a point to be told", "of 14 points",
    ]  # fmt: skip


def test_architectures_in_words() -> None:
    found = fit(X, Y.astype(float), axes=("time",), budget=0.01, device="cpu")
    assert not found.data.labels and all(each.sliding.effect is None for each in found.measured)
    lines = report.declared(found.architecture)
    assert lines[-1] == "1 output" and "cannot tell" in found._repr_html_()
    layers = Convolution(5, {"a": 3}, {"a": 2}), Convolution(10, {"a": 3}), Convolution(10, {})
    assert report.declared(Architecture(1, {"a": 12, "b": 5}, layers[:2], (), 3))[:2] == [
        "5 filters: slide along a, 3 long, span b, pooled by 2 along a", "10 filters: slide along a, 3 long",
    ]  # fmt: skip
    assert report.declared(Architecture(1, {"a": 12, "b": 5}, layers, (), 3))[2] == "10 filters: span a"
    assert report.declared(Architecture(1, {"a": 12, "b": 5}, (layers[2], layers[2]), (), 3))[1] == (
        "10 filters: at the one place that is left"
    )
