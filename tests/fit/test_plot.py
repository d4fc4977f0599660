from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convsight.architecture import WHOLE
from convsight.fit import plot
from convsight.fit.interval import Interval

POINTS = {WHOLE: Interval(0.7, 0.1), 2: Interval(0.5, 0.1), 1: Interval(0.9, 0.05)}


def test_points_lie_in_order_with_all_there_is_last_and_higher_scores_higher() -> None:
    drawn = ET.fromstring(plot.curve(POINTS, "entries"))
    dots = [(float(each.get("cx", "")), float(each.get("cy", ""))) for each in drawn.iter("circle")]
    assert [x for x, _ in dots] == sorted(x for x, _ in dots)
    assert sorted(range(3), key=lambda at: dots[at][1]) == [0, 2, 1]
    assert [each.text for each in drawn.iter("text")][-4:] == ["1", "2", "all", "entries"]


def test_two_kinds_are_named_and_nothing_is_drawn_of_nothing() -> None:
    drawn = plot.pairs({0: (Interval(0.7, 0.1), Interval(0.6, 0.1))}, ("these", "those"), "moved")
    assert drawn.count('<circle class="one"') == drawn.count('<circle class="two"') == 2 and "polyline" not in drawn
    assert ">these</text>" in drawn and ">those</text>" in drawn
    assert plot.curve({}, "entries") == plot.pairs({}, ("these", "those"), "moved") == ""


@given(st.floats(-1, 1), st.floats(0, 1))
def test_the_scale_has_round_values_that_lie_where_they_say(mean: float, error: float) -> None:
    drawn = ET.fromstring(plot.curve({1: Interval(mean, error)}, "entries"))
    lines = [float(each.get("y1", "")) for each in drawn.iter("line") if each.get("class") == "grid"]
    values = [float(each.text[:-1]) for each in drawn.iter("text") if each.text and re.fullmatch(r"-?[\d.]+%", each.text)]
    assert 2 <= len(values) == len(lines) <= 7
    dot = float(next(drawn.iter("circle")).get("cy", ""))
    slope = (lines[1] - lines[0]) / (values[1] - values[0])
    assert slope < 0 and abs(lines[0] + slope * (100 * mean - values[0]) - dot) < 1
    step = round(values[1] - values[0], 9)
    assert f"{step:.0e}"[0] in "125" and float(f"{step:.0e}") == step
    assert all(each / step == pytest.approx(round(each / step), abs=1e-6) for each in values)
