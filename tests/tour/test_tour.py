from __future__ import annotations

import base64
import html
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import pytest

from convsight.image.judge import Verdict
from convsight.tour.digits import counts
from tests.conftest import Run

PAGE = Path("tour.html")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tour's page, made as a user makes it."""
    import subprocess
    import sys

    out = tmp_path_factory.mktemp("tour") / "tour.html"
    done = subprocess.run(
        [sys.executable, "-m", "convsight", "tour", "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
        timeout=1500,
    )
    assert done.returncode == 0, done.stderr
    assert f"7 sections in {done.stdout.split('sections in ')[1].split()[0]} s" in done.stdout
    return out.read_text(encoding="utf-8")


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
    assert [re.search(r'class="row">(L\d+)', each)[1] for each in sections(page)] == ["L1", "L2", "L3", "L4", "L5", "L5", "L5"]
    for each in sections(page):
        assert re.search(r'<img src="data:image/png;base64,[^"]{100,}" alt="[^"]{10,}"', each)
        assert "<code>$ convsight " in each


def test_the_commands_make_the_pictures_that_stand_beside_them(page: str, convsight: Run) -> None:
    for each in sections(page):
        shown = base64.b64decode(re.search(r"base64,([^\"]+)", each)[1])
        command = shlex.split(html.unescape(re.search(r"<code>\$ convsight ([^<]+)</code>", each)[1]))
        done = convsight(*command, "--out", "made.png")
        assert done.returncode == 0, done.stderr
        if command[0] == "see":
            assert Path("made.png").read_bytes() == shown, command


def test_the_python_lines_make_the_pictures_that_stand_beside_them(page: str) -> None:
    names: dict[str, object] = {}
    exec('from convsight import *\nnet = load("digits")', names)  # as the page's last line says
    for each in sections(page)[1:]:
        shown = base64.b64decode(re.search(r"base64,([^\"]+)", each)[1])
        line = html.unescape(re.search(r"</code><code>([^<]+)</code>", each)[1])
        setup, _, expression = line.rpartition("; ")
        exec(setup, names)
        assert eval(expression, names)._repr_png_() == shown, line


def test_counts_count_what_each_judge_and_both_name_right() -> None:
    run = [Verdict(digit, digit) for digit in range(10)]
    run[3] = Verdict(8, 3)
    run[4] = Verdict(4, 9)
    run[5] = Verdict(0, 0)
    assert counts([run, run]) == (16, 16, 14)
