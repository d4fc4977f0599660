"""`fit` on the four applications' own data: what it finds along each axis, and how its network compares, a table in Markdown.

python -m benchmarks.fit_applications --go games.sgf.xz --text reviews.csv --seeds 0,1 --out fit_applications.md

A run that is in the file already is left out, so that an interrupted benchmark goes on. Leave the machine to it: the budget is
time.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from convsight.architecture import WHOLE
from convsight.fit import fit
from convsight.fit.applications import APPLICATIONS
from convsight.fit.fitting import Fit
from convsight.fit.properties import Measured
from convsight.fit.verdict import Finding

HEAD = [
    "| data, seed | samples | along | small | recur: sliding, sharing, transfer | stands subsampling | order matters | found "
    "| recommended | usual | fully connected | seconds |",
    "|---|---|---|---|---|---|---|---|---|---|---|---|",
]


def main() -> None:
    """Measure what is not in the file yet, and add it there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--go", type=Path, required=True, help="SGF with games of strong players")
    parser.add_argument("--text", type=Path, required=True, help="labelled texts")
    parser.add_argument("--names", default="digits,go,text,speech")
    parser.add_argument("--seeds", default="0,1,2,3,4")
    parser.add_argument("--budget", type=float, default=240.0)
    parser.add_argument("--out", type=Path, default=Path("fit_applications.md"))
    given = parser.parse_args()
    lines = given.out.read_text().splitlines() if given.out.exists() else list(HEAD)
    for seed in map(int, given.seeds.split(",")):
        for name in given.names.split(","):
            if any(line.startswith(f"| {name}, {seed} |") for line in lines):
                continue
            data = {"go": given.go, "text": given.text}.get(name)
            arrays = APPLICATIONS[name](data, seed=seed)
            found = fit(arrays.x, arrays.y, axes=arrays.axes, groups=arrays.groups, budget=given.budget, seed=seed)
            lines += _rows(f"{name}, {seed}", found)
            given.out.write_text("\n".join(lines) + "\n")
            print("\n".join(lines[-len(found.measured) :]), flush=True)


def _rows(name: str, found: Fit) -> list[str]:
    size = "x".join(map(str, found.data.inputs.shape))
    figures = [f"{each.right.mean:.1%}" for each in found.candidates]
    first = [name, size, *_cells(found.measured[0]), *figures, f"{found.seconds:.0f}"]
    others = [["", "", *_cells(each), "", "", "", ""] for each in found.measured[1:]]
    return [f"| {' | '.join(each)} |" for each in (first, *others)]


def _cells(of: Measured) -> list[str]:
    parts = ", ".join(_told(each) for each in (of.sliding, of.sharing, of.transfer))
    pooled = {1: "none", WHOLE: "all"}.get(of.along.pools, str(of.along.pools))
    does = f"slides {of.along.slides} / {pooled}" if of.along.slides else "spans"
    return [of.axis, _told(of.local), f"{of.recurs}: {parts}", _told(of.subsamples), _told(of.ordered), does]


def _told(finding: Finding) -> str:
    if finding.effect is None:
        return f"{finding.verdict}, not known"
    return f"{finding.verdict} ({finding.effect})"


if __name__ == "__main__":
    main()
