from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import tarfile
import time
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sgfmill import sgf as sgfmill_sgf
from sgfmill import sgf_grammar

from convsight import InputError
from convsight.go import data, sgf, sgf_files
from convsight.go.rules import BLACK, EMPTY, WHITE
from convsight.go.sgf import Record
from tests.gnugo import vertex

MEBI = 1 << 20
SMALL = b"(;GM[1]FF[4]SZ[9]KM[6.5]RE[B+2.5];B[aa];W[bb];B[])"
TREE = (
    b"(;GM[1]FF[4]SZ[9]KM[6.5]RE[B+R]CA[UTF-8]AB[aa][bb:cc]AW[dd]C[one \\] (;B[ee\\]) [two];W[ee];B[ff]C[)]\n"
    b"(;W[gg];B[](;W[ha])(;W[hb]))(;W[hh];B[hi]))"
)


def read_by_sgfmill(text: bytes) -> tuple[object, ...]:
    """Size, komi, stones and moves of the main line, by sgfmill alone."""
    game = sgfmill_sgf.Sgf_game.from_bytes(text)
    size = game.get_size()

    def point(place: tuple[int, int]) -> int:
        return (size - 1 - place[0]) * size + place[1]

    stones: dict[int, int] = {}
    moves = []
    for node in game.get_main_sequence():
        for colour, places in zip((BLACK, WHITE, EMPTY), node.get_setup_stones(), strict=True):
            stones.update({point(place): colour for place in places})
        name, place = node.get_move()
        if name is not None:
            moves.append(("bw".index(name) + 1, size * size if place is None else point(place)))
    return size, game.get_komi(), tuple(sorted((colour, at) for at, colour in stones.items() if colour != EMPTY)), tuple(moves)


def read(text: bytes) -> tuple[object, ...]:
    record = sgf.read(text)
    assert record.cut == ""
    return record.size, record.komi or 0.0, record.stones, record.moves


def read_all(path: Path) -> list[Record]:
    return [sgf.read(text, source) for source, text in sgf_files.texts([path])]


def split(text: bytes) -> list[bytes]:
    return list(sgf_files.split(io.BytesIO(text)))


def moves_of(text: bytes) -> list[tuple[tuple[int, int], ...]]:
    return [sgf.read(each).moves for each in split(text)]


@pytest.mark.parametrize(
    "text",
    [
        SMALL,
        TREE,
        b"(;)",
        b"(;GM[1];B[aa];W[ss];B[tt];W[])",
        b"(;FF[3]GM[1]SZ[13]KM[0.5];B[tt];W[mm];B[])",
        b"(;SZ[5]GM[1]FF[4];B[ee])",
        b"(;KM[-3.5]AW[ab]SZ[9]AB[ba]FF[4]GM[1]PL[W];W[cc]N[name])",
        b"(;SZ[9]AB[aa:cc][ee]AW[gd:hd][ia:ia]AE[bb];B[dd])",
        b"(;SZ[9]AB[aa]AB[bb];AW[cc];AE[aa];B[dd])",
        b"(;SZ[9]HA[2]AB[gc][cg]PL[W];W[ee])",
        b"(;SZ[9]AB[]AW[ab];W[ee])",
        b"(\r\n;\t FF [4]\nGM\n[1] SZ[ 9 ]\n\n;B\n[ aa ]\n)".replace(b"[ aa ]", b"[aa]"),
        b"(;Size[19]SZ[9];Black[aa];White[bb])",
        b"(;SZ[9];C[no move];B[aa];N[none];W[bb]BL[30]OW[2])",
        b"(;SZ[9];C[\\\\];B[aa]C[\\\\\\]];W[bb]C[a\\\nb];B[cc])",
        b"(;SZ[9];B[aa](;W[bb](;B[cc])(;B[dd];W[ee]))(;W[ff]))",
        b"(;SZ[9](;B[bb])(;B[cc]))",
        b"(;SZ[9];B[aa];B[bb];B[cc];W[dd];W[ee])",
        b"From: someone\n\n(;SZ[9];B[aa]) -- \nbye",
        b"\xef\xbb\xbf(;SZ[9]CA[UTF-8];B[aa])",
        b"(;SZ[9]KM[1e1];B[aa]LB[aa:1][bb:\\]]TR[cc];W[bb])",
    ],
)  # fmt: skip
def test_a_record_is_read_as_sgfmill_reads_it(text: bytes) -> None:
    assert read(text) == read_by_sgfmill(text)
    assert [read(each) for each in split(text)] == [read_by_sgfmill(text)]


