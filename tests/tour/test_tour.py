from __future__ import annotations

import base64
import html
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path

import pytest

from convsight.image.judge import Verdict
from convsight.pictures import View, png
from convsight.tour.digits import counts
from convsight.visualization import Visualization
from tests.conftest import Run
from tests.tour.test_figures import lines

PAGE = Path("tour.html")
ROOT = Path(__file__).parents[2]


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
    """Made where no package index is in reach, and no network was fetched before: without photographs."""
    found, said = made(tmp_path_factory.mktemp("tour"), **alone(tmp_path_factory))
    assert "not all is there of L1, L2, L4, L6, L7: cannot download" in said
    return found


def alone(folders: pytest.TempPathFactory) -> dict[str, str]:
    folder = str(folders.getbasetemp())
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": folder, "XDG_CACHE_HOME": folder}


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
    assert rows(page) == [
        *("L1", "L2", "L3", "L4", "L5", "L5", "L5"),
        *("L8", "L8", "L9", "L9"),
        *("L10", "L10"),
        *("L11", "L11", "L11"),
        "L12",
    ]
    for each in sections(page):
        assert re.search(r'<img (?:class="smooth" )?src="data:image/png;base64,[^"]{100,}" alt="[^"]{10,}"', each)
        assert "<code>$ convsight " in each


def test_each_of_the_twelve_rows_has_its_claim_and_what_was_measured_of_it(page: str) -> None:
    told = re.split(r'<h2 id="', page)[1:]
    assert [each.partition('"')[0] for each in told] == [f"L{number}" for number in range(1, 13)]
    for number, each in enumerate(told, 1):
        assert len(re.search(r"<b>The lecture</b>([^<]+)", each)[1]) > 50
        measured = re.search(
            r'<b>Measured</b> <span class="verdict [a-z-]+">(borne out|in part|not borne out)</span>([^<]+)', each
        )
        assert (measured is None) == (number in (6, 7))
        assert measured is None or re.search(r"\d", measured[2])
        assert ("Not all of this row is here: cannot download" in each) == (number in (1, 2, 4, 6, 7))
        assert f'<a href="#L{number}">' in page


def test_readme_and_gallery_have_the_twelve_rows_and_say_what_the_page_says(page: str) -> None:
    readme, gallery = (
        [
            [cell.strip() for cell in line.split("|")[1:-1]]
            for line in (ROOT / name).read_text().splitlines()
            if "| L" in line[:3]
        ]
        for name in ("README.md", "docs/gallery.md")
    )
    assert [each[0] for each in readme] == [each[0] for each in gallery] == [f"L{number}" for number in range(1, 13)]
    assert all(re.search(r"\d", figure) and command.startswith("`convsight ") for _, _, figure, command in readme)
    told = dict(re.findall(r'<a href="#(L\d+)">.*</a> <span class="verdict [a-z-]*">([^<]+)</span>', page))
    assert len(told) == 12
    assert [each[2] for each in gallery if told[each[0]] != "not told"] == [
        each for each in told.values() if each != "not told"
    ]


def test_differences_with_intervals_are_those_of_the_benchmark(page: str) -> None:
    said = set(re.findall(r"\d+\.\d% ± \d+\.\d%", page))
    measured = (ROOT / "benchmarks" / "fit.md").read_text(encoding="utf-8")
    assert said and all(f"+{each}" in measured for each in said)


def test_what_is_said_of_seeds_is_what_the_benchmark_has(page: str) -> None:
    words = ["none", "one", "two", "three", "four", "five"]
    text = html.unescape(page)
    told: dict[tuple[str, str], list[list[str]]] = {}
    application = ""
    for cells in (each for each in lines(ROOT / "benchmarks" / "fit.md") if len(each) == 12):
        application = cells[0].partition(",")[0] or application
        told.setdefault((application, cells[2]), []).append(cells)
    for its, column, says, said in (
        (("go", "row"), 5, "no", "with {}, that a board does not stand subsampling"),
        (("text", "time"), 3, "no", "that patterns are small it denies with {}"),
        (("speech", "time"), 7, "spans", "has filters span time with {}"),
    ):
        count = sum(cells[column].partition(" (")[0] == says for cells in told[its])
        assert said.format(f"{words[count]} of {words[len(told[its])]} seeds") in text


def test_what_is_said_of_l1_follows_from_the_counts_beside_it(page: str) -> None:
    both = [int(re.search(r"both at once (\d+)", each)[1]) for each in sections(page) if "both at once" in each]
    told = re.search(r">(borne out|not borne out)</span> Bare, both judges name (\d+) of 50, with L1 (\d+):", page)
    assert told is not None and [int(told[2]), int(told[3])] == both[:2]
    assert (told[1] == "borne out") == (both[1] >= both[0] + 10)
    assert both[2] > both[1] + 10


