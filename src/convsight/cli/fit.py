"""`convsight fit`: which network fits a data set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from convsight.cli.options import Seed, TrainingDevice
from convsight.cli.progress import progress
from convsight.cli.terminal import say, show_table
from convsight.errors import InputError
from convsight.files import check_ending, check_writable, written_whole
from convsight.pictures import write_png

if TYPE_CHECKING:
    from convsight.fit import Fit

_UNITS = {"s": 1, "m": 60, "h": 3600}


def fit(
    source: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="An .npz with x and y, a folder of pictures with a folder a class, a .csv or .tsv with a series a row and the "
            "column label; or digits, go, speech, text.",
        ),
    ],
    data: Annotated[
        Path | None, typer.Option(help="Of go: game records; of text: a table or folder; of speech and digits: your own.")
    ] = None,
    axes: Annotated[str | None, typer.Option(help="The names of the axes, for example frequency,time.")] = None,
    budget: Annotated[str, typer.Option(help="How long it may take, about: 90s, 10m, 1h.")] = "10m",
    out: Annotated[
        Path,
        typer.Option(
            help="The report, .html; architecture and network go beside it. Or .png: what is asked, as a picture, not measured."
        ),
    ] = Path("fit.html"),
    seed: Seed = 0,
    device: TrainingDevice = None,
) -> None:
    """Measure which of the lecture's three properties hold along each axis of your data, and learn the network that fits.

    Example: convsight fit data.npz

    Example: convsight fit digits --budget 3m
    """
    from convsight.fit import applications, files, report, views
    from convsight.fit import fit as fitted
    from convsight.network import save

    looks = out.suffix.lower() == ".png"
    if not looks:
        check_ending(out, ".html")
    paths = out, out.with_suffix(".json"), out.with_suffix(".safetensors")
    for each in paths[: 1 if looks else None]:
        check_writable(each)
    seconds = _seconds(budget)
    by_name = source in applications.APPLICATIONS and not Path(source).exists()
    if data and not by_name:
        raise InputError(f"--data goes with {', '.join(applications.APPLICATIONS)}; of your own data, name the file alone")
    known = applications.APPLICATIONS[source](data, seed=seed) if by_name else files.read(Path(source))
    named = tuple(each.strip() for each in axes.split(",")) if axes else known.axes
    if looks:
        write_png(views.asked(known.x, known.y, axes=named).picture, out)
        say(f"as it is; and along each axis half as fine, in another order, and one half of it: {out}")
        return
    checkpoint = out.with_suffix(".checkpoint")
    if checkpoint.exists():
        say(f"going on from {checkpoint}")

    def left() -> str:
        return f"the same command goes on from {checkpoint}" if checkpoint.exists() else "nothing was measured yet"

    counted = 0
    with progress("measuring", None, left=left) as done:

        def told(name: str) -> None:
            nonlocal counted
            counted += 1
            done(counted, name)

        found = fitted(
            known.x, known.y, axes=named, groups=known.groups, budget=seconds, seed=seed, device=device, checkpoint=checkpoint,
            on_network=told,
        )  # fmt: skip
    _show(found, report.told(found.data))
    report.write_page(found, paths[0])
    with written_whole(paths[1]) as temporary:
        temporary.write_text(json.dumps(found.architecture.to_dict(), indent=1), encoding="utf-8")
    save(found.network, paths[2])
    checkpoint.unlink(missing_ok=True)
    say(f"the report: {paths[0]}; the architecture: {paths[1]}; the network, for convsight see and filters: {paths[2]}")


def _show(found: Fit, told: str) -> None:
    for note in found.data.notes:
        say(note)
    table = Table("axis", "length", "patterns are small", "they recur", "stands subsampling", "order matters")
    for each in found.measured:
        table.add_row(
            each.axis, str(each.length), each.local.verdict, each.recurs, each.subsamples.verdict, each.ordered.verdict
        )
    show_table(table)
    for sentence in found.reasons:
        say(sentence)
    table = Table("network", told, "give or take", "parameters")
    for candidate in found.candidates:
        right = candidate.right
        table.add_row(candidate.name, f"{right.mean:.1%}", f"{right.error:.1%}", f"{candidate.parameters:,}")
    show_table(table)
    say(f"the one to take, by samples that none had learnt, after {found.seconds:.0f} s: {found.best.name}")


def _seconds(budget: str) -> float:
    number, unit = budget[:-1], budget[-1:]
    try:
        seconds = float(number) * _UNITS[unit]
    except (ValueError, KeyError):
        seconds = 0.0
    if not 1 <= seconds <= 7 * 24 * 3600:
        raise InputError(f'--budget is a time from 1s to a week, for example 90s, 10m or 1h, not "{budget}"')
    return seconds
