from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from convsight.fit import Fit, fit, report

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
    assert found.best.chosen_by == max(each.chosen_by for each in found.candidates)
    assert found.network(found.data.inputs[:4]).shape == (4, 3) and found.network.labels == ("0", "1", "2")
    assert asked[-1] == "the network that fits, and the usual ones" and len(found.reasons) == 1
    report.write_page(found, tmp_path / "fit.html")
    page = (tmp_path / "fit.html").read_text()
    assert page == found._repr_html_()
    assert page.count("<h3>") == 5 and "300 samples of 1 × 1 × 14 numbers, of 3 classes" in page
    assert not re.search(r'(src|href)="(?!data:)', page) and "nan" not in page
    assert found.measured[0].reach and page.count("<svg") >= 3
    asked = report.questions(found.measured[0])
    told = ("A filter of a third", "Filters that slide", "Half of the entries", "The best pooling", "Neighbours resemble")
    assert all(each.answer.startswith(text) for each, text in zip(asked, told, strict=True))


def test_architectures_in_words() -> None:
    found = fit(X, Y.astype(float), axes=("time",), budget=0.01, device="cpu")
    assert not found.data.labels and all(each.sliding.effect is None for each in found.measured)
    lines = report.declared(found.architecture)
    assert lines[-1] == "1 outputs" and "cannot tell" in found._repr_html_()
