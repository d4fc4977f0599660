"""`convsight tour`: the lecture retold by running it, as one HTML page."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from convsight.cli.options import Seed
from convsight.cli.progress import progress
from convsight.cli.terminal import say
from convsight.files import check_writable


def tour(
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("tour.html"),
    seed: Seed = 0,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Retell the lecture by running it: one HTML page with every picture, figure and command.

    Example: convsight tour --open
    """
    from convsight.network import load
    from convsight.tour import digits
    from convsight.tour.page import Chapter, write_page

    check_writable(out)
    started = perf_counter()
    made = []
    with progress("chapter 1", digits.SECTIONS) as done:
        for section in digits.sections(seed):
            made.append(section)
            done(len(made), section.title)
    chapter = Chapter(digits.TITLE, digits.introduction(load("digits")), tuple(made))
    seconds = perf_counter() - started
    write_page([chapter], out, seconds=seconds)
    say(f"the tour, {len(made)} sections in {seconds:.0f} s: {out}")
    if open_:
        webbrowser.open(out.resolve().as_uri())