NASTY = st.text(st.sampled_from("]\\[();:BW ab\n\r\té棋"), max_size=12)


@st.composite
def trees(draw: st.DrawFn) -> bytes:
    """A game tree with variations, stones and comments, as sgfmill writes it."""
    size = draw(st.integers(5, 19))
    places = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1))
    game = sgfmill_sgf.Sgf_game(size)
    game.get_root().set("KM", draw(st.integers(-40, 40)) / 4)
    stones = draw(st.lists(places, max_size=6, unique=True))
    game.get_root().set_setup_stones(stones[::2], stones[1::2])
    nodes = [game.get_root()]
    for index, colour, place, comment in draw(
        st.lists(st.tuples(st.integers(0, 20), st.sampled_from("bw"), st.none() | places, NASTY), max_size=20)
    ):
        node = nodes[index % len(nodes)].new_child(0 if index % 3 == 0 else None)
        node.set_move(colour, place)
        if comment:
            node.set("C", comment)
        nodes.append(node)
    return bytes(game.serialise(wrap=draw(st.sampled_from([None, 20, 79]))))


@settings(deadline=None)
@given(trees(), st.lists(st.sampled_from(["", "\n", "junk, junk; ", "]", ")", "\\", "-- "]), min_size=2, max_size=4))
def test_any_tree_is_read_as_sgfmill_reads_it_wherever_it_lies(text: bytes, between: list[str]) -> None:
    assert read(text) == read_by_sgfmill(text)
    collection = text.join(each.encode() for each in ["", *between])
    assert [read(each) for each in split(collection)] == [read_by_sgfmill(text)] * len(between)


def test_only_the_main_line_of_a_tree_is_read() -> None:
    record = sgf.read(TREE, "tree")
    assert record == Record(
        size=9,
        stones=((1, 0), (1, 10), (1, 11), (1, 19), (1, 20), (2, 30)),
        moves=((2, 40), (1, 50), (2, 60), (1, 81), (2, 7)),
        komi=6.5,
        result="B+R",
        source="tree",
    )


@pytest.mark.parametrize(
    "between",
    [
        b"", b" \n\t\r\n ", b"Some words; and others, = 3.\n", b") ", b"] ", b"[1] ", b"\x00\xff\x1a", b";B[aa] ", b"\\",
        b"(see below) ", b":-( ", b"(", b"[ ", b"[see (below ",
    ],
)  # fmt: skip
@pytest.mark.parametrize("start", [b"(;GM[1]FF[4]SZ[9]", b"(;SZ[9]GM[1]FF[4]"])
def test_junk_between_games_is_passed_over(between: bytes, start: bytes) -> None:
    games = [start + b";B[aa];W[bb])", start + b"C[((;[\\]];B[cc])", start + b";B[dd](;W[ee])(;W[ff]))"]
    text = between + between.join(games) + between
    assert len(sgf_grammar.parse_sgf_collection(text)) == 3
    assert moves_of(text) == [((1, 0), (2, 10)), ((1, 20),), ((1, 30), (2, 40))]


@pytest.mark.parametrize("end", [b"", b";", b";W[bb]", b"(;W[bb]", b"(;W[bb])(;W[cc]", b";W"])
def test_a_game_that_is_cut_off_ends_where_the_next_begins(end: bytes) -> None:
    broken = b"(;GM[1]SZ[9];B[aa]" + end
    assert split(broken + SMALL + broken) == [broken, SMALL, broken]
    with pytest.raises(InputError, match=r"unexpected end of SGF data|property with no values"):
        sgf.read(broken)


def test_a_game_that_is_cut_off_within_a_value_takes_no_more_than_the_next_with_it() -> None:
    assert split(b"(;GM[1]SZ[9];B[a" + SMALL + TREE)[-1] == TREE


