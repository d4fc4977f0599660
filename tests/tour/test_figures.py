"""The tour's tables of long trainings say what the benchmarks and the cards of the networks say."""

from __future__ import annotations

from pathlib import Path
from statistics import mean

import pytest

from convsight.tour import go, principle, speech, text

ROOT = Path(__file__).parents[2]
CARDS = ROOT / "src" / "convsight" / "weights"


def lines(path: Path) -> list[list[str]]:
    """The cells of every line of the file's tables."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]


def test_networks_that_fit_are_right_as_often_as_the_means_of_the_seeds() -> None:
    first = {"digits, height": "digits", "Go, row": "go", "text, time": "text", "speech, frequency": "speech"}
    measured = [cells for cells in lines(ROOT / "benchmarks" / "fit.md") if len(cells) == 12]
    for along, *_, found, usual, connected in principle.MEASURED[1:]:
        if along in first:
            seeds = [cells[8:11] for cells in measured if cells[0].startswith(f"{first[along]}, ")]
            means = [mean(float(each.rstrip("%")) for each in column) for column in zip(*seeds, strict=True)]
            assert len(seeds) >= 4
            assert [float(each.rstrip("%")) for each in (found, usual, connected)] == pytest.approx(means, abs=0.0501)


def test_a_table_is_of_its_benchmark() -> None:
    tables = {"speech_shift.md": speech.MEASURED, "text_axes.md": text.MEASURED, "go_learning.md": go.MEASURED}
    for benchmark, table in tables.items():
        measured = [{rounded(cell) for cell in cells} for cells in lines(ROOT / "benchmarks" / benchmark)]
        for line in table[1:]:
            assert any({cell for cell in line[1:] if cell} <= cells for cells in measured), line


def rounded(cell: str) -> str:
    return f"{float(cell[:-1]):.1f}%" if cell.endswith("%") and cell[:-1].replace(".", "").isdigit() else cell


def test_networks_of_self_play_are_as_their_cards_say() -> None:
    for (_, games, won, entropy), card in zip(go.IMPROVED[1:], ("go9_rl.md", "go_rl.md"), strict=True):
        written = (CARDS / card).read_text(encoding="utf-8")
        assert f"{games} games against earlier versions of itself" in written and f"won {won} games against" in written
        assert lines(CARDS / card)[-1][3] == entropy.rpartition(" ")[2]
