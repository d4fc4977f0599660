"""The tour's page: one HTML file with everything in it, for the screen, the phone and the printer."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from convsight import __version__
from convsight.files import written_whole


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
        return "data:image/png;base64," + b64encode(self.png).decode()


@dataclass(frozen=True)
class Sound:
    """A .wav file's content, and what is heard."""

    wav: bytes
    name: str

    @property
    def data(self) -> str:
        """The sound as a data address."""
        return "data:audio/wav;base64," + b64encode(self.wav).decode()


@dataclass(frozen=True)
class Section:
    """One row of the lecture: its claim in our words, our picture, what we find, figures as a table of text, and sounds."""

    row: str
    title: str
    claim: str
    picture: Picture
    finding: str
    table: tuple[tuple[str, ...], ...] = ()
    sounds: tuple[Sound, ...] = ()


@dataclass(frozen=True)
class Chapter:
    """A chapter of the lecture."""

    title: str
    introduction: str
    sections: tuple[Section, ...]


def write_page(chapters: list[Chapter], path: Path, *, seconds: float) -> None:
    """Write the page. Raises InputError if `path` cannot be written."""
    environment = Environment(loader=PackageLoader("convsight.tour", "."), autoescape=True, undefined=StrictUndefined)
    html = environment.get_template("page.html").render(chapters=chapters, version=__version__, seconds=round(seconds))
    with written_whole(path) as temporary:
        temporary.write_text(html, encoding="utf-8")
