"""Picture files as people have them, and as they go wrong; each `write` leaves one in the current folder."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image


def _colours(width: int, height: int) -> Image.Image:
    small = np.random.default_rng(0).integers(0, 255, (9, 12, 3)).astype(np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def _sixteen_bits(name: str) -> None:
    Image.fromarray(np.asarray(_colours(120, 90).convert("L"), np.uint16) * 257).save(name)


def _see_through(name: str) -> None:
    picture = _colours(120, 90).convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize((120, 90)))
    picture.save(name)


def _turned(name: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    _colours(90, 120).save(name, exif=exif)


def _animated(name: str) -> None:
    frames = [_colours(120, 90).rotate(each) for each in (0, 90, 180)]
    frames[0].save(name, save_all=True, append_images=frames[1:])


def _cut_off(name: str) -> None:
    _colours(120, 90).save(name)
    Path(name).write_bytes(Path(name).read_bytes()[:1500])


def _enormous(name: str) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1_000_000), 9)
    Path(name).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))


READABLE: dict[str, Callable[[str], None]] = {  # all of 120 x 90 pixels, seen upright
    "cmyk.jpg": lambda name: _colours(120, 90).convert("CMYK").save(name),
    "sixteen.png": _sixteen_bits,
    "palette.png": lambda name: _colours(120, 90).convert("P").save(name),
    "grey.png": lambda name: _colours(120, 90).convert("L").save(name),
    "see-through.png": _see_through,
    "turned.jpg": _turned,
    "animated.gif": _animated,
}
REFUSED: dict[str, tuple[Callable[[str], None], str]] = {
    "cut.jpg": (_cut_off, "cut.jpg cannot be read as a picture"),
    "words.jpg": (lambda name: Path(name).write_text("no picture"), "words.jpg is not a picture"),
    "empty.png": (lambda name: Path(name).touch(), "empty.png is not a picture"),
    "enormous.png": (_enormous, "more than 200,000,000"),
    "folder.jpg": (lambda name: Path(name).mkdir(), "folder.jpg is a folder"),
}
EXTREME: dict[str, tuple[int, int]] = {"point.png": (1, 1), "line.png": (30_000, 10)}


def write_extreme(name: str) -> None:
    """One of `EXTREME`."""
    _colours(*EXTREME[name]).save(name)
