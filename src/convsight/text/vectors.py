"""Word vectors from files as word2vec, GloVe, fastText and spaCy write them, read as a stream.

Only the words that are asked for are kept, so a file may be larger than the memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from convsight import assets
from convsight.errors import InputError, did_you_mean
from convsight.files import reading
from convsight.spacy_vectors import hashes, unpacked_rows

Vectors = dict[str, NDArray[np.float32]]
VectorSource = Callable[[Collection[str]], Vectors]
_MOST_NUMBERS = 100_000
_SIGN = re.compile(r"\w+|[^\w\s]")
_LONGEST_WORD = 10_000


def read(path: Path, wanted: Collection[str]) -> Vectors:
    """The vectors (D,) of those of the `wanted` words that the file or spaCy folder at `path` has, or the asset of that name.

    Assets, fetched when first asked for: `glove`, 400,000 words; `english`, spaCy's 20,000; `pieces`, the mean of the vectors
    of a word's pieces. "glove+pieces" joins several, each with mean 0 and deviation 1 over all that it has, or 0 for none.
    Text: a word and its numbers a line, with or without a first line of two counts (word2vec, fastText's .vec, GloVe). Binary:
    word2vec's, if the name ends in .bin. Any of these .gz, .xz or .bz2. If a word is there twice, the first counts.
    Raises InputError if the file can't be read, is cut off, or its vectors are not all of one length.
    """
    names = str(path).split("+")
    if not path.exists() and not path.suffix and all(each in NAMED for each in names):
        return _of_assets(names, wanted)
    if path.is_dir():
        return _of_spacy(path, wanted)
    if not path.exists():
        raise InputError(f"there is no file {path}{did_you_mean(str(path), NAMED)}")
    wanted = frozenset(wanted)
    binary = ".bin" in map(str.lower, path.suffixes)
    found: Vectors = {}
    with reading(path) as stream:
        for word, vector in (_binary if binary else _text)(stream, path, wanted):
            found.setdefault(word, vector)
    return found


def _of_assets(names: Sequence[str], wanted: Collection[str]) -> Vectors:
    parts = []
    for name in names:
        asset, find = NAMED[name]
        kept = assets.tensors(asset)
        found = find(kept, wanted)
        if len(names) == 1:
            return found
        table = kept["vectors"].float()
        mean = table.mean(0).numpy()
        deviation = float((table - table.mean(0)).std(correction=0))
        parts.append(({word: (vector - mean) / deviation for word, vector in found.items()}, np.zeros_like(mean)))
    words = {word: None for found, _ in parts for word in found}
    return {word: np.concatenate([found.get(word, lacking) for found, lacking in parts]) for word in words}


def _text(stream: IO[bytes], path: Path, wanted: Collection[str]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    width, promised, number = 0, 0, 0
    for number, line in enumerate(stream, start=1):
        parts = line.rstrip().split(b" ")
        if number == 1 and len(parts) == 2:
            if not all(each.isdigit() for each in parts):
                raise InputError(f"{path}, line 1: neither the counts of words and numbers, nor a word and its vector")
            promised, width = int(parts[0]), int(parts[1])
            continue
        width = width or len(parts) - 1
        if not 1 <= width <= _MOST_NUMBERS:
            raise InputError(f"{path}, line {number}: not a word and its numbers, a space between them")
        if len(parts) <= width:
            raise InputError(f"{path}, line {number}: {len(parts) - 1} numbers, not {width} as in the lines before")
        if len(parts) > width + 1 and _is_number(parts[-width - 1]):
            raise InputError(f"{path}, line {number}: {len(parts) - 1} numbers, not {width} as in the lines before")
        word = b" ".join(parts[:-width]).decode(errors="replace")
        if word in wanted:
            try:
                vector = np.array(parts[-width:], np.float32)
            except ValueError:
                raise InputError(f"{path}, line {number}: what follows {word!r} are not {width} numbers") from None
            if not np.isfinite(vector).all():
                raise InputError(f"{path}, line {number}: a number of {word!r} is too large, or none")
            yield word, vector
    if number - 1 < promised:
        raise InputError(f"{path} is cut off: it has {number - 1:,} of {promised:,} vectors")


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


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
            vector = np.frombuffer(numbers, "<f4").astype(np.float32)
            if not np.isfinite(vector).all():
                raise InputError(f"{path}: a number of {name!r} is infinite, or none")
            yield name, vector


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
    return {word: np.array(table[row], np.float32) for word, row in found if 0 <= row < len(table)}


def _glove(kept: Mapping[str, Tensor], wanted: Collection[str]) -> Vectors:
    rows = {word: row for row, word in enumerate(_words(kept["words"]))}
    return {word: kept["vectors"][rows[word]].float().numpy() for word in wanted if word in rows}


def _english(kept: Mapping[str, Tensor], wanted: Collection[str]) -> Vectors:
    rows = dict(zip(_words(kept["words"]), kept["rows"].tolist(), strict=True))
    return {word: kept["vectors"][rows[word]].float().numpy() for word in wanted if word in rows}


def _of_pieces(kept: Mapping[str, Tensor], wanted: Collection[str]) -> Vectors:
    numbers = {piece: number for number, piece in enumerate(_words(kept["words"]))}
    longest = max(map(len, numbers))
    found = {word: pieces(word, numbers, longest) for word in wanted}
    return {word: kept["vectors"][numbers].float().mean(0).numpy() for word, numbers in found.items() if numbers}


def pieces(word: str, numbers: Mapping[str, int], longest: int) -> list[int]:
    """The numbers of the pieces of `word`, each the longest that is known; "##" begins those that aren't the first.

    No piece is of more than `longest` letters. What no piece begins with is left out. Source: WordPiece, as Devlin et al. 2019
    use it.
    """
    found = []
    for part in _SIGN.findall(word.lower()):
        start = 0
        while start < len(part):
            ends = range(min(len(part), start + longest), start, -1)
            piece = next((each for end in ends if (each := ("##" if start else "") + part[start:end]) in numbers), None)
            if piece is None:
                break
            found.append(numbers[piece])
            start += len(piece) - (2 if start else 0)
    return found


def _words(lines: Tensor) -> list[str]:
    return lines.numpy().tobytes().decode().split("\n")


NAMED: Mapping[str, tuple[str, Callable[[Mapping[str, Tensor], Collection[str]], Vectors]]] = {
    "glove": ("english_glove", _glove),
    "english": ("english_vectors", _english),
    "pieces": ("english_pieces", _of_pieces),
}
