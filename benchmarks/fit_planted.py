"""Does `fit` read what was planted? Each property on or off along each of two axes, 16 combinations, at three levels of noise.

python -m benchmarks.fit_planted --noise 0.3,0.5,0.8 --out planted.md

A line for each, written when it is known: what is said of recurrence and of subsampling along both axes, and at the end how
many answers are right, how many wrong, and how many are "cannot tell".
"""

from __future__ import annotations

import argparse
import itertools
from collections import Counter
from pathlib import Path

from tests.fit.planted import Planted, planted

from convsight.fit import data, properties
from convsight.fit.bench import Bench

AXES = "first", "second"


def main() -> None:
    """Print the table, and keep it in a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--noise", default="0.3,0.5,0.8")
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("planted.md"))
    given = parser.parse_args()
    lines = ["| noise | recurs, planted | said | stands subsampling, planted | said |", "|---|---|---|---|---|"]
    told: dict[tuple[str, str], Counter[str]] = {}
    pairs = [(one, other) for one in (True, False) for other in (True, False)]
    for noise, recurring, standing in itertools.product(given.noise.split(","), pairs, pairs):
        plan = Planted(recurring, standing)
        x, y = planted(plan, count=given.count, noise=float(noise), seed=0)
        bench = Bench(data.samples(x, y, axes=AXES), given.steps, device="cpu")
        found = {each.axis: each for each in properties.measure(bench)}
        recurs, stands = ([found[axis].recurs for axis in AXES], [found[axis].subsamples.verdict for axis in AXES])
        for name, right, said in (("recurs", plan.recurs, recurs), ("stands subsampling", plan.subsamples, stands)):
            counts = told.setdefault((noise, name), Counter())
            counts.update(
                "cannot tell" if each == "cannot tell" else "right" if (each == "yes") == on else "wrong"
                for on, each in zip(right, said, strict=True)
            )
        cells = [noise, _on(plan.recurs), ", ".join(recurs), _on(plan.subsamples), ", ".join(stands)]
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], flush=True)
        ends = [
            f"noise {level}, {name}: " + ", ".join(f"{n} {what}" for what, n in told[level, name].items())
            for level, name in told
        ]
        given.out.write_text("\n".join([*lines, "", *ends, ""]))
    print("\n".join(ends))


def _on(switches: tuple[bool, bool]) -> str:
    return ", ".join("yes" if each else "no" for each in switches)


if __name__ == "__main__":
    main()
