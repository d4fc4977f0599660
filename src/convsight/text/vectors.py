"""Word vectors from files as word2vec, GloVe, fastText and spaCy write them, read as a stream.

Only the words that are asked for are kept, so a file may be larger than the memory.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from convsight.errors import InputError

Vectors = dict[str, NDArray[np.float32]]
_OPEN: Mapping[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
_MOST_NUMBERS = 100_000
_LONGEST_WORD = 10_000


def read(path: Path, wanted: Collection[str]) -> Vectors:
    """The vectors (D,) of those of the `wanted` words that the file or spaCy folder at `path` has.

    Text: a word and its numbers a line, with or without a first line of two counts (word2vec, fastText's .vec, GloVe). Binary:
    word2vec's, if the name ends in .bin. Any of these .gz, .xz or .bz2. If a word is there twice, the first counts.
    Raises InputError if the file can't be read, is cut off, or its vectors are not all of one length.
    """
    if path.is_dir():
        return _of_spacy(path, wanted)
    if not path.exists():
        raise InputError(f"there is no file {path}")
    wanted = frozenset(wanted)
    binary = ".bin" in path.suffixes
    found: Vectors = {}
    try:
        with _OPEN.get(path.suffix, open)(path, "rb") as stream:
            for word, vector in (_binary if binary else _text)(stream, path, wanted):
                found.setdefault(word, vector)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise InputError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from None
    return found


def _text(stream: IO[bytes], path: Path, wanted: Collection[str]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    width = 0
    for number, line in enumerate(stream, start=1):
        parts = line.rstrip().split(b" ")
        if number == 1 and len(parts) == 2:
            if not all(each.isdigit() for each in parts):
                raise InputError(f"{path}, line 1: neither the counts of words and numbers, nor a word and its vector")
            width = int(parts[1])
            continue
        width = width or len(parts) - 1
        if not 1 <= width <= _MOST_NUMBERS or len(parts) <= width:
            raise InputError(f"{path}, line {number}: {len(parts) - 1} numbers, not {width} as in the lines before")
        word = b" ".join(parts[:-width]).decode(errors="replace")
        if word in wanted:
            try:
                vector = np.array(parts[-width:], np.float32)
            except ValueError:
                raise InputError(f"{path}, line {number}: what follows {word!r} are not {width} numbers") from None
            yield word, vector


def _binary(stream: IO[bytes], path: Path, wanted: Collection[str]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    header = stream.readline(100).split()
    if len(header) != 2 or not all(each.isdigit() for each in header) or not 1 <= int(header[1]) <= _MOST_NUMBERS:
        raise InputError(f"{path} doesn't begin as a binary file of word2vec: with the counts of words and of numbers")
    count, width = map(int, header)
    for number in range(count):
        word = bytearray()
        while (letter := stream.read(1)) not in (b" ", b"") and len(word) < _LONGEST_WORD:
            word += letter
        numbers = stream.read(4 * width)
        if letter != b" " or len(numbers) < 4 * width:
            raise InputError(f"{path} is cut off: it has {number:,} of {count:,} vectors")
        name = word.lstrip(b"\n").decode(errors="replace")
        if name in wanted:
            yield name, np.frombuffer(numbers, "<f4").astype(np.float32)


def _of_spacy(folder: Path, wanted: Collection[str]) -> Vectors:
    places = [folder, folder / "vocab"]
    place = next((each for each in places if (each / "vectors").exists() and (each / "key2row").exists()), None)
    if place is None:
        raise InputError(f"the folder {folder} holds no vectors of spaCy (vocab/vectors and vocab/key2row)")
    try:
        table = np.load(place / "vectors", mmap_mode="r", allow_pickle=False)
        rows = unpacked_rows((place / "key2row").read_bytes())
    except (OSError, ValueError, IndexError) as error:
        raise InputError(f"the vectors of spaCy in {folder} can't be read: {error}") from None
    words = list(wanted)
    found = ((word, rows.get(key, -1)) for word, key in zip(words, hashes(words).tolist(), strict=True))
    return {word: np.asarray(table[row], np.float32) for word, row in found if 0 <= row < len(table)}


def spacy_words(strings: Path, key2row: Path) -> dict[str, int]:
    """Of spaCy's strings.json and key2row, which word has which row of the table."""
    words = json.loads(strings.read_bytes())
    rows = unpacked_rows(key2row.read_bytes())
    return {word: rows[key] for word, key in zip(words, hashes(words).tolist(), strict=True) if key in rows}


def unpacked_rows(packed: bytes) -> dict[int, int]:
    """A map of whole numbers as msgpack writes it. Raises ValueError or IndexError if it is none."""
    if packed[0] != 0xDF:
        raise ValueError("key2row is no map")
    sizes = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
    place, numbers = 5, []
    for _ in range(2 * int.from_bytes(packed[1:5], "big")):
        kind = packed[place]
        size = 0 if kind < 0x80 else sizes.get(kind, -1)
        if size < 0 or place + 1 + size > len(packed):
            raise ValueError("key2row holds something else than whole numbers, or is cut off")
        signed = kind >= 0xD0
        numbers.append(int.from_bytes(packed[place + 1 : place + 1 + size], "big", signed=signed) if size else kind)
        place += 1 + size
    return dict(zip(numbers[::2], numbers[1::2], strict=True))


def hashes(words: Collection[str]) -> NDArray[np.uint64]:
    """spaCy's number of each word, (N,): MurmurHash64A of its UTF-8, with seed 1. Source: Appleby 2011, MurmurHash2.cpp."""
    encoded = [each.encode() for each in words]
    lengths = np.array([len(each) for each in encoded], np.int64)
    mix, shift = np.uint64(0xC6A4A7935BD1E995), np.uint64(47)
    answers = np.zeros(len(encoded), np.uint64)
    for length in np.unique(lengths):
        which = np.flatnonzero(lengths == length)
        blocks = -(-int(length) // 8)
        padded = b"".join(encoded[each].ljust(8 * blocks, b"\0") for each in which)
        block = np.frombuffer(padded, "<u8").reshape(len(which), blocks)
        state = np.full(len(which), np.uint64(1) ^ np.uint64(int(length) * int(mix) % 2**64))
        for each in range(int(length) // 8):
            part = block[:, each] * mix
            state = (state ^ ((part ^ (part >> shift)) * mix)) * mix
        if length % 8:
            state = (state ^ block[:, -1]) * mix
        state = (state ^ (state >> shift)) * mix
        answers[which] = state ^ (state >> shift)
    return answers
