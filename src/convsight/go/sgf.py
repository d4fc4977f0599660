"""Game records in SGF, read as a stream from files, folders and archives, and written.

A record's text is parsed by sgfmill; here is what surrounds it: finding one game after the other in files of any size, and
what a game of Go is in them. Source: SGF FF[4], https://www.red-bean.com/sgf/.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sgfmill import sgf, sgf_grammar

from convsight.errors import InputError, first_line
from convsight.files import written_whole
from convsight.go.rules import BLACK, LARGEST, SMALLEST, WHITE

EXAMPLE = Path(__file__).parent / "example.sgf"  # games that the network which ships played against itself
LETTERS = "ABCDEFGHJKLMNOPQRST"
_BEGINS = re.compile(rb"\(\s*;")
_ROOT = re.compile(rb"\(\s*;\s*(?:GM|FF)\s*\[")
_TOKEN = re.compile(rb"(?P<value>\[[^\\\]]*(?:\\.[^\\\]]*)*\])|(?P<cut>\[)|(?P<open>\()|\)", re.DOTALL)
_UNDECIDED = 64  # bytes after a bracket in which a root shows itself
_SET_UP = ("AB", "AW", "AE")
_CHUNK, _LONGEST = 1 << 20, 1 << 24
_OPEN: Mapping[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2")
_ENDINGS = (".sgf", ".sgf.gz", ".sgf.xz", ".sgf.bz2", *_ARCHIVES)


@dataclass(frozen=True)
class Record:
    """The main line of a game: stones that were set up before it, and moves, as (colour, point) with a pass at size^2.

    `source` says which game of which file it is. `result` is as written, "B+3.5", "W+Resign", or empty. `cut` says why the
    record ends before the file's does, or is empty.
    """

    size: int
    stones: tuple[tuple[int, int], ...]
    moves: tuple[tuple[int, int], ...]
    komi: float = 0.0
    result: str = ""
    source: str = ""
    cut: str = ""

    def to_play(self, number: int) -> int:
        """Who plays move `number`, from 1: as it is written, or after the last the other side."""
        if number <= len(self.moves):
            return self.moves[number - 1][0]
        return 3 - self.moves[-1][0] if self.moves else WHITE if self.stones else BLACK


def texts(paths: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """(source, bytes) of each game tree in `paths`: SGF files, compressed or not, archives and folders of them.

    A game that is cut off, or longer than 16 MiB, comes as far as it goes. Raises InputError if there is no such file, or it
    can't be read, or a folder holds none.
    """
    for path in paths:
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*") if each.is_file() and each.name.lower().endswith(_ENDINGS))
            if not inside:
                raise InputError(f"the folder {path} holds no .sgf, and no archive of them")
            yield from texts(inside)
            continue
        if not path.exists():
            raise InputError(f"there is no file {path}")
        try:
            for name, stream in _streams(path):
                for number, text in enumerate(split(stream), start=1):
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


def read(text: bytes, source: str = "") -> Record:
    """The main line of the game in `text`. Raises InputError if it is no game of Go that can be read.

    Moves and stones that lie off the board, or stones set up between moves, end the record there.
    """
    try:
        game = sgf.Sgf_game.from_bytes(text, override_encoding="latin-1")
        root = game.get_root()
        if root.has_property("GM") and root.get_raw("GM").strip() not in (b"1", b""):
            raise ValueError("it is another game than Go")
        size = game.get_size()
        if not SMALLEST <= size <= LARGEST:
            raise ValueError(f"a board of {size} lines; here they have {SMALLEST} to {LARGEST}")
        nodes = game.get_main_sequence()
        stones: dict[int, int] = {}
        _set_up(nodes[0], size, stones)
    except (ValueError, KeyError, RecursionError) as error:
        raise InputError(f"{source or 'this record'}: {first_line(error)[:200]}") from None
    moves: list[tuple[int, int]] = []
    cut = ""
    for node in nodes:
        try:
            if node is not root and any(map(node.has_property, _SET_UP)):
                if moves:
                    raise ValueError("stones are set up after the first move")
                _set_up(node, size, stones)
            moves += [
                (colour, _played(node, name, size)) for colour, name in ((BLACK, "B"), (WHITE, "W")) if node.has_property(name)
            ]
        except ValueError as error:
            cut = f"after move {len(moves)}: {first_line(error)}"
            break
    placed = tuple(sorted((colour, point) for point, colour in stones.items()))
    return Record(size, placed, tuple(moves), _number(root, "KM"), _text(root, "RE"), source, cut)


def first(path: Path) -> Record:
    """The first game in `path`. Raises InputError as `texts` and `read` do, or if there is none."""
    for source, text in texts([path]):
        return read(text, source)
    raise InputError(f"{path} holds no game in SGF")


def write(record: Record, path: Path, *, names: tuple[str, str] = ("", ""), rules: str = "Chinese") -> None:
    """`record` as an SGF file, black's and white's names in it. Raises InputError if it can't be written."""
    with written_whole(path) as temporary:
        temporary.write_bytes(text_of(record, names=names, rules=rules))


