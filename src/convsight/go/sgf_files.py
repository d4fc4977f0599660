"""The texts of game records in files of any size, one after the other, from files, folders and archives.

Source: SGF FF[4], https://www.red-bean.com/sgf/.
"""

from __future__ import annotations

import codecs
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from convsight.errors import InputError, first_line
from convsight.files import opened

_BEGINS = re.compile(rb"\(\s*;")
_ROOT = re.compile(rb"\(\s*;\s*(?:GM|FF)\s*\[")
_TOKEN = re.compile(rb"(?P<value>\[[^\\\]]*(?:\\.[^\\\]]*)*\])|(?P<cut>\[)|(?P<open>\()|\)", re.DOTALL)
_ENCODING = re.compile(rb"CA\s*\[\s*([A-Za-z0-9_-]+)\s*\]")
_BRACKET_LIKE = {"shift_jis": "cp932", "sjis": "cp932", "cp932": "cp932", "gb": "gb18030", "big5": "big5hkscs"}
_UNDECIDED = 64  # bytes after a bracket in which a root shows itself
_CHUNK, _LONGEST = 1 << 20, 1 << 24
_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2")
_ENDINGS = (".sgf", ".sgf.gz", ".sgf.xz", ".sgf.bz2", *_ARCHIVES)


def texts(paths: Iterable[Path], *, on_damaged: Callable[[InputError], None] | None = None) -> Iterator[tuple[str, bytes]]:
    """(source, bytes) of each game tree in `paths`: SGF files, compressed or not, archives and folders of them.

    A game that is cut off, or longer than 16 MiB, comes as far as it goes. Raises InputError if there is no such file, or it
    can't be read, or a folder holds none; of a file in a folder that can't be read, `on_damaged` is told, if it is given.
    """
    for path in paths:
        try:
            folder, there = path.is_dir(), path.exists()
        except OSError as error:
            raise InputError(f"{path} can't be read: {error.strerror}") from None
        if folder:
            inside = sorted(each for each in path.rglob("*") if each.is_file() and each.name.lower().endswith(_ENDINGS))
            if not inside:
                raise InputError(f"the folder {path} holds no .sgf, and no archive of them")
            for each in inside:
                try:
                    yield from texts([each])
                except InputError as error:
                    if on_damaged is None:
                        raise
                    on_damaged(error)
            continue
        if not there:
            raise InputError(f"there is no file {path}")
        try:
            for name, stream in _streams(path):
                for number, text in enumerate(split(_as_utf8(stream)), start=1):
                    yield f"{name}, game {number}", text
        except Exception as error:  # what a damaged archive makes its reader raise is not bounded
            damaged = isinstance(error, zlib.error | TypeError | ValueError)
            raise InputError(f"{path} can't be read: {'it is damaged' if damaged else first_line(error)[:200]}") from None


def split(stream: IO[bytes]) -> Iterator[bytes]:
    """The game trees in `stream`, one after the other; what lies between them is passed over.

    A tree that isn't closed ends where the next one begins with a root's properties, after 16 MiB, or with the stream.
    """
    text, start, place, depth, ended = b"", 0, 0, 0, False
    while not ended:
        kept = start if depth else place
        carried = len(text) - kept  # with as much more, a value of many chunks isn't looked through for each of them
        chunk = stream.read(max(_CHUNK, min(carried, _LONGEST - carried)))
        ended = not chunk
        text, start, place = text[kept:] + chunk, 0, place - kept
        while True:
            if depth == 0:
                begins = _BEGINS.search(text, place)
                if begins is None:
                    bracket = text.rfind(b"(", place)
                    place = bracket if bracket >= 0 and not text[bracket + 1 :].strip() else len(text)
                    break
                start, place, depth = begins.start(), begins.start() + 1, 1
            token = _TOKEN.search(text, place)
            if token is None or token.lastgroup == "cut":
                place = len(text) if token is None else token.start()
                break
            if token.lastgroup == "open":
                if not ended and len(text) - token.start() < _UNDECIDED:
                    place = token.start()
                    break
                if _ROOT.match(text, token.start()):
                    yield text[start : token.start()]
                    start, depth = token.start(), 0
                depth += 1
            elif token.lastgroup is None:
                depth -= 1
                if depth == 0:
                    yield text[start : token.end()]
            place = token.end()
        if depth and len(text) - start > _LONGEST:
            yield text[start:]
            start, place, depth = len(text), len(text), 0
    if depth:
        yield text[start:]


def _streams(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    name = path.name.lower()
    if name.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            for each in archive.infolist():
                if each.filename.lower().endswith(".sgf"):
                    with archive.open(each) as inside:
                        yield f"{path}/{each.filename}", inside
    elif name.endswith(_ARCHIVES):
        with tarfile.open(path, "r|*") as tape:
            for member in tape:
                wanted = member.isfile() and member.name.lower().endswith(".sgf")
                stream = tape.extractfile(member) if wanted else None
                if stream is not None:
                    with stream:
                        yield f"{path}/{member.name}", stream
    else:
        with opened(path) as stream:
            yield str(path), stream


def _as_utf8(stream: Any) -> IO[bytes]:
    """`stream`; in UTF-8 if its first game says that it is in an encoding in which parts of letters look like brackets."""
    codec = bracket_like(stream.peek(_UNDECIDED * 64))
    return codecs.EncodedFile(stream, "utf-8", codec, "replace") if codec else stream


def bracket_like(text: bytes) -> str | None:
    """The codec that the beginning of `text` names, if parts of letters look like brackets in it: `texts` makes it UTF-8."""
    said = _ENCODING.search(text[: _UNDECIDED * 64])
    name = said[1].decode("ascii").lower().replace("-", "_") if said else ""
    return next((each for kind, each in _BRACKET_LIKE.items() if name.startswith(kind)), None)