TOKENS = [
    b"(;GM[1]", b"( ; FF [4]", b"(\n;\nGM\n[1]", b"(", b")", b";", b"(;", b"B[aa]", b"C[(;GM[1\\]]", b"C[", b"]", b"[", b"\\",
    b"\\]", b"x", b" ", b" " * 70, b";B[bb])", b"[x]",
]  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=25), st.integers(1, 12))
@example([b"(;GM[1]", b";B[bb])", b"(;GM[1]", b"(;GM[1]", b";B[bb])"], 1)
def test_a_stream_is_split_alike_whatever_its_chunks(parts: list[bytes], chunk: int) -> None:
    text = b"".join(parts)
    whole = split(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sgf_files, "_CHUNK", chunk)
        assert split(text) == whole


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 64, 1000])
def test_whole_games_are_found_whatever_the_chunks(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    games = [SMALL, TREE, b"( ;\n GM [1] SZ[9] ;B[aa])", b"(;GM[1]C[" + b"\\]" * 100 + b"(;GM[1\\];B[aa\\])])"] * 3
    monkeypatch.setattr(sgf_files, "_CHUNK", chunk)
    assert split(b" junk\n ".join(games)) == games


def test_a_game_that_is_too_long_comes_as_far_as_it_goes_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sgf_files, "_CHUNK", 100)
    monkeypatch.setattr(sgf_files, "_LONGEST", 1000)
    long = b"(;GM[1]SZ[9]" + b";B[aa];W[bb]" * 200 + b")"
    first, *others = split(long + SMALL)
    assert long.startswith(first) and 1000 < len(first) < 1300
    assert others == [SMALL]


@pytest.mark.parametrize(
    "extra",
    [
        "GN[柯洁]CA[GB2312]".encode("gb2312"), "PB[柯洁]PW[連]".encode("gbk"), "PB[井山裕太]CA[Shift_JIS]".encode("shift_jis"),
        "PB[이세돌]CA[EUC-KR]".encode("euc_kr"), "PB[é]CA[UTF-8]".encode("latin-1"), b"CA[no such]PB[x\xff\xfe]", b"CA[]",
        b"CA[\xff]", b"PB[\x00\x01]", "PB[柯洁]".encode(),
    ],
)  # fmt: skip
def test_a_record_in_any_encoding_is_read(extra: bytes) -> None:
    record = sgf.read(b"(;GM[1]SZ[9]" + extra + b"RE[W+R];B[aa];W[bb])")
    assert record.moves == ((1, 0), (2, 10))
    assert record.result == "W+R"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"(;GM[6]SZ[9];B[aa])", "^of it: it is another game than Go$"),
        (b"(;GM[2])", "^of it: it is another game than Go$"),
        (b"(;SZ[4];B[aa])", "^of it: a board of 4 lines; here they have 5 to 19$"),
        (b"(;SZ[21];B[aa])", "^of it: a board of 21 lines; here they have 5 to 19$"),
        (b"(;SZ[19:9];B[aa])", "^of it: .*SZ.*19:9"),
        (b"(;SZ[];B[aa])", "^of it: .*SZ"),
        (b"(;SZ[99];B[aa])", "^of it: .*99"),
        (b"(;SZ[9];B[aa]", "^of it: unexpected end of SGF data$"),
        (b"(;SZ[9]B;W[aa])", "^of it: property with no values$"),
        (b"", "^of it: no SGF data found$"),
        (b"\x00" * 100, "^of it: no SGF data found$"),
        (b"not a game", "^of it: no SGF data found$"),
    ],
)
def test_what_is_no_game_of_go_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        sgf.read(text, "of it")


def test_a_record_without_a_source_says_so() -> None:
    with pytest.raises(InputError, match=r"^this record: no SGF data found$"):
        sgf.read(b"")


@pytest.mark.parametrize(
    ("text", "player"),
    [
        (b"(;SZ[9]AB[dd]AW[ee]PL[B])", BLACK), (b"(;SZ[9]PL[W])", WHITE), (b"(;SZ[9]AB[dd];PL[black])", BLACK),
        (b"(;SZ[9]AB[dd])", WHITE), (b"(;SZ[9])", BLACK), (b"(;SZ[9]PL[B];W[aa])", BLACK),
    ],
)  # fmt: skip
def test_who_is_to_move_is_as_written(text: bytes, player: int) -> None:
    record = sgf.read(text)
    assert record.to_play(len(record.moves) + 1) == player


@pytest.mark.parametrize(("encoding", "event"), [("Shift_JIS", "第一章戦 五十表"), ("GB18030", "乗誱"), ("Big5", "功許")])
def test_letters_that_hold_brackets_do_not_hide_moves(encoding: str, event: str) -> None:
    written = event.encode(encoding)
    assert b"\\" in written or b"]" in written or encoding == "GB18030"
    Path("old.sgf").write_bytes(b"(;SZ[9]CA[" + encoding.encode() + b"]EV[" + written + b"];B[aa];W[bb];B[cc])" + SMALL)
    first, second = read_all(Path("old.sgf"))
    assert len(first.moves) == 3 and len(second.moves) == 3


