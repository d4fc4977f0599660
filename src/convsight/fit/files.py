"""Files to labelled arrays: `.npz`, a folder of pictures, a table of series."""

from __future__ import annotations

import csv
import zlib
from itertools import chain
from pathlib import Path
from typing import Any, TextIO
from zipfile import BadZipFile, is_zipfile

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from convsight.errors import InputError
from convsight.fit.applications import Arrays

_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
_NAMES = ("label", "class", "target", "y")


def read(source: Path, *, size: int = 32) -> Arrays:
    """What is in a file or folder.

    An `.npz` has `x` and `y`, and perhaps `groups` and `axes`; pictures lie in a folder a class, and are scaled to `size`;
    a table (.csv, .tsv) has a series a row and its class in the column `label`, or, without names of columns, in the first, and
    perhaps its group in the column `group`; numbers for classes that aren't all whole are told as numbers.

    Raises InputError if it is none of these, or can't be read.
    """
    if source.is_dir():
        return _pictures(source, size)
    if not source.is_file():
        raise InputError(f"there is no file or folder {source}")
    if source.suffix.lower() == ".npz":
        return _npz(source)
    if source.suffix.lower() in (".csv", ".tsv"):
        return _table(source)
    raise InputError(f"{source} is no .npz, .csv, .tsv, or folder of pictures")


def _npz(path: Path) -> Arrays:
    if not is_zipfile(path):
        raise InputError(f"cannot read {path}: it is no .npz, as numpy.savez writes it, or not whole")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, BadZipFile, EOFError, NotImplementedError, zlib.error) as error:
        if "allow_pickle" in str(error):
            raise InputError(
                f"{path} holds Python objects, which aren't unpickled; save numbers and names as plain arrays"
            ) from None
        raise InputError(f"cannot read {path}: {error}") from None
    if missing := [name for name in ("x", "y") if name not in arrays]:
        raise InputError(f'{path} has no array "{missing[0]}"; it has {", ".join(arrays) or "none"}')
    axes = tuple(map(str, np.atleast_1d(arrays["axes"]))) if "axes" in arrays else None
    return Arrays(arrays["x"], arrays["y"], axes, arrays.get("groups"))


def _pictures(folder: Path, size: int) -> Arrays:
    found = sorted(each for each in folder.glob("*/*") if each.suffix.lower() in _PICTURES)
    if not found:
        raise InputError(f"{folder} holds no folders with pictures, a folder a class")
    rows = []
    for each in found:
        try:
            with Image.open(each) as picture:
                rows.append(np.asarray(picture.convert("RGB").resize((size, size), Image.Resampling.LANCZOS)))
        except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
            raise InputError(f"cannot read {each}: {error}") from None
    x = np.stack(rows).transpose(0, 3, 1, 2)
    grey = bool((x == x[:, :1]).all())
    return Arrays(x[:, 0] if grey else x, np.array([each.parent.name for each in found]), ("height", "width"))


def _table(path: Path) -> Arrays:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _series(file, "\t" if path.suffix.lower() == ".tsv" else ",", path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot read {path}: {error}") from None


def _series(file: TextIO, delimiter: str, path: Path) -> Arrays:
    """Row by row: as text all of a long table would take many times its numbers."""
    reader = csv.reader(file, delimiter=delimiter)
    rows = filter(None, reader)
    head = next(rows, None)
    if head is None:
        raise InputError(f"{path} is empty")
    if len(head) == 1:
        raise InputError(f"{path} has one column; a .csv has a comma between columns, a .tsv a tab")
    names = [each.strip().lower() for each in head]
    place = next((names.index(name) for name in _NAMES if name in names), None)
    group = names.index("group") if "group" in names else None
    series: list[NDArray[np.float32]] = []
    labels: list[str] = []
    groups: list[str] = []
    for row in chain([head], rows) if place is None else rows:
        line = f"{path}, line {reader.line_num}"
        if len(row) != len(head):
            raise InputError(f"{line} has not as many columns as the first: {len(row)}, not {len(head)}")
        series.append(_numbers(row, {place or 0, group}, line))
        labels.append(row[place or 0].strip())
        groups += [row[group].strip()] if group is not None else []
        if "" in (labels[-1], *groups[-1:]):
            raise InputError(f"{line}: the column of {'classes' if not labels[-1] else 'groups'} is empty there")
    if not series:
        raise InputError(f"{path} has names of columns, and no series")
    return Arrays(np.stack(series), _told(labels), ("time",), None if group is None else np.array(groups))


def _told(labels: list[str]) -> NDArray[Any]:
    """Numbers, if all are and some aren't whole; else classes."""
    try:
        numbers = np.array(labels, float)
    except ValueError:
        return np.array(labels)
    return np.array(labels) if (numbers == numbers.round()).all() else numbers


def _numbers(row: list[str], others: set[int | None], line: str) -> NDArray[np.float32]:
    numbers = [each for place, each in enumerate(row) if place not in others]
    try:
        return np.array(numbers, np.float32)
    except ValueError as error:
        raise InputError(f"{line}: not a class and numbers ({error}); the column of classes is called label") from None
