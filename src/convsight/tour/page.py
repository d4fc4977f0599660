"""The tour's page: one HTML file with everything in it, for the screen, the phone and the printer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from convsight import __version__
from convsight.files import data_address, written_whole
from convsight.tour.lecture import Row


@dataclass(frozen=True)
class Picture:
    """A PNG file's content, what it shows for those who cannot see it, and the command and Python line that made it.

    `smooth`: shown as photographs are, instead of every pixel as a square.
    """

    png: bytes
    alt: str
    command: str
    python: str
    smooth: bool = False

    @property
    def data(self) -> str:
        """The picture as a data address."""
        return data_address("image/png", self.png)


@dataclass(frozen=True)
class Sound:
    """A .wav file's content, and what is heard."""

    wav: bytes
    name: str

    @property
    def data(self) -> str:
        """The sound as a data address."""
        return data_address("audio/wav", self.wav)


@dataclass(frozen=True)
class Original:
    """A PNG file's content: a photograph that a picture was made from, and what it shows."""

    png: bytes
    name: str

    @property
    def data(self) -> str:
        """The photograph as a data address."""
        return data_address("image/png", self.png)


@dataclass(frozen=True)
class Answer:
    """What measurements say of a row's claim: whether it holds, and the figures that this rests on, in sentences."""

    holds: Literal["yes", "in part", "no"]
    figure: str


@dataclass(frozen=True)
class Section:
    """One picture of a row: what is asked, the picture, what we find, figures as a table of text, originals, and sounds.

    `answer`: that to the claim of the whole row, if it is measured here. `introduction`: what is to be known before.
    """

    title: str
    asked: str
    picture: Picture
    finding: str
    table: tuple[tuple[str, ...], ...] = ()
    originals: tuple[Original, ...] = ()
    sounds: tuple[Sound, ...] = ()
    answer: Answer | None = None
    introduction: str = ""


@dataclass(frozen=True)
class Chapter:
    """A row of the lecture as told; `missing` says in a sentence why some of its sections are not there, if so."""

    row: Row
    sections: tuple[Section, ...]
    missing: str = ""

    @property
    def answer(self) -> Answer | None:
        """That of the section which measures the claim, or None if it is missing."""
        return next((each.answer for each in self.sections if each.answer), None)


def write_page(chapters: list[Chapter], path: Path, *, seconds: float, kept: int) -> None:
    """Write the page. `kept`: how many sections an earlier run made. Raises InputError if `path` cannot be written."""
    environment = Environment(loader=PackageLoader("convsight.tour", "."), autoescape=True, undefined=StrictUndefined)
    template = environment.get_template("page.html")
    html = template.render(chapters=chapters, version=__version__, seconds=round(seconds), kept=kept)
    with written_whole(path) as temporary:
        temporary.write_text(html, encoding="utf-8")