def test_a_damaged_file_in_a_folder_is_told_and_the_others_are_read() -> None:
    Path("many").mkdir()
    Path("many/a.sgf").write_bytes(SMALL)
    Path("many/b.sgf.gz").write_bytes(gzip.compress(SMALL)[:-20])
    Path("many/c.sgf").write_bytes(SMALL)
    moves, report = data.load([Path("many")], 9)
    assert len(moves) == 2 and report.left_out == 1
    assert list(report.reasons) == ["a file that can't be read"] and "many/b.sgf.gz" in report.examples[0]
    with pytest.raises(InputError, match="can't be read"):
        data.load([Path("many/b.sgf.gz")], 9)


@pytest.mark.parametrize("size", range(5, 20))
def test_boards_of_five_to_nineteen_lines_are_read(size: int) -> None:
    last = bytes([96 + size]) * 2
    assert sgf.read(b"(;SZ[%d];B[%s];W[])" % (size, last)).moves == ((1, size * size - 1), (2, size * size))


@pytest.mark.parametrize(
    "komi",
    [
        (b"6.5", 6.5), (b"6,5", 6.5), (b" 7 ", 7.0), (b"-0.5", -0.5), (b"", None), (b"six", None), (b"nan", None),
        (b"inf", None), (b"1e999", None), (b"1000", None), (b"9" * 400, None), (b"\xff", None),
    ],
)  # fmt: skip
def test_komi_that_cannot_be_is_none(komi: tuple[bytes, float | None]) -> None:
    assert sgf.read(b"(;SZ[9]KM[" + komi[0] + b"];B[aa])").komi == komi[1]


@pytest.mark.parametrize("wrong", [b"W[zz]", b"W[ja]", b"W[aj]", b"W[a]", b"W[abc]", b"W[AA]", b"W[bb][cc]", b"W[\xff\xff]"])
def test_a_record_ends_before_a_move_that_lies_nowhere(wrong: bytes) -> None:
    record = sgf.read(b"(;SZ[9];B[aa];" + wrong + b";B[cc])", "of it")
    assert record.moves == ((1, 0),)
    assert record.cut.startswith("after move 1: ")
    assert clear(record.cut)


@pytest.mark.parametrize("wrong", [b"[zz]", b"[tt]", b"[a]", b"[aa:zz]", b"[bb:aa]", b"[aa:bb:cc]"])
def test_stones_that_lie_nowhere_are_said_clearly(wrong: bytes) -> None:
    with pytest.raises(InputError, match=r"^of it: ") as error:
        sgf.read(b"(;SZ[9]AB" + wrong + b";B[cc])", "of it")
    assert clear(str(error.value))
    record = sgf.read(b"(;SZ[9];AW" + wrong + b";B[cc])", "of it")
    assert record.moves == () and clear(record.cut)


def test_a_record_ends_before_stones_that_are_set_up_within_the_game() -> None:
    record = sgf.read(b"(;SZ[9]AB[ee];AW[dd];B[aa];AE[ee];W[bb])")
    assert record.stones == ((1, 40), (2, 30))
    assert record.moves == ((1, 0),)
    assert record.cut == "after move 1: stones are set up after the first move"


def archive(ending: str, members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    if ending == ".zip":
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in members.items():
                file.writestr(name, content)
    else:
        compression = {".tgz": "gz"}.get(ending, ending.removeprefix(".tar").removeprefix("."))
        with tarfile.open(fileobj=made, mode=f"w:{compression}") as tape:
            folder = tarfile.TarInfo("folder.sgf")
            folder.type = tarfile.DIRTYPE
            tape.addfile(folder)
            for name, content in members.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tape.addfile(member, io.BytesIO(content))
    return made.getvalue()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    ".sgf": bytes,
    ".SGF": bytes,
    ".sgf.gz": gzip.compress,
    ".sgf.xz": lzma.compress,
    ".sgf.bz2": bz2.compress,
}
ARCHIVES = [".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2"]


@pytest.mark.parametrize("ending", PACKED)
def test_a_file_is_read_compressed_or_not(ending: str) -> None:
    path = Path(f"games{ending}")
    path.write_bytes(PACKED[ending](SMALL + b"\n" + TREE))
    assert [(each.source, len(each.moves)) for each in read_all(path)] == [
        (f"games{ending}, game 1", 3),
        (f"games{ending}, game 2", 5),
    ]


