from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from convsight import InputError, published, spacy_vectors
from convsight.text import vectors

TEXT = "good 0.5 1 -2\nbad 1 2 3\n. . 4 5 6\n"


def written(name: str, content: bytes) -> Path:
    Path(name).write_bytes(content)
    return Path(name)


def word2vec(words: dict[str, list[float]], *, line_ends: bool) -> bytes:
    width = len(next(iter(words.values())))
    end = b"\n" if line_ends else b""
    rows = (word.encode() + b" " + np.array(numbers, "<f4").tobytes() + end for word, numbers in words.items())
    return f"{len(words)} {width}\n".encode() + b"".join(rows)


@pytest.mark.parametrize("first", ["", "3 3\n"], ids=["GloVe", "word2vec"])
def test_text_is_read_with_and_without_its_first_line(first: str) -> None:
    found = vectors.read(written("v.txt", (first + TEXT).encode()), ["good", ". .", "ugly"])
    assert {word: vector.tolist() for word, vector in found.items()} == {"good": [0.5, 1, -2], ". .": [4, 5, 6]}
    assert found["good"].dtype == np.float32


@pytest.mark.parametrize("line_ends", [True, False])
def test_binary_is_read_with_and_without_line_ends(line_ends: bool) -> None:
    content = word2vec({"good": [0.5, 1], "größe": [2, 3], "bad": [10, 32]}, line_ends=line_ends)
    found = vectors.read(written("v.bin", content), ["größe", "bad"])
    assert {word: vector.tolist() for word, vector in found.items()} == {"größe": [2, 3], "bad": [10, 32]}


def test_words_may_have_spaces_and_numbers_within_and_names_bin_within() -> None:
    path = written("v.binned.txt", b"good 1 2 3\napollo 13 mission 4 5 6\n")
    assert vectors.read(path, ["apollo 13 mission"])["apollo 13 mission"].tolist() == [4, 5, 6]