def test_a_second_tour_takes_what_was_computed_and_computes_what_was_not(
    page: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, convsight: Run
) -> None:
    for name, value in alone(tmp_path_factory).items():
        monkeypatch.setenv(name, value)
    cut = tmp_path_factory.getbasetemp() / "convsight" / "tour" / "text.looked_for.json"
    cut.write_text(cut.read_text()[:1000])
    done = convsight("tour", "--chapters", "3,11")
    assert "4 sections in" in done.stdout and "3 of them from an earlier run" in done.stdout
    again = PAGE.read_text(encoding="utf-8")
    before = dict(zip(titles(page), pictures(page), strict=True))
    assert rows(again) == ["L3", "L11", "L11", "L11"]
    assert pictures(again) == [before[each] for each in titles(again)]
    assert "from an earlier run" not in convsight("tour", "--chapters", "L11", "--again").stdout


def test_interrupted_it_says_that_it_goes_on_and_has_kept_what_it_made(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "convsight", "tour", "--chapters", "9,12"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as running:
        while not (tmp_path / "convsight" / "tour" / "go.filters.json").exists():
            assert running.poll() is None
            time.sleep(0.05)
        while running.poll() is None:  # an interruption is lost where llvmlite's callback happens to run
            running.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                running.wait(10)
        said = running.communicate()[1]
    # Python ends itself by the signal, after all that was to be done, if it came while a string was being executed.
    assert running.returncode in (
        2,
        -signal.SIGINT,
    ) and "what was computed is kept: the same command goes on from there" in " ".join(said.split())
    assert not PAGE.exists()


def pictures(page: str) -> list[str]:
    return [re.search(r"base64,([^\"]+)", each)[1] for each in sections(page)]


def titles(page: str) -> list[str]:
    return [re.search(r"</span>([^<]+)</h3>", each)[1] for each in sections(page)]


def rows(page: str) -> list[str]:
    return [re.search(r'class="row">(L\d+)', each)[1] for each in sections(page)]


def assert_its_commands_make_its_pictures(page: str, convsight: Run) -> None:
    for each in sections(page):
        shown = base64.b64decode(re.search(r"base64,([^\"]+)", each)[1])
        shown_command = re.sub(r"</?span>", "", re.search(r"<code>\$ convsight (.+?)</code>", each)[1])
        command = shlex.split(html.unescape(shown_command))
        made = "made.safetensors" if "selfplay" in command else "made.png"  # its picture lies beside the network
        done = convsight(*command, "--out", made)
        assert done.returncode == 0, done.stderr
        assert Path("made.png").read_bytes() == shown, command


def assert_its_python_lines_make_its_pictures(page: str, *, without: tuple[str, ...] = ()) -> None:
    names: dict[str, object] = {}
    exec('from convsight import *\nnet = load("digits")', names)  # as the page's last line says
    for each in sections(page):
        shown = base64.b64decode(re.search(r"base64,([^\"]+)", each)[1])
        line = html.unescape(re.search(r"</code><code>([^<]+)</code>", each)[1])
        if " = show.filters(" in line or any(each in line for each in without):  # the first gives tensors
            continue
        setup, _, expression = line.rpartition("; ")
        exec(setup, names)
        result = eval(expression, names)
        assert isinstance(result, Visualization | View)
        sheets = [png(result.sheet(enlarge=1))] if isinstance(result, Visualization) else []
        assert shown in (result._repr_png_(), *sheets), line


def test_the_commands_make_the_pictures_that_stand_beside_them(page: str, convsight: Run) -> None:
    assert_its_commands_make_its_pictures(page, convsight)


@pytest.mark.parametrize(
    "without", [("selfplay.from_nothing(", "views.climbs(", "views.phones("), pytest.param((), marks=pytest.mark.slow)]
)
def test_the_python_lines_make_the_pictures_that_stand_beside_them(page: str, without: tuple[str, ...]) -> None:
    """The fast suite leaves out those that take longest; their commands it runs."""
    assert_its_python_lines_make_its_pictures(page, without=without)


@pytest.mark.slow
def test_photographs_are_what_their_commands_and_python_lines_make(tmp_path: Path, convsight: Run) -> None:
    page, _ = made(tmp_path, "--chapters", "1,2,4,6-7")
    assert rows(page) == ["L1", "L1", "L2", "L2", "L2", "L2", "L4", "L4", "L6", "L6", "L6", "L7"]
    assert_its_commands_make_its_pictures(page, convsight)
    assert_its_python_lines_make_its_pictures(page)


@pytest.mark.parametrize("chapters", ["13", "0", "3,", "5-3", "x", "1-", "9" * 5000])
def test_chapters_that_are_not_there_are_refused(convsight: Run, chapters: str) -> None:
    done = convsight("tour", "--chapters", chapters)
    assert done.returncode == 2 and "--chapters is a list such as 3,5 or 1-7 of the lecture's rows, 1 to 12" in done.stderr


def test_speech_plays_what_it_shows(page: str, tmp_path: Path, convsight: Run) -> None:
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