@pytest.mark.parametrize("ending", ARCHIVES)
def test_an_archive_is_read_and_other_files_in_it_are_not(ending: str) -> None:
    path = Path(f"games{ending}")
    members = {"a.sgf": SMALL + TREE, "notes.txt": SMALL, "in/棋 b.SGF": TREE, "empty.sgf": b""}
    path.write_bytes(archive(ending, members))
    assert [(each.source, len(each.moves)) for each in read_all(path)] == [
        (f"games{ending}/a.sgf, game 1", 3),
        (f"games{ending}/a.sgf, game 2", 5),
        (f"games{ending}/in/棋 b.SGF, game 1", 5),
    ]


def test_a_folder_is_read_with_all_that_is_in_it_in_order() -> None:
    inner = Path("games/b/c")
    inner.mkdir(parents=True)
    (inner / "y.sgf").write_bytes(SMALL)
    (inner / "z.zip").write_bytes(archive(".zip", {"in.sgf": TREE}))
    Path("games/a.sgf.gz").write_bytes(gzip.compress(TREE))
    Path("games/readme.txt").write_bytes(SMALL)
    Path("games/d.sgf").mkdir()
    assert [each.source for each in read_all(Path("games"))] == [
        "games/a.sgf.gz, game 1",
        "games/b/c/y.sgf, game 1",
        "games/b/c/z.zip/in.sgf, game 1",
    ]


def test_the_first_game_of_a_file_may_be_asked_for() -> None:
    Path("games.sgf").write_bytes(b"junk " + TREE + SMALL)
    assert sgf.first(Path("games.sgf")) == sgf.read(TREE, "games.sgf, game 1")
    Path("none.sgf").write_bytes(b"junk")
    with pytest.raises(InputError, match=r"^none.sgf holds no game in SGF$"):
        sgf.first(Path("none.sgf"))


def test_what_is_not_there_is_said() -> None:
    Path("empty").mkdir()
    with pytest.raises(InputError, match=r"^the folder empty holds no .sgf, and no archive of them$"):
        list(sgf_files.texts([Path("empty")]))
    with pytest.raises(InputError, match=r"^there is no file none.sgf$"):
        list(sgf_files.texts([Path("none.sgf")]))


@pytest.mark.parametrize("ending", [*ARCHIVES, ".sgf.gz", ".sgf.xz", ".sgf.bz2"])
@pytest.mark.parametrize("content", [b"", SMALL, b"\x00" * 1000, b"\x1f\x8b\x08\x00", b"\x1f\x8b\x08", b"BZh9", b"PK\x03\x04"])
def test_what_is_no_archive_is_said_or_holds_no_game(ending: str, content: bytes) -> None:
    path = Path(f"games{ending}")
    path.write_bytes(content)
    try:
        assert list(sgf_files.texts([path])) == []
    except InputError as error:
        assert re.match(f"^games{ending} can't be read: .", str(error)) and clear(str(error))


def test_an_archive_with_damaged_names_is_said() -> None:
    name = "棋.sgf".encode()
    Path("games.zip").write_bytes(archive(".zip", {"棋.sgf": SMALL}).replace(name, b"\xff" * 3 + name[3:]))
    with pytest.raises(InputError, match=r"^games.zip can't be read: "):
        list(sgf_files.texts([Path("games.zip")]))


records = st.integers(5, 19).flatmap(
    lambda size: st.builds(
        Record,
        size=st.just(size),
        stones=st.sets(st.integers(0, size * size - 1), max_size=9).flatmap(lambda points: colourings(points)),
        moves=st.lists(st.tuples(st.sampled_from([BLACK, WHITE]), st.integers(0, size * size)), max_size=40).map(tuple),
        komi=st.integers(-300, 300).map(lambda quarters: quarters / 4),
        result=st.sampled_from(["", "B+3.5", "W+Resign", "Void", "0", "?"]),
    )
)


def colourings(points: set[int]) -> st.SearchStrategy[tuple[tuple[int, int], ...]]:
    """Stones as `read` sorts them: black before white."""
    return st.lists(st.sampled_from([BLACK, WHITE]), min_size=len(points), max_size=len(points)).map(
        lambda colours: tuple(sorted(zip(colours, points, strict=True)))
    )