def text_of(record: Record, *, names: tuple[str, str] = ("", ""), rules: str = "Chinese") -> bytes:
    """`record` as one SGF game tree."""
    game = sgf.Sgf_game(record.size, encoding="UTF-8")
    root = game.get_root()
    root.set("KM", record.komi)
    root.set("RU", rules)
    for name, value in (("PB", names[0]), ("PW", names[1]), ("RE", record.result)):
        if value:
            root.set(name, value)
    if record.stones:
        black, white = (
            [_place(point, record.size) for each, point in record.stones if each == colour] for colour in (BLACK, WHITE)
        )
        root.set_setup_stones(black, white)
    for colour, point in record.moves:
        game.extend_main_sequence().set_move("bw"[colour - 1], _place(point, record.size))
    return bytes(game.serialise())


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
        with _OPEN.get(path.suffix.lower(), open)(path, "rb") as opened:
            yield str(path), opened


def _set_up(node: sgf.Tree_node, size: int, stones: dict[int, int]) -> None:
    """Put the stones that `node` sets up into `stones`, by point, and take off what it empties."""
    try:
        black, white, empty = node.get_setup_stones()
    except ValueError:
        raise ValueError("stones are set up where there is no point of the board") from None
    stones.update({_point(at, size): colour for colour, points in ((BLACK, black), (WHITE, white)) for at in points})
    for at in empty:
        stones.pop(_point(at, size), None)


def _played(node: sgf.Tree_node, name: str, size: int) -> int:
    try:
        at = node.get(name)
    except ValueError:
        raise ValueError("a move is at no point of the board") from None
    return size * size if at is None else _point(at, size)


def _point(at: tuple[int, int], size: int) -> int:
    row, column = at  # sgfmill counts rows from below
    return (size - 1 - row) * size + column


def _place(point: int, size: int) -> tuple[int, int] | None:
    return None if point == size * size else (size - 1 - point // size, point % size)


def _text(root: sgf.Tree_node, name: str) -> str:
    """A property's first value, without its escapes."""
    if not root.has_property(name):
        return ""
    value: bytes = sgf_grammar.simpletext_value(root.get_raw_list(name)[0])
    return value.decode("utf-8", "replace").strip()


def _number(root: sgf.Tree_node, name: str) -> float:
    try:
        number = float(_text(root, name).replace(",", "."))
    except ValueError:
        return 0.0
    return number if abs(number) < 1000 else 0.0


def named(point: int, size: int) -> str:
    """A point as players say it, D4, or pass: letters without I from the left, numbers from below."""
    if point == size * size:
        return "pass"
    return f"{LETTERS[point % size]}{size - point // size}"


def of_name(name: str, size: int) -> int:
    """`named`, backwards, whatever the case. Raises InputError if there is no such point."""
    wanted = name.strip().upper()
    if wanted == "PASS":
        return size * size
    column, row = LETTERS[:size].find(wanted[:1] or "?"), wanted[1:]
    if column < 0 or not row.isdecimal() or len(row) > 2 or not 1 <= int(row) <= size:
        raise InputError(f'there is no point "{name}" on a board of {size} lines')
    return (size - int(row)) * size + column
