from __future__ import annotations

import gzip
import json
import os
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


CHINESE, FRENCH = "这部电影很好看,好评\n剧情无聊,差评\n", "un café très léger,bon\nune déception,mauvais\n"


@pytest.mark.parametrize(
    ("rows", "encoding"),
    [
        (CHINESE, "gb18030"),
        (CHINESE, "utf-16"),
        (CHINESE, "utf-8"),
        (FRENCH, "cp1252"),
        (FRENCH, "utf-16"),
        (FRENCH, "utf-8-sig"),
    ],
)  # fmt: skip
def test_what_spreadsheets_write_is_read(rows: str, encoding: str) -> None:
    Path("a.csv").write_bytes(f"text,label\n{rows}".encode(encoding))
    expected = [tuple(line.split(",")) for line in rows.splitlines()]
    found = data.load("a.csv")
    assert list(zip(found.texts, found.labels, strict=True)) == expected
    Path("b.csv").write_bytes(f"text;label\n{rows.replace(',', ';')}".encode(encoding))
    assert data.load("b.csv") == found
    assert [each for some in data.texts(Path("a.csv")) for each in some] == list(found.texts)
    Path("a.txt").write_bytes("".join(f"{text}\n" for text in found.texts).encode(encoding))
    assert [each for some in data.texts(Path("a.txt")) for each in some] == list(found.texts)


def test_a_label_may_be_the_beginning_of_a_classs_name() -> None:
    known = data.Labelled(("a", "b", "c"), ("neg", "pos", "positive"))
    assert known.numbers(("negative", "positive")) == [0, 1, 1]
    with pytest.raises(InputError, match='the class "1" is none of 10, 20'):
        data.Labelled(("a",), ("1",)).numbers(("10", "20"))
    with pytest.raises(InputError, match='the class "pos" is none of'):
        known.numbers(("negative", "positive", "positively"))


def test_ten_megabytes_in_one_line() -> None:
    Path("a.csv").write_text("text,label\n" + "fine " * 2_000_000 + ",good\n")
    assert len(data.load("a.csv").texts[0]) == 10_000_000


def test_capitals_in_the_ending_and_quotes_in_a_table_of_tabs() -> None:
    Path("A.CSV").write_text("text,label\nfine,good\n")
    assert data.load("A.CSV").texts == ("fine",)
    Path("a.tsv").write_text('text\tlabel\n" so fine\tgood\nit\'s " dull\tbad\n')
    assert data.load("a.tsv").texts == ('" so fine', "it's \" dull")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "text,label\nfine,good\nso dull,\n", "line 3: the text has no class"),
        ("a.jsonl", '{"text": "fine", "label": null}', "line 1: label is null"),
        ("a.jsonl", '{"text": null, "label": "good"}', "line 1: text is null"),
    ],
)
def test_what_lacks_a_class_is_said(name: str, content: str, message: str) -> None:
    Path(name).write_text(content)
    with pytest.raises(InputError, match=message):
        data.load(name)


def test_one_in_ten_of_each_class_is_kept_to_judge_but_never_the_only_one() -> None:
    known = data.Labelled(tuple(map(str, range(61))), ("a", *["b"] * 30, *["c"] * 30))
    learnt, judged = data.kept_to_judge(known)
    assert sorted(learnt.texts + judged.texts) == sorted(known.texts)
    assert "a" in learnt.labels and set(judged.labels) == {"b", "c"} and 5 <= len(judged) <= 7
    with pytest.raises(InputError, match="too few texts to keep one in ten"):
        data.kept_to_judge(data.Labelled(("1", "2"), ("a", "b")))


def test_lines_come_as_they_are_there() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stream:
        coming = data.as_they_come(stream)
        os.write(writing, b"\xef\xbb\xbfone\r\ntwo\nthr")
        assert next(coming) == ["one", "two"]
        os.write(writing, b"ee\0caf\xe9\n")
        assert next(coming) == ["three café"]
        os.write(writing, b"end")
        os.close(writing)
        assert list(coming) == [["end"]]


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


def test_a_split_of_a_data_set_of_the_hub_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    rows = datasets.Dataset.from_dict({"text": ["fine", "dull"], "label": [1, 0]})
    rows = rows.cast_column("label", datasets.ClassLabel(names=["neg", "pos"]))
    asked = []

    def load_dataset(name: str, split: str) -> object:
        asked.append((name, split))
        return rows

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    assert data.load("hf:some/films:test") == data.Labelled(("fine", "dull"), ("pos", "neg"))
    assert data.load("hf:films") and asked == [("some/films", "test"), ("films", "train")]


def test_halves_of_characters_in_json_and_spaces_around_labels() -> None:
    Path("a.jsonl").write_text('{"text": "fine \\ud800 \\ud83d\\ude00", "label": " go\\udc00od "}\n')
    known = data.load("a.jsonl")
    assert known.texts == ("fine \ufffd \U0001f600",) and known.labels == ("go\ufffdod",)
    Path("a.csv").write_text("text,label\nfine,good\nso fine, good\n")
    assert data.load("a.csv").classes() == ("good",)


def test_json_that_is_too_deep_and_quotes_that_are_not_closed_are_said() -> None:
    Path("deep.jsonl").write_text("[" * 200_000)
    with pytest.raises(InputError, match=r"deep\.jsonl, line 1 is no JSON object"):
        data.load("deep.jsonl")
    Path("open.csv").write_text('text,label\na fine film,good\n"never closed,bad\na dull film,bad\n')
    with pytest.raises(InputError, match=r"open\.csv, line 4: .*; is there a quote that isn't closed\?"):
        data.load("open.csv")
    Path("head.csv").write_text('"text,label\na fine film,good\n')
    with pytest.raises(InputError, match=r"head\.csv, line 2: .*; is there a quote that isn't closed\?"):
        data.load("head.csv")
