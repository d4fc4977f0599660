from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convsight import InputError
from convsight.text import data


def test_tables_folders_and_lines_are_read_alike() -> None:
    expected = data.Labelled(("a fine, long film", "dull"), ("good", "bad"))
    Path("a.csv").write_text('id,label,text\n1,good,"a fine, long film"\n2,bad,dull\n')
    Path("a.tsv").write_text("text\tlabel\na fine, long film\tgood\ndull\tbad\n")
    pairs = list(zip(expected.texts, expected.labels, strict=True))
    Path("a.jsonl").write_text("\n".join(json.dumps({"text": text, "label": label, "n": 1}) for text, label in pairs))
    Path("a.txt").write_text("good a fine, long film\n\nbad dull\n")
    with gzip.open("b.csv.gz", "wt") as file:
        file.write(Path("a.csv").read_text())
    for name in ("a.csv", "a.tsv", "a.jsonl", "a.txt", "b.csv.gz"):
        assert data.load(name) == expected, name
    Path("lines").mkdir()
    Path("lines/good.txt").write_text("a fine, long film\n")
    Path("lines/bad.txt").write_text("dull\n\n")
    Path("files/good").mkdir(parents=True)
    Path("files/bad").mkdir()
    Path("files/good/1").write_text("a fine, long film\n")
    Path("files/bad/1").write_text("dull")
    for name in ("lines", "files"):
        found = data.load(name)
        assert sorted(zip(found.texts, found.labels, strict=True)) == sorted(pairs)


def test_other_columns_may_be_named() -> None:
    Path("a.csv").write_text("review,stars\nfine,5\n")
    assert data.load("a.csv", text="review", label="stars") == data.Labelled(("fine",), ("5",))
    with pytest.raises(InputError, match='no column "reviews"; did you mean "review"'):
        data.load("a.csv", text="reviews", label="stars")


def test_bytes_that_are_no_utf8_zeros_and_a_mark_at_the_start() -> None:
    Path("a.txt").write_bytes(b"good caf\xe9\x00ole\n")
    assert data.load("a.txt").texts == ("café ole",)
    Path("b.txt").write_bytes("\ufeffgood größe\n".encode())
    assert data.load("b.txt") == data.Labelled(("größe",), ("good",))


def test_ten_megabytes_in_one_line() -> None:
    Path("a.csv").write_text("text,label\n" + "fine " * 2_000_000 + ",good\n")
    assert len(data.load("a.csv").texts[0]) == 10_000_000


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=60), st.integers(2, 10), st.integers(0, 5))
def test_folds_part_all_samples_and_every_class_evenly(labels: list[str], count: int, seed: int) -> None:
    parts = data.folds(labels, count, seed=seed)
    assert sorted(place for part in parts for place in part) == list(range(len(labels)))
    for label in set(labels):
        shares = [sum(labels[place] == label for place in part) for part in parts]
        assert max(shares) - min(shares) <= 1
    assert parts == data.folds(labels, count, seed=seed)


def test_texts_in_both_are_counted() -> None:
    first, second = data.Labelled(("a", "b"), ("x", "y")), data.Labelled(("b", "b", "c"), ("x", "y", "x"))
    assert data.in_both(first, second) == 2
    assert second.balance() == "2 x, 1 y"


def test_without_the_extra_a_data_set_of_the_hub_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(InputError, match=r"convsight\[hub\]"):
        data.load("hf:rotten_tomatoes")
