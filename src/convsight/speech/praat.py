"""TextGrids of Praat's, in its long and its short form. Source: "TextGrid file formats" in Praat's manual.

What counts in them are the numbers, flags and strings in quotes that stand alone, in their order; all else is said to people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_VALUE = re.compile(r'"((?:[^"]|"")*)"|(?<!\S)(<\w+>|[-+]?[\d.]+(?:[eE][-+]?\d+)?)(?!\S)')
Row = tuple[float, float, str]


def tiers(content: bytes) -> dict[str, list[Row]]:
    """The rows of each tier of intervals in a TextGrid, by its name: start and end in seconds, and the label.

    Raises ValueError if it is none.
    """
    text = content.decode("utf-16" if content[:2] in (b"\xfe\xff", b"\xff\xfe") else "utf-8-sig")
    values = iter([string.replace('""', '"') if alone is None else alone for string, alone in _found(text)])
    try:
        if not next(values).startswith("ooTextFile") or next(values) != "TextGrid":
            raise ValueError("it doesn't begin as one")
        next(values), next(values)  # from when to when
        count = int(next(values)) if next(values) == "<exists>" else 0
        return dict([_tier(values) for _ in range(count)])
    except StopIteration:
        raise ValueError("it is cut off") from None


def _found(text: str) -> Iterator[tuple[str, str | None]]:
    return ((each[1] or "", each[2]) for each in _VALUE.finditer(text))


def _tier(values: Iterator[str]) -> tuple[str, list[Row]]:
    kind, name = next(values), next(values)
    next(values), next(values)
    count = int(next(values))
    if kind == "IntervalTier":
        return name, [(float(next(values)), float(next(values)), next(values).strip()) for _ in range(count)]
    for _ in range(2 * count):
        next(values)
    return name, []
