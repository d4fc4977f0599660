"""The learning curve of a training: a file with a line of JSON for each check."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from convsight.files import write_lines


def add(path: Path, line: Mapping[str, float]) -> None:
    """Add `line`, which has the positions seen so far; later ones, of before a training went on from here, are left out."""
    before = [each for each in _lines(path) if json.loads(each)["positions"] < line["positions"]]
    write_lines(path, [*before, json.dumps(dict(line))])


def seconds(path: Path) -> float:
    """How long the training has taken to its last check; 0 without one."""
    lines = _lines(path)
    return float(json.loads(lines[-1])["seconds"]) if lines else 0.0


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
