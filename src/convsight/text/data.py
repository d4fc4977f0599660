"""Files to samples: texts with their classes, from the forms in which people keep them, and how they are split."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from convsight.errors import InputError, did_you_mean, extra, first_line
from convsight.files import COMPRESSED, reading

_LONGEST_FIELD = 2**31 - 1
_TOGETHER = 5_000
_TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")
_ACCENTED, _CHINESE = re.compile(rb"[\x80-\xff]"), re.compile(rb"(?:[\xb0-\xf7][\xa1-\xfe]){2}")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LONE_HALF = re.compile("[\ud800-\udfff]")  # of a character that UTF-16 writes as two, which JSON's escapes may cut off
HUB = "hf:"


@dataclass(frozen=True)
class Labelled:
    """`texts` and, for each, the name of its class."""

    texts: tuple[str, ...]
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def classes(self) -> tuple[str, ...]:
        """The names of all classes, in alphabetical order."""
        return tuple(sorted(set(self.labels)))

    def numbers(self, classes: Sequence[str]) -> list[int]:
        """Each text's class as its place among `classes`, of which a word may be the beginning, such as pos of positive.

        Raises InputError if a label is none of them.
        """
        meant = {}
        for label in self.labels:
            begun = [label] if label in classes else [each for each in classes if label.isalpha() and each.startswith(label)]
            if len(begun) != 1:
                raise InputError(f'the class "{label}" is none of {", ".join(classes)}, which the network knows')
            meant[label] = classes.index(begun[0])
        return [meant[label] for label in self.labels]

    def chosen(self, places: Iterable[int]) -> Labelled:
        """Those at `places`."""
        some = list(places)
        return Labelled(tuple(self.texts[each] for each in some), tuple(self.labels[each] for each in some))

    def balance(self) -> str:
        """How many texts each class has."""
        return ", ".join(f"{count:,} {label}" for label, count in Counter(self.labels).most_common())


def load(source: str | Path, *, text: str = "text", label: str = "label") -> Labelled:
    """The texts of `source` and their classes.

    A table (.csv, .tsv, or .jsonl with an object a line) with the columns `text` and `label`; a folder with a file of lines for
    each class (pos.txt, neg.txt) or a folder of texts for each; or a .txt of lines that each begin with a class. Files may be
    .gz, .xz or .bz2. "hf:NAME" is the training part of a data set of Hugging Face, "hf:NAME:SPLIT" another. They are read
    as `decoded` says. The columns of a .csv may be parted by semicolons; quotes have no meaning in a .tsv.
    Raises InputError if there is no such file, column or data set, something is cut off, a text has no class, or no text is
    there.
    """
    if str(source).startswith(HUB):
        found = list(_of_hub(str(source).removeprefix(HUB), text, label))
    elif Path(source).is_dir():
        found = list(_of_folder(Path(source)))
    else:
        found = list(_of_file(Path(source), text, label))
    if not found:
        raise InputError(f"there is no text in {source}")
    return Labelled(tuple(each for each, _ in found), tuple(each for _, each in found))


def folds(labels: Sequence[str], count: int, *, seed: int = 0) -> list[list[int]]:
    """The places of all samples in `count` parts, each with about the same part of every class, at random."""
    random = np.random.default_rng(seed)
    parts: list[list[int]] = [[] for _ in range(count)]
    dealt = 0
    for each in sorted(set(labels)):
        for place in random.permutation([number for number, label in enumerate(labels) if label == each]).tolist():
            parts[dealt % count].append(place)
            dealt += 1
    return [sorted(part) for part in parts]


def kept_to_judge(known: Labelled, *, seed: int = 0) -> tuple[Labelled, Labelled]:
    """Those to learn from and one in ten to judge by, of each class; a class's only text is learnt.

    Raises InputError if that leaves none to judge by.
    """
    counts = Counter(known.labels)
    first, *rest = folds(known.labels, 10, seed=seed)
    judged = [each for each in first if counts[known.labels[each]] > 1]
    if not judged:
        raise InputError("there are too few texts to keep one in ten to judge by; give some apart")
    learnt = sorted({*first, *chain(*rest)} - set(judged))
    return known.chosen(learnt), known.chosen(judged)


def in_both(first: Labelled, second: Labelled) -> int:
    """How many texts of `second` are also, word for word, in `first`."""
    known = set(first.texts)
    return sum(text in known for text in second.texts)


def lines(path: Path) -> Iterator[str]:
    """The lines of a text file, compressed or not, without their ends, as `decoded` reads them."""
    yield from (line.rstrip("\r\n") for line in io.StringIO(_content(path)))


def texts(path: Path, *, column: str = "text") -> Iterator[list[str]]:
    """The texts in a table's `column`, or the lines of any other file, some thousands together.

    Raises InputError if the file can't be read, or there is no such column.
    """
    if _kind(path) in _TABLES:
        rows = (row[0] for _, row in _rows(path, [column]))
        while some := list(islice(rows, _TOGETHER)):
            yield some
        return
    with reading(path) as stream:
        if path.is_file() and stream.read(2) in _UTF16:
            yield list(lines(path))
            return
    with reading(path) as stream:
        yield from as_they_come(stream)


def as_they_come(stream: IO[bytes]) -> Iterator[list[str]]:
    """The lines of `stream`, without their ends, as many together as have come."""
    read: Any = stream.read1  # type: ignore[attr-defined]  # files, pipes and what is compressed have it
    left = b""
    while block := read(1 << 20):
        *whole, left = (left + block).split(b"\n")
        if whole:
            yield [decoded(each).rstrip("\r") for each in whole]
    if left:
        yield [decoded(left).rstrip("\r")]


def decoded(content: bytes) -> str:
    """UTF-8, UTF-16 with its mark, Chinese in GB 18030, or else Windows-1252; bytes of zero are spaces."""
    if content.startswith(_UTF16):
        return content.decode("utf-16", "replace")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        accented = len(_ACCENTED.findall(content))
        chinese = 8 * len(_CHINESE.findall(content)) > accented  # pairs, not letters with an accent here and there
        text = content.decode("gb18030" if chinese else "cp1252", "replace")
    return text.replace("\0", " ")


def _of_folder(folder: Path) -> Iterator[tuple[str, str]]:
    inside = sorted(each for each in folder.iterdir() if not each.name.startswith("."))
    for each in inside:
        if each.is_dir():
            for file in sorted(part for part in each.rglob("*") if part.is_file() and not part.name.startswith(".")):
                yield _content(file).strip(), each.name
        elif ".txt" in each.suffixes:
            name = each.name.partition(".txt")[0]
            yield from ((line.strip(), name) for line in lines(each) if line.strip())


def _of_file(path: Path, text: str, label: str) -> Iterator[tuple[str, str]]:
    if _kind(path) in _TABLES:
        for number, (words, name) in _rows(path, (text, label)):
            if not name.strip():
                raise InputError(f"{path}, line {number}: the text has no class; give it one, or leave the line out")
            yield words, name.strip()
    elif _kind(path) == ".txt":
        for number, line in enumerate(lines(path), start=1):
            name, _, rest = line.strip().partition(" ")
            if name and not rest:
                raise InputError(f"{path}, line {number}: a class, a space and a text, but there is one word only")
            if name:
                yield rest, name
    elif path.exists():
        raise InputError(f"{path} should be a folder, or end in .csv, .tsv, .jsonl or .txt (a class, a space, a text a line)")
    else:
        raise InputError(f"there is no file or folder {path}")


def _kind(path: Path) -> str:
    return next((each for each in reversed(path.suffixes) if each.lower() not in COMPRESSED), "").lower()


def _rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """The number of each line of a table, and what stands there in `columns`."""
    if _kind(path) not in (".csv", ".tsv"):
        yield from _json_lines(path, columns)
        return
    csv.field_size_limit(_LONGEST_FIELD)
    content = _content(path)
    head = content.partition("\n")[0]
    tabs = _kind(path) == ".tsv"
    rows = csv.reader(
        io.StringIO(content, newline=""),
        delimiter="\t" if tabs else ";" if head.count(";") > head.count(",") else ",",
        quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL,
        strict=not tabs,
    )
    try:
        names = next(rows, [])
        if not names:
            raise InputError(f"{path} is empty, or its first line is; that names the columns")
        yield from _cells(path, rows, names, [_column(path, names, each) for each in columns])
    except csv.Error as error:
        raise InputError(f"{path}, line {rows.line_num}: {error}; is there a quote that isn't closed?") from None


def _cells(path: Path, rows: Any, names: list[str], places: list[int]) -> Iterator[tuple[int, list[str]]]:
    for row in rows:
        if row and len(row) != len(names):
            raise InputError(f"{path}, line {rows.line_num}: {len(row)} columns, not {len(names)} as in the first line")
        if row:
            yield rows.line_num, [row[place] for place in places]


def _json_lines(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(lines(path), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise InputError(f"{path}, line {number} is no JSON object")
        for each in columns:
            _column(path, list(row), each)
            if row[each] is None:
                raise InputError(f"{path}, line {number}: {each} is null; give it, or leave the line out")
        yield number, [_LONE_HALF.sub("\ufffd", str(row[each])) for each in columns]


def _of_hub(spec: str, text: str, label: str) -> Iterator[tuple[str, str]]:
    datasets = extra("datasets", "hub")
    name, _, split = spec.partition(":")
    try:
        rows = datasets.load_dataset(name, split=split or "train")
    except Exception as error:  # what a hub or a data set makes its library raise is not bounded
        raise InputError(f"cannot load {HUB}{name}: {first_line(error)}") from None
    for each in (text, label):
        _column(Path(name), rows.column_names, each)
    names = getattr(rows.features[label], "names", None)
    for row in rows:
        yield str(row[text]), names[row[label]] if names else str(row[label]).strip()


def _column(path: Path, names: list[str], wanted: str) -> int:
    if wanted not in names:
        raise InputError(f'{path} has no column "{wanted}"{did_you_mean(wanted, names)}; it has {", ".join(names) or "none"}')
    return names.index(wanted)


def _content(path: Path) -> str:
    with reading(path) as file:
        return decoded(file.read())