@settings(deadline=None)
@given(records, st.tuples(NASTY, st.text(st.characters(codec="utf-8"), max_size=9)))
def test_a_written_record_is_read_back_the_same(record: Record, names: tuple[str, str]) -> None:
    text = sgf.text_of(record, names=names, rules="Japanese")
    assert sgf.read(text) == record
    assert split(b"junk " + text + text) == [text.rstrip()] * 2
    by_sgfmill = sgfmill_sgf.Sgf_game.from_bytes(text)
    assert by_sgfmill.get_root().get("RU") == "Japanese"
    assert read_by_sgfmill(text) == (record.size, record.komi, record.stones, record.moves)


def test_a_record_is_written_whole_and_names_and_rules_are_in_it(tmp_path: Path) -> None:
    record = Record(9, ((BLACK, 20),), ((WHITE, 40), (BLACK, 81)), 0.5, "W+1.5")
    sgf.write(record, tmp_path / "new" / "game.sgf", names=("Kim [9p]", "柯洁\\"))
    game = sgfmill_sgf.Sgf_game.from_bytes((tmp_path / "new" / "game.sgf").read_bytes())
    assert (game.get_player_name("b"), game.get_player_name("w")) == ("Kim [9p]", "柯洁\\")
    assert game.get_root().get("RU") == "Chinese"
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        sgf.write(record, tmp_path / "file" / "game.sgf")


def test_a_result_with_brackets_is_read_back_the_same() -> None:
    record = Record(9, (), (), result="B+R [time\\]")
    assert sgf.read(sgf.text_of(record)) == record


def after_setup(record: Record) -> dict[int, int]:
    colours: dict[int, int] = {}
    for colour, point in record.stones:
        colours[point] = colour
    return {point: colour for point, colour in colours.items() if colour != EMPTY}


@pytest.mark.parametrize(
    "text", [b"(;SZ[9]AB[aa];AE[aa];B[bb])", b"(;SZ[9]AW[aa];AB[aa];B[bb])", b"(;SZ[9]AB[aa];AW[aa];B[bb])"]
)
def test_stones_that_were_taken_away_or_changed_stay_so_when_written(text: bytes) -> None:
    record = sgf.read(text)
    assert after_setup(sgf.read(sgf.text_of(record))) == after_setup(record)


def test_points_are_named_as_players_and_gtp_name_them() -> None:
    for size in range(5, 20):
        for point in range(size * size + 1):
            name = sgf.named(point, size)
            assert name == vertex(point, size)
            assert sgf.of_name(name, size) == sgf.of_name(f" {name.lower()} ", size) == point
    assert [sgf.named(point, 19) for point in (0, 18, 342, 72, 361)] == ["A19", "T19", "A1", "Q16", "pass"]


@pytest.mark.parametrize("name", ["", "I5", "K1", "A0", "A10", "A", "5", "AA", "A1 2", "A-1", "A１１", "A01x", "?", "passing"])
def test_a_point_that_is_not_there_is_said(name: str) -> None:
    with pytest.raises(InputError, match=r"^there is no point .* on a board of 9 lines$"):
        sgf.of_name(name, 9)


def clear(message: str) -> bool:
    """Whether a message is one line that a user can read, without what Python says to programmers."""
    return (
        message.isprintable()
        and 0 < len(message) <= 400
        and not re.search(r"no message|unpack|Traceback|object|codec|decompressing|ord\(\)", message)
    )


def mutations(content: bytes, seed: int) -> Iterator[bytes]:
    """Endless variations of a file: cut off, bytes changed, left out, put in, parts doubled."""
    random = np.random.default_rng(seed)
    while True:
        changed = bytearray(content)
        for _ in range(int(random.integers(1, 4))):
            start = int(random.integers(len(changed) + 1))
            end = min(len(changed), start + int(random.integers(1, 40)))
            noise = random.integers(0, 256, end - start, dtype=np.uint8).tobytes()
            match int(random.integers(6)):
                case 0:
                    del changed[start:]
                case 1:
                    changed[start:end] = noise
                case 2:
                    del changed[start:end]
                case 3:
                    changed[start:start] = noise
                case 4:
                    changed[start:start] = changed[start:end] * 3
                case _:
                    changed[start:end] = bytes(end - start)
        yield bytes(changed)


