from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import get_args

import pytest

from convsight import training
from convsight.cli import text_options
from convsight.text import draw, model
from convsight.text.encode import TOKENISERS
from tests.conftest import Run

ROWS = [("a fine film", "good"), ("truly fine , moving", "good"), ("a dull film", "bad"), ("silly , dull and long", "bad")] * 12


def table(path: str = "reviews.csv") -> Path:
    Path(path).write_text("text,label\n" + "".join(f'"{text}",{label}\n' for text, label in ROWS))
    return Path(path)


def trained(convsight: Run, *more: str) -> str:
    done = convsight("text", "train", table(), "--epochs", 12, "--out", "mine.safetensors", *more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_network_is_trained_on_a_table_judged_and_used(convsight: Run) -> None:
    told = trained(convsight)
    assert "43 texts to learn from" in told and "5 to judge by" in told and "are also among those" in told
    judged = convsight("text", "evaluate", "reviews.csv", "--network", "mine.safetensors")
    assert judged.returncode == 0 and "48 of 48 right, 100.00%" in judged.stdout and "called good" in judged.stdout
    used = convsight("text", "classify", "fine and moving", "so dull", "--network", "mine.safetensors")
    assert [line.split("\t")[0] for line in used.stdout.splitlines()] == ["good", "bad"]


def test_texts_stream_through_standard_input(convsight: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(convsight)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"fine\r\n\ndull film\nfine \xff")))
    used = convsight("text", "classify", "-", "--network", "mine.safetensors", "--form", "jsonl")
    rows = [json.loads(line) for line in used.stdout.splitlines()]
    assert [row["text"] for row in rows] == ["fine", "", "dull film", "fine ÿ"]
    assert rows[0]["label"] == "good" and rows[2]["label"] == "bad"
    assert sum(rows[0]["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    Path("lines.txt").write_text("fine\ndull\n")
    assert len(convsight("text", "classify", "lines.txt", "--network", "mine.safetensors").stdout.splitlines()) == 2
    both = convsight("text", "classify", "lines.txt", "a fine\tfilm\n " + "dull " * 200, "--network", "mine.safetensors")
    texts = [line.split("\t")[2].strip() for line in both.stdout.splitlines()]
    assert texts == ["fine", "dull", "a fine film  " + "dull " * 199 + "dull"]
    column = convsight("text", "classify", "reviews.csv", "--network", "mine.safetensors")
    assert [line.split("\t")[2] for line in column.stdout.splitlines()] == [text for text, _ in ROWS]
    Path("empty.txt").touch()
    none = convsight("text", "classify", "empty.txt", "--network", "mine.safetensors")
    assert none.returncode == 2 and "there is no text in empty.txt" in none.stderr
    typed = convsight("text", "classify", "line.txt", "--network", "mine.safetensors")
    assert typed.returncode == 2 and "there is no file line.txt" in typed.stderr
    broken = convsight("text", "classify", os.fsdecode(b"caf\xe9"), "--network", "mine.safetensors")
    assert broken.returncode == 0 and broken.stdout.endswith("café\n")


def test_vectors_are_begun_with(convsight: Run) -> None:
    words = ("fine", "moving", "dull", "silly", "film")
    Path("v.txt").write_text("".join(f"{word} {number} {-number} {number % 2}\n" for number, word in enumerate(words, 1)))
    told = trained(convsight, "--vectors", "v.txt")
    assert "5 of 10 words have a vector" in told
    wrong = convsight("text", "train", "reviews.csv", "--embeddings", "static")
    assert wrong.returncode == 2 and "static needs word vectors" in wrong.stderr


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"review,label\nfine,good\n", 'no column "text"; it has review, label'),
        ("a.csv", b"text,label\n" + b"fine,good\n" * 20, "two classes at least, not 1"),
        ("a.csv", b"", "a.csv is empty"),
        ("a.csv", b"text,label\n", "there is no text in a.csv"),
        ("a.csv", b"text,label\nfine\n", "line 2: 1 columns, not 2"),
        ("a.jsonl", b'{"text": "fine", "label": "good"}\nno\n', "line 2 is no JSON object"),
        ("a.txt", b"good fine film\nbad\n", "line 2"),
        ("a.docx", b"PK", "should be a folder, or end in"),
        ("a.csv.gz", b"no gzip", "can't be read"),
    ],
)
def test_what_is_wrong_with_texts_is_said(convsight: Run, name: str, content: bytes, message: str) -> None:
    Path(name).write_bytes(content)
    done = convsight("text", "train", name)
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr
    assert not Path("text.safetensors").exists()


def test_a_decision_is_explained_in_colours_and_as_a_page(convsight: Run) -> None:
    trained(convsight)
    told = convsight("text", "explain", "a <fine> film , moving", "--network", "mine.safetensors", "--out", "why.html")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("good, ") and "a fine film , moving" in told.stdout
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in told.stdout.splitlines() if line.startswith("│")]
    for column in (2, 3):
        parts = [float(row[column]) for row in rows]
        assert sum(parts[:-1]) == pytest.approx(parts[-1], abs=0.01)
    page = Path("why.html").read_text()
    assert all(f"<td>{row[2]}</td><td>{row[3]}</td>" in page for row in rows)
    drawn = convsight("text", "explain", "a fine film", "--network", "mine.safetensors", "--out", "why.png")
    assert drawn.returncode == 0 and Path("why.png").read_bytes().startswith(b"\x89PNG")
    assert "<fine>" not in Path("why.html").read_text() and "fine</span>" in Path("why.html").read_text()


