from __future__ import annotations

import base64
import html
import os
import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from convsight.image.judge import Verdict
from convsight.pictures import View, png
from convsight.tour.digits import counts
from convsight.visualization import Visualization
from tests.conftest import Run

PAGE = Path("tour.html")


def made(folder: Path, *options: str, **environment: str) -> tuple[str, str]:
    """The tour's page, made as a user makes it, and what the command said."""
    command = [sys.executable, "-m", "convsight", "tour", "--out", str(folder / "tour.html"), *options]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=1500, env={**os.environ, **environment}
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = (folder / "tour.html").read_text(encoding="utf-8")
    assert f"{len(sections(page))} sections in " in done.stdout
    return page, done.stdout


def test_a_device_that_is_not_there_is_one_sentence(convsight: Run) -> None:
    done = convsight("tour", "--device", "cuda:77")
    assert done.returncode == 2 and 'cannot use the device "cuda:77"' in done.stderr
    assert not PAGE.exists()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Made where no package index is in reach, and no network was fetched before: without chapter 2."""
    folder = tmp_path_factory.mktemp("tour")
    found, said = made(folder, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(folder), XDG_CACHE_HOME=str(folder))
    assert "chapter 2 is left out: cannot download" in said
    return found


def sections(page: str) -> list[str]:
    return page.split("<section")[1:]


def test_the_page_is_whole_and_fetches_nothing(page: str) -> None:
    class Balance(HTMLParser):
        void = {"meta", "link", "img", "br"}  # noqa: RUF012
        open_tags: list[str] = []  # noqa: RUF012

        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in self.void:
                self.open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open_tags.pop() == tag

    parser = Balance()
    parser.feed(page)
    assert parser.open_tags == []
    assert all(address.startswith(("data:", "#")) for address in re.findall(r'(?:src|href)="([^"]*)"', page))
    assert "<script" not in page


def test_every_section_has_its_row_a_picture_and_a_described_command(page: str) -> None:
    assert [re.search(r'class="row">(L\d+)', each)[1] for each in sections(page)] == [
        *("L1", "L2", "L3", "L4", "L5", "L5", "L5"),
        *("L8", "L9", "L9"),
        *("L10", "L10"),
        *("L11", "L11", "L11"),
        "L12",
    ]
    for each in sections(page):
        assert re.search(r'<img (?:class="smooth" )?src="data:image/png;base64,[^"]{100,}" alt="[^"]{10,}"', each)
        assert "<code>$ convsight " in each


def assert_its_commands_make_its_pictures(page: str, convsight: Run) -> None:
    for each in sections(page):
        shown = base64.b64decode(re.search(r"base64,([^\"]+)", each)[1])
        command = shlex.split(html.unescape(re.search(r"<code>\$ convsight ([^<]+)</code>", each)[1]))
        done = convsight(*command, "--out", "made.png")
        assert done.returncode == 0, done.stderr
        assert Path("made.png").read_bytes() == shown, command


def assert_its_python_lines_make_its_pictures(page: str) -> None:
    names: dict[str, object] = {}
    exec('from convsight import *\nnet = load("digits")', names)  # as the page's last line says
    for each in sections(page)[1:]:
        shown = base64.b64decode(re.search(r"base64,([^\"]+)", each)[1])
        line = html.unescape(re.search(r"</code><code>([^<]+)</code>", each)[1])
        setup, _, expression = line.rpartition("; ")
        exec(setup, names)
        result = eval(expression, names)
        assert isinstance(result, Visualization | View)
        sheets = [png(result.sheet(enlarge=1))] if isinstance(result, Visualization) else []
        assert shown in (result._repr_png_(), *sheets), line


def test_the_commands_make_the_pictures_that_stand_beside_them(page: str, convsight: Run) -> None:
    assert_its_commands_make_its_pictures(page, convsight)


def test_the_python_lines_make_the_pictures_that_stand_beside_them(page: str) -> None:
    assert_its_python_lines_make_its_pictures(page)


@pytest.mark.slow
def test_chapter_2_shows_what_its_commands_and_python_lines_make(tmp_path: Path, convsight: Run) -> None:
    page, _ = made(tmp_path, "--chapter", "2")
    rows = [re.search(r'class="row">(L\d+)', each)[1] for each in sections(page)]
    assert rows == ["L1", "L2", "L2", "L2", "L4", "L6", "L6", "L6", "L7"]
    assert_its_commands_make_its_pictures(page, convsight)
    assert_its_python_lines_make_its_pictures(page)


def test_a_chapter_that_is_not_there_is_refused(convsight: Run) -> None:
    assert convsight("tour", "--chapter", 7).stderr.strip().endswith("there is no chapter 7; there are 1, 2, 3, 4, 5, 6")


def test_chapter_4_plays_what_it_shows(page: str, tmp_path: Path, convsight: Run) -> None:
    sounds = [base64.b64decode(each) for each in re.findall(r'<audio [^>]*src="data:audio/wav;base64,([^"]+)"', page)]
    assert len(sounds) == 8
    heard = 0
    for phone, sound in zip(("s", "sh", "iy", "uw", "aa", "m"), sounds[2:], strict=True):
        Path("sound.wav").write_bytes(sound)
        heard += phone in [line.split()[2] for line in convsight("speech", "recognise", "sound.wav").stdout.splitlines()]
    assert f"in {heard} of these six" in page and heard > 3


def test_counts_count_what_each_judge_and_both_name_right() -> None:
    run = [Verdict(digit, digit) for digit in range(10)]
    run[3] = Verdict(8, 3)
    run[4] = Verdict(4, 9)
    run[5] = Verdict(0, 0)
    assert counts([run, run]) == (16, 16, 14)
