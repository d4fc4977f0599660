"""Word vectors as spaCy keeps them: a table, which word's number has which row, and the words."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def words_and_rows(strings: Path, key2row: Path) -> dict[str, int]:
    """Of spaCy's strings.json and key2row, which word has which row of the table."""
    words = json.loads(strings.read_bytes())
    rows = unpacked_rows(key2row.read_bytes())
    return {word: rows[key] for word, key in zip(words, hashes(words).tolist(), strict=True) if key in rows}


def unpacked_rows(packed: bytes) -> dict[int, int]:
    """A map of whole numbers as msgpack writes it. Raises ValueError or IndexError if it is none."""
    counted_in = {0xDE: 2, 0xDF: 4}.get(packed[0], 0)  # bytes
    if not counted_in and packed[0] & 0xF0 != 0x80:
        raise ValueError("key2row is no map")
    count = int.from_bytes(packed[1 : 1 + counted_in], "big") if counted_in else packed[0] & 0x0F
    sizes = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
    place, numbers = 1 + counted_in, []
    for _ in range(2 * count):
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
