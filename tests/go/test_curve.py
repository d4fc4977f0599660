from __future__ import annotations

import json
from pathlib import Path

from convsight.go import curve


def test_a_curve_is_told_anew_from_where_a_training_went_on() -> None:
    path = Path("mine.jsonl")
    assert curve.seconds(path) == 0
    for positions in (100, 200, 300, 200, 250):
        curve.add(path, {"positions": positions, "seconds": positions / 10})
    assert [json.loads(line)["positions"] for line in path.read_text().splitlines()] == [100, 200, 250]
    assert curve.seconds(path) == 25