def test_compressed_files_are_read() -> None:
    with gzip.open("v.vec.gz", "wb") as file:
        file.write(TEXT.encode())
    assert list(vectors.read(Path("v.vec.gz"), ["bad"])) == ["bad"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("v.txt", b"good 1 2 3\nbad 1 2\n", "line 2: 2 numbers, not 3"),
        ("v.txt", b"good 1 2 3\nbad 1 2 3 4\n", "line 2: 4 numbers, not 3"),
        ("v.txt", b"good 1 2 3\nbad 1 2 x 4\n", "line 2: 4 numbers, not 3"),
        ("V.BIN", b"good 1 2 3\n", "doesn't begin as a binary file"),
        ("v.txt", b"2 3\ngood 1 2 3 4\nbad 1 2 3 4\n", "line 2: 4 numbers, not 3"),
        ("v.txt", b"30 2\ngood 1 2\nbad 3 4\n", "cut off: it has 2 of 30"),
        ("v.txt", b"good 1 two 3\n", "what follows 'good' are not 3 numbers"),
        ("v.txt", b"good 1\n", "line 1"),
        ("v.bin", b"good 1 2 3\n", "doesn't begin as a binary file"),
        ("v.bin", word2vec({"good": [1, 2], "bad": [3, 4]}, line_ends=True)[:-4], "cut off: it has 1 of 2"),
        ("v.vec.gz", b"no gzip", "can't be read"),
        ("v.txt", b"good 1 2\nbad 1 nan\n", "line 2: a number of 'bad' is too large, or none"),
        ("v.bin", word2vec({"good": [1, float("inf")]}, line_ends=True), "a number of 'good' is infinite"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(name: str, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        vectors.read(written(name, content), ["good", "bad"])
    with pytest.raises(InputError, match="no file"):
        vectors.read(Path("none.txt"), ["good"])


@pytest.mark.parametrize("name", ["v.txt", "v.bin", "v.vec.gz"])
def test_a_large_file_takes_little_memory(name: str) -> None:
    many = {f"word{number}": [number / 7] * 300 for number in range(4_000)}
    content = word2vec(many, line_ends=False) if name == "v.bin" else "".join(
        f"{word} {' '.join(f'{each:.5f}' for each in vector)}\n" for word, vector in many.items()
    ).encode()  # fmt: skip
    path = written(name, gzip.compress(content, 1) if name.endswith(".gz") else content)
    tracemalloc.start()
    found = vectors.read(path, ["word7", "word3999", "none"])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert set(found) == {"word7", "word3999"} and found["word7"].tolist() == [1.0] * 300
    assert peak < 1_000_000 < len(content) / 4


def test_spacys_hash_of_a_word_is_the_published_one() -> None:
    # as spaCy's documentation gives them: "coffee", and the names of parts of speech among its symbols have others
    assert spacy_vectors.hashes(["coffee"]).tolist() == [3197928453018144401]
    assert spacy_vectors.hashes(["apple", "I", "", "Größe und Gewicht"]).dtype == np.uint64


def test_a_word_is_made_of_the_longest_pieces() -> None:
    known = {piece: number for number, piece in enumerate(["un", "##aff", "##able", "##a", "aff", "'", "t", "unaf"])}
    assert vectors.pieces("unaffable", known, 6) == [7]  # what follows "unaf" is no piece
    assert vectors.pieces("unaffable", {piece: known[piece] for piece in ("un", "##aff", "##able")}, 6) == [0, 1, 2]
    assert vectors.pieces("'T", known, 6) == [5, 6] and vectors.pieces("zzz", known, 6) == []
    assert len(vectors.pieces("un" + "a" * 200_000, known, 6)) == 200_001


def test_vectors_that_are_fetched_have_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = torch.frombuffer(bytearray(b"fine\ndull\n##er"), dtype=torch.uint8)
    kept = {"words": lines, "rows": torch.tensor([1, 0, 1]), "vectors": torch.tensor([[1.0, 2], [3, 4], [5, 6]]).half()}
    monkeypatch.setattr(vectors.assets, "tensors", lambda _name: kept)
    assert {word: each.tolist() for word, each in vectors.read(Path("english"), ["fine", "none"]).items()} == {"fine": [3, 4]}
    assert vectors.read(Path("pieces"), ["duller"])["duller"].tolist() == [4, 5]
    Path("english").write_text("fine 7 7\n")
    assert vectors.read(Path("english"), ["fine"])["fine"].tolist() == [7, 7]


def test_vectors_are_joined_by_word_each_part_on_the_scale_of_its_whole_table(monkeypatch: pytest.MonkeyPatch) -> None:
    def kept(words: str, *rows: Sequence[float]) -> dict[str, torch.Tensor]:
        return {"words": torch.tensor(list(words.encode()), dtype=torch.uint8), "vectors": torch.tensor(rows).half()}

    tables = {"english_glove": kept("fine\ndull", [1, 3], [3, 1]), "english_pieces": kept("fine\nfilm", [10], [30])}
    monkeypatch.setattr(vectors.assets, "tensors", tables.__getitem__)
    found = vectors.read(Path("glove+pieces"), ["fine", "dull", "film", "none"])
    expected = {"fine": [-1, 1, -1], "dull": [1, -1, 0], "film": [0, 0, 1]}
    assert {word: each.tolist() for word, each in found.items()} == expected
    for word in expected:  # whatever else is asked for
        assert vectors.read(Path("glove+pieces"), [word])[word].tolist() == expected[word]
    assert vectors.read(Path("glove+pieces"), ["none"]) == {}
    with pytest.raises(InputError, match="there is no file"):
        vectors.read(Path("glove+more"), ["fine"])


def test_glove_is_read_from_its_table_and_index() -> None:
    parquet, arrow = pytest.importorskip("pyarrow.parquet"), pytest.importorskip("pyarrow")
    np.save("table.npy", np.arange(6, dtype=np.float32).reshape(3, 2))
    parquet.write_table(arrow.table({"index": ["the", "\n", "größe"]}), "index.parquet")
    read = published._glove(Path("table.npy"), Path("index.parquet"))
    assert read["vectors"].tolist() == [[0, 1], [4, 5]]
    assert bytes(read["words"].tolist()).decode() == "the\ngröße"


@pytest.mark.parametrize("head", [b"\x83", b"\xde\0\3", b"\xdf\0\0\0\3"])  # msgpack's maps of three, by their size
def test_a_folder_of_spacy_is_read(head: bytes) -> None:
    folder = Path("model/vocab")
    folder.mkdir(parents=True)
    np.save(folder / "vectors.npy", np.arange(6, dtype=np.float32).reshape(3, 2))
    (folder / "vectors.npy").rename(folder / "vectors")
    keys = spacy_vectors.hashes(["coffee", "tea"]).tolist()
    packed = head
    for key, row in zip([*keys, 5], (2, 0, 200), strict=True):
        packed += b"\xcf" + key.to_bytes(8, "big") + (b"\xcc" + bytes([row]) if row > 127 else bytes([row]))
    (folder / "key2row").write_bytes(packed)
    (folder / "strings.json").write_text(json.dumps(["tea", "coffee", "none"]))
    for place in (Path("model"), folder):
        found = vectors.read(place, ["coffee", "none"])
        assert {word: vector.tolist() for word, vector in found.items()} == {"coffee": [4, 5]}
    assert spacy_vectors.words_and_rows(folder / "strings.json", folder / "key2row") == {"coffee": 2, "tea": 0}
    (folder / "key2row").write_bytes(packed[:-3])
    with pytest.raises(InputError, match="can't be read"):
        vectors.read(folder, ["coffee"])
    with pytest.raises(InputError, match="holds no vectors of spaCy"):
        vectors.read(Path(), ["coffee"])