def outcome(path: Path) -> str:
    """What became of a file: "games", or "refused", or a problem that should not be."""
    found = "games"
    try:
        kept, report = data.load([path], 9)
        assert len(kept) == report.games
        for message in [*report.reasons, *report.examples]:
            if not clear(message.removeprefix(str(path))):
                return f"unclear: {message[:80]!r}"
    except InputError as error:
        found = "refused" if clear(str(error)) else f"unclear: {str(error)[-80:]!r}"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:80]}"
    return found


MANY = (TREE + b"\n" + SMALL + b"\n") * 4


@pytest.mark.parametrize(
    ("ending", "count"),
    [(".sgf", 140), (".sgf.gz", 20), (".sgf.xz", 20), (".sgf.bz2", 20), (".zip", 20), (".tar", 20), (".tar.gz", 20),
     (".tar.xz", 20), (".tar.bz2", 20)],
)  # fmt: skip
def test_damaged_files_give_games_or_one_clear_line(ending: str, count: int) -> None:
    started = time.monotonic()
    content = PACKED[ending](MANY) if ending in PACKED else archive(ending, {"a.sgf": MANY, "b.sgf": SMALL})
    path = Path(f"games{ending}")
    outcomes: Counter[str] = Counter()
    for _, changed in zip(range(count), mutations(content, len(ending)), strict=False):
        path.write_bytes(changed)
        outcomes[outcome(path)] += 1
    assert {each: number for each, number in outcomes.items() if each not in ("games", "refused")} == {}
    assert outcomes.total() == count
    assert time.monotonic() - started < 30


GIANTS = {
    "deeply nested": b"(;" * 100_000,
    "deeply nested and closed": b"(;GM[1]SZ[9]" + b"(;B[aa]" * 100_000 + b")" * 100_001,
    "opened only": b"(" * 1_000_000,
    "closed only": b")" * 1_000_000,
    "many empty nodes": b"(;GM[1]SZ[9]" + b";" * 100_000 + b")",
    "many moves": b"(;GM[1]SZ[9]" + b";B[aa]" * 100_000 + b")",
    "many roots": b"(;GM[1]" * 400,
    "a giant size": b"(;GM[1]SZ[" + b"9" * 2 * MEBI + b"];B[aa])",
    "a giant komi": b"(;GM[1]SZ[9]KM[" + b"9" * 2 * MEBI + b"];B[aa])",
    "a giant result": b"(;GM[1]SZ[9]RE[" + b"B" * 2 * MEBI + b"];B[aa])",
    "a giant move": b"(;GM[1]SZ[9];B[" + b"a" * 2 * MEBI + b"])",
    "a giant name": b"(;GM[1]SZ[9]" + b"A" * 2 * MEBI + b"[x];B[aa])",
    "a giant comment": b"(;GM[1]SZ[9]C[" + b"(;x\\]" * MEBI + b"];B[aa])",
    "a giant comment that never ends": b"(;GM[1]SZ[9]C[" + b"x" * 4 * MEBI,
    "a giant comment that only escapes": b"(;GM[1]SZ[9]C[" + b"\\" * 4 * MEBI,
    "zeros": bytes(16 * MEBI),
    "zeros in a game": b"(;GM[1]SZ[9];B[aa]" + bytes(4 * MEBI) + b";W[bb])",
    "a bracket before much else": b"[" + b"x" * 10 * MEBI,
    "noise": np.random.default_rng(0).integers(0, 256, 4 * MEBI, dtype=np.uint8).tobytes(),
}


@pytest.mark.parametrize("name", GIANTS)
def test_giant_files_give_games_or_one_clear_line_soon(name: str) -> None:
    path = Path("giant.sgf")
    path.write_bytes(GIANTS[name])
    started = time.monotonic()
    found = outcome(path)
    took = time.monotonic() - started
    assert found in ("games", "refused")
    assert took < 8


def test_a_giant_comment_takes_a_linear_time() -> None:
    times = []
    for size in (2, 8):
        started = time.process_time()
        assert len(split(b"(;GM[1]C[" + b"x" * size * MEBI + b"])")) == 1
        times.append(time.process_time() - started)
    assert times[1] < 6 * max(times[0], 0.2)


def test_a_giant_comment_takes_little_memory() -> None:
    text = b"(;GM[1]C[" + b"x" * 4 * MEBI + b"])"
    tracemalloc.start()
    try:
        assert len(split(text)) == 1
        assert tracemalloc.get_traced_memory()[1] < 64 * MEBI
    finally:
        tracemalloc.stop()
