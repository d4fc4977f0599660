"""What fits Go: equal short trainings that differ in one thing each.

The planes (colours alone, and when stones were played, and AlphaGo's 48), whether the network subsamples (lecture, row L9:
it must not), and how many games it learns from. Every training sees as many positions of the first games of a collection, over
and over if they hold fewer; all are judged by the same moves of other games, one pass each.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from convsight.architecture import Architecture
from convsight.go import model
from convsight.go.data import load
from convsight.go.moves import Moves
from convsight.precision import best_device
from convsight.training import train

WIDTH, DEPTH, BATCH, JUDGED_BY = 32, 5, 128, 20_000


def trials(learnt: Moves) -> Iterator[tuple[str, Architecture, Moves]]:
    """What is compared: a name, the network and the games."""

    def with_planes(count: int) -> Architecture:
        return model.policy(width=WIDTH, depth=DEPTH, planes=count)

    whole = with_planes(48)
    connected = replace(whole, per_point=False)
    first, second, *others = whole.convolutions
    halved = tuple(replace(each, pools={"row": 2, "column": 2}) for each in (first, second))
    for count in (100, 300, 1_000, 3_000, 10_000):
        if count < len(learnt):
            yield f"48 planes, {count:,} games", whole, learnt.games(0, count)
    yield "48 planes, all games", whole, learnt
    yield "12 planes", with_planes(12), learnt
    yield "4 planes", with_planes(4), learnt
    yield "48 planes, fully connected at the end", connected, learnt
    yield (
        "48 planes, max pooling twice, fully connected at the end",
        replace(connected, convolutions=(*halved, *others)),
        learnt,
    )


def trial(
    architecture: Architecture, learnt: Moves, judges: Moves, positions: int, device: str
) -> tuple[model.Score, int, float]:
    """How well the network foretells, how many parameters it has, and the seconds that it learnt."""
    network = model.untrained(architecture, seed=0)
    started = perf_counter()
    train(
        network,
        model.batches(learnt, planes=architecture.channels, batch=BATCH, seed=0),
        model.loss,
        steps=positions // BATCH,
        optimizer=model.PLAN.optimizer,
        schedule=model.PLAN.schedule,
        device=device,
    )
    seconds = perf_counter() - started
    chosen = judges.samples()[:: max(1, len(judges.samples()) // JUDGED_BY)]
    return model.scored(network, judges, chosen), sum(each.numel() for each in network.module.parameters()), seconds


def main() -> None:
    """Run the trials and write a table in Markdown, a line as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("games", type=Path, help="to learn from")
    parser.add_argument("others", type=Path, help="to judge by")
    parser.add_argument("--positions", type=int, default=300_000)
    parser.add_argument("--device", default=best_device())
    parser.add_argument("--out", type=Path, default=Path("go_learning.md"))
    options = parser.parse_args()
    learnt, judges = load([options.games])[0], load([options.others])[0]
    with options.out.open("w") as out:

        def write(line: str) -> None:
            for file in (out, None):
                print(line, file=file, flush=True)

        write(f"{DEPTH} layers of {WIDTH} filters, {options.positions:,} positions each; all games are {len(learnt):,}.\n")
        write("| network | parameters | first | among five | log loss | seconds |\n|---|---|---|---|---|---|")
        for name, architecture, some in trials(learnt):
            found, parameters, seconds = trial(architecture, some, judges, options.positions, options.device)
            write(f"| {name} | {parameters:,} | {found.first:.2%} | {found.five:.2%} | {found.log_loss:.3f} | {seconds:.0f} |")


if __name__ == "__main__":
    main()