def test_names_of_classes_cannot_write_a_page_and_pictures_say_what_they_cannot_draw(
    convsight: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(f"很好 {number}", "</title><script>") if number % 2 else (f"不好 {number}", "bad") for number in range(20)]
    Path("a.csv").write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows), encoding="utf-8")
    assert convsight("text", "train", "a.csv", "--tokeniser", "unicode", "--out", "mine.safetensors").returncode == 0
    page = convsight("text", "explain", "很好 1", "--network", "mine.safetensors", "--out", "why.html")
    assert page.returncode == 0 and "<script>" not in Path("why.html").read_text(encoding="utf-8")
    assert "很好" in Path("why.html").read_text(encoding="utf-8")
    shown = convsight("text", "show", "--network", "mine.safetensors")
    assert shown.returncode == 0 and "很好" in shown.stdout
    monkeypatch.setattr(draw, "_FONTS", ("none.ttf",))
    drawn = convsight("text", "explain", "很好 1", "--network", "mine.safetensors", "--out", "why.png")
    assert drawn.returncode == 2 and "no font here" in drawn.stderr and not Path("why.png").exists()


def test_a_checkpoint_of_other_labels_is_not_gone_on_from(convsight: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*given: object, on_step: object, **options: object) -> None:
        def stop(step: int, _loss: float) -> None:
            if step:
                raise KeyboardInterrupt

        training.train(*given, on_step=stop, checkpoint_seconds=0.0, **options)

    table()
    command = ("text", "train", "reviews.csv", "--epochs", 25, "--out", "mine.safetensors")
    monkeypatch.setattr(model, "train", interrupted)
    assert "goes on from mine.checkpoint" in convsight(*command).stderr
    monkeypatch.setattr(model, "train", training.train)
    assert Path("mine.checkpoint").exists() and not Path("mine.safetensors").exists()
    right = Path("reviews.csv").read_text()
    Path("reviews.csv").write_text(right.replace("good", "so").replace("bad", "good").replace("so", "bad"))
    other = convsight(*command)
    assert other.returncode == 2 and "is of a training with content" in other.stderr
    Path("reviews.csv").write_text(right)
    again = convsight(*command)
    assert again.returncode == 0 and "going on from mine.checkpoint" in again.stdout and not Path("mine.checkpoint").exists()


def test_what_filters_look_for_is_said(convsight: Run) -> None:
    trained(convsight)
    told = convsight("text", "show", "--network", "mine.safetensors", "--texts", "reviews.csv")
    assert told.returncode == 0, told.stderr
    assert told.stdout.count("of all n-grams of its words") == 6 and "it tells something from" in told.stdout
    one = convsight("text", "show", "--network", "mine.safetensors", "--filter", 299)
    assert "Filter 299" in one.stdout and "word 5" in one.stdout
    wrong = convsight("text", "show", "--network", "mine.safetensors", "--filter", 300)
    assert wrong.returncode == 2 and "no filter 300" in wrong.stderr


def test_labels_unseen_in_training_are_said(convsight: Run) -> None:
    trained(convsight)
    Path("more.csv").write_text("text,label\nfine,great\n")
    early = convsight("text", "train", "reviews.csv", "--validation", "more.csv", "--out", "other.safetensors")
    assert early.returncode == 2 and 'the class "great"' in early.stderr and not Path("other.safetensors").exists()
    done = convsight("text", "evaluate", "more.csv", "--network", "mine.safetensors")
    assert done.returncode == 2 and 'the class "great" is none of bad, good' in done.stderr


def test_what_the_options_offer_is_what_there_is() -> None:
    assert get_args(text_options.Embeddings) == get_args(model.Embeddings)
    assert get_args(text_options.Tokeniser) == tuple(TOKENISERS)


def test_the_benchmark_writes_a_table_beside_kims(convsight: Run) -> None:
    for name, text in (("good", "fine film"), ("bad", "dull film")):
        Path("sets/mr").mkdir(parents=True, exist_ok=True)
        Path(f"sets/mr/{name}.txt").write_text("\n".join(f"{text} {number}" for number in range(20)))
    Path("v.txt").write_text("fine 1 2\ndull 2 1\nfilm 0 1\n")
    done = convsight("text", "benchmark", "sets", "--vectors", "v.txt")
    assert done.returncode == 0, done.stderr
    lines = Path("text.md").read_text().splitlines()
    assert len(lines) == 6 and all(line in done.stdout for line in lines[2:])
    assert [line.split("|")[2].strip() for line in lines[2:]] == ["rand", "static", "non-static", "multichannel"]
    assert [line.split("|")[5].strip() for line in lines[2:]] == ["76.1", "81.0", "81.5", "81.1"]
