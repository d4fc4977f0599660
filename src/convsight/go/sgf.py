"""Game records in SGF, read and written: sgfmill parses the text, here is what a game of Go is in it.

Source: SGF FF[4], https://www.red-bean.com/sgf/.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sgfmill import sgf, sgf_grammar

from convsight.errors import InputError, first_line
from convsight.files import written_whole
from convsight.go import sgf_files
from convsight.go.rules import BLACK, LARGEST, SMALLEST, WHITE

EXAMPLE = Path(__file__).parent / "example.sgf"  # games that the network which ships played against itself
LETTERS = "ABCDEFGHJKLMNOPQRST"
_SET_UP = ("AB", "AW", "AE")


@dataclass(frozen=True)
class Record:
    """The main line of a game: stones that were set up before it, and moves, as (colour, point) with a pass at size^2.

    `komi`: None if none is written. `result` is as written, "B+3.5", "W+Resign", or empty. `source` says which game of which
    file it is. `cut` says why the record ends before the file's does, or is empty. `turn`: who is to move after the stones were
    set up, if that is written.
    """

    size: int
    stones: tuple[tuple[int, int], ...]
    moves: tuple[tuple[int, int], ...]
    komi: float | None = None
    result: str = ""
    source: str = ""
    cut: str = ""
    turn: int | None = None

    def to_play(self, number: int) -> int:
        """Who plays move `number`, from 1: as it is written, or after the last the other side."""
        if number <= len(self.moves):
            return self.moves[number - 1][0]
        if self.moves:
            return 3 - self.moves[-1][0]
        return self.turn or (WHITE if self.stones else BLACK)

    def check_size(self, size: int) -> None:
        """Raise InputError unless the game is on a board of `size`, that of a network."""
        if self.size != size:
            raise InputError(f"{self.source or 'the game'} is on {self.size} lines; the network plays on {size}")


@dataclass(frozen=True)
class Note:
    """What is written into a record at a position: a comment and letters on points, both in ASCII.

    `instead`: colour, point and comment of a move that becomes a variation there. `hot`: programs find the position again (HO).
    """

    comment: str = ""
    letters: Mapping[int, str] = field(default_factory=dict)
    instead: tuple[int, int, str] | None = None
    hot: bool = False


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
    cut, turn = "", None
    for node in nodes:
        try:
            if node is not root and any(map(node.has_property, _SET_UP)):
                if moves:
                    raise ValueError("stones are set up after the first move")
                _set_up(node, size, stones)
            turn = turn if moves else _turn(node) or turn
            moves += [
                (colour, _played(node, name, size)) for colour, name in ((BLACK, "B"), (WHITE, "W")) if node.has_property(name)
            ]
        except ValueError as error:
            cut = f"after move {len(moves)}: {first_line(error)}"
            break
    placed = tuple(sorted((colour, point) for point, colour in stones.items()))
    return Record(size, placed, tuple(moves), _komi(root), _text(root, "RE"), source, cut, turn)


def first(path: Path) -> Record:
    """The first game in `path`. Raises InputError as `first_text` and `read` do."""
    source, text = first_text(path)
    return read(text, source)


def first_text(path: Path) -> tuple[str, bytes]:
    """Source and text of the first game in `path`. Raises InputError as `texts` does, or if there is none."""
    for source, text in sgf_files.texts([path]):
        return source, text
    raise InputError(f"{path} holds no game in SGF")


def names(text: bytes) -> tuple[str, str]:
    """Black's and white's names in the game `text`, which `read` can read, empty where there is none."""
    root = sgf_grammar.parse_sgf_game(text).sequence[0]
    charset = root.get("CA", [b""])[0].decode("ascii", "replace").strip()

    def named(name: str) -> str:
        value: bytes = sgf_grammar.simpletext_value(root.get(name, [b""])[0])
        for encoding in ("utf-8", charset):
            with suppress(LookupError, ValueError):  # no such encoding, or the name is in another
                return value.decode(encoding).strip()
        return value.decode("latin-1").strip()

    return named("PB"), named("PW")


def annotated(text: bytes, notes: Mapping[int, Note]) -> bytes:
    """The game `text`, which `read` can read, with `notes` by how many moves of its main line were played before.

    All that it holds stays: a comment goes behind the one that is there, letters only where a position has none of its own, a
    variation behind the others. A position to which no node belongs, before a move in the root, has only its comment written.
    """
    tree = sgf_grammar.parse_sgf_game(text)
    charset = tree.sequence[0].get("CA")
    game = sgf.Sgf_game.from_coarse_game_tree(tree, override_encoding="latin-1")
    root, nodes = game.get_root(), game.get_main_sequence()
    begins: dict[int, sgf.Tree_node] = {}
    ends: dict[int, sgf.Tree_node] = {}
    count = 0
    for node in nodes:
        count += node.has_property("B") + node.has_property("W")
        begins.setdefault(count, node)
        ends[count] = node
    for number, note in notes.items():
        node, last = begins.get(number, root), ends.get(number)
        if note.comment:
            _comment(node, note.comment)
        if note.hot and not node.has_property("HO"):
            node.set("HO", 1)
        if last is not None and note.letters and not last.has_property("LB"):
            last.set("LB", [(_place(point, game.size), letter) for point, letter in note.letters.items()])
        if last is not None and note.instead:
            colour, point, comment = note.instead
            other = last.new_child()
            other.set_move("bw"[colour - 1], _place(point, game.size))
            _comment(other, comment)
    if charset is None:
        root.unset("CA")
    else:
        root.set_raw_list("CA", [b"UTF-8"] if sgf_files.bracket_like(text) else charset)
    whole = sgf_grammar.make_coarse_game_tree(root, lambda node: node, sgf.Node.get_raw_property_map)
    return bytes(sgf_grammar.serialise_game_tree(whole, wrap=79))


def write(record: Record, path: Path, *, names: tuple[str, str] = ("", ""), rules: str = "Chinese") -> None:
    """`record` as an SGF file, black's and white's names in it. Raises InputError if it can't be written."""
    with written_whole(path) as temporary:
        temporary.write_bytes(text_of(record, names=names, rules=rules))


def text_of(record: Record, *, names: tuple[str, str] = ("", ""), rules: str = "Chinese") -> bytes:
    """`record` as one SGF game tree."""
    game = sgf.Sgf_game(record.size, encoding="UTF-8")
    root = game.get_root()
    root.set("RU", rules)
    if record.komi is not None:
        root.set("KM", record.komi)
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


def _comment(node: sgf.Tree_node, comment: str) -> None:
    """Write `comment` into `node`, behind the one that is there, whatever that one's encoding."""
    before, *more = node.get_raw_list("C") if node.has_property("C") else [b""]
    added = sgf_grammar.escape_text(comment.encode("ascii"))
    node.set_raw_list("C", [before + b"\n\n" + added if before else added, *more])


def _text(root: sgf.Tree_node, name: str) -> str:
    """A property's first value, without its escapes."""
    if not root.has_property(name):
        return ""
    value: bytes = sgf_grammar.simpletext_value(root.get_raw_list(name)[0])
    return value.decode("utf-8", "replace").strip()


def _komi(root: sgf.Tree_node) -> float | None:
    try:
        number = float(_text(root, "KM").replace(",", "."))
    except ValueError:
        return None
    return number if abs(number) < 1000 else None


def _turn(node: sgf.Tree_node) -> int | None:
    return {"B": BLACK, "W": WHITE}.get(_text(node, "PL").upper()[:1])


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
