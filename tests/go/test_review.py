from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from sgfmill import sgf as sgfmill_sgf
from sgfmill import sgf_moves

from convsight import InputError
from convsight.go import model, report, review, samples, sgf
from convsight.go.player import Player
from convsight.go.review import Review, Reviewed
from convsight.go.rules import BLACK, EMPTY, WHITE
from convsight.go.sgf import Note, Record
from convsight.network import Network
from tests.go.test_player import network as fixed
from tests.go.test_show import random_games

GAME = (
    b"(;GM[1]FF[4]SZ[9]CA[UTF-8]KM[6.5]RE[B+2.5]HA[2]AB[cg][gc]PL[W]PB[\xe6\x9f\xaf \\] x]PW[O'Hara <b>]C[old \\] words]"
    b"DT[2020]\n;W[ee]TR[aa];B[ec]C[a comment\\\\];W[ge]LB[aa:1];B[];W[ff](;B[dd];W[];B[ce])(;B[hh]C[another]))"
)


@pytest.fixture
def network() -> Network:
    """A network that expects something else on each board, of sure opinions."""
    made = model.untrained(model.policy(width=8, depth=3, size=9), seed=3)
    with torch.no_grad():
        made.module[-1].bias.copy_(torch.randn(81, generator=torch.Generator().manual_seed(1)))  # type: ignore[index, union-attr, operator]
    return made


def reviewed(network: Network, record: Record | None = None, *, colour: int | None = None, symmetric: bool = False) -> Review:
    return review.review(network, record or random_games(1)[0], colour=colour, symmetric=symmetric)


def mainline(text: bytes) -> list[dict[str, list[bytes]]]:
    nodes = sgfmill_sgf.Sgf_game.from_bytes(text).get_main_sequence()
    return [{name: node.get_raw_list(name) for name in node.properties()} for node in nodes]


@pytest.mark.parametrize("symmetric", [False, True])
def test_a_move_has_the_probability_and_the_rank_that_a_player_gives_it(network: Network, symmetric: bool) -> None:
    record = random_games(1)[0]
    found, player = reviewed(network, record, symmetric=symmetric), Player(network, symmetric=symmetric)
    assert [(each.number, each.colour, each.point) for each in found.moves] == [
        (number, *move) for number, move in enumerate(record.moves, start=1)
    ]
    for each in found.moves:
        prior = player.prior(samples.position(record, each.number))[0].tolist()
        chance = prior[each.point]
        assert math.isclose(each.probability, chance, rel_tol=0.05, abs_tol=1e-6)
        surely, perhaps = (sum(other > chance * by for other in prior) for by in (1.1, 0.9))
        assert surely < each.rank <= perhaps + 1
        assert each.best[0] in np.flatnonzero(np.array(prior) >= max(prior) * 0.9)
        assert each.rank == 1 + sum(other > each.probability for other in each.prior.tolist())


def test_surprises_are_the_least_likely_moves_of_whom_one_asks_about(network: Network) -> None:
    for colour in (None, BLACK, WHITE):
        found = reviewed(network, colour=colour)
        asked = [each for each in found.moves if each.colour == colour or colour is None]
        chances = sorted(each.probability for each in asked if each.rank > 1)
        assert [each.probability for each in found.surprises] == chances[: review.SURPRISES]
        assert all(each in asked for each in found.surprises)


def test_what_was_expected_is_no_surprise() -> None:
    found = reviewed(fixed({40: 9.0, 3: 8.0, 70: 7.0}), Record(9, (), ((BLACK, 40), (WHITE, 3), (BLACK, 5))))
    assert [each.rank for each in found.moves] == [1, 1, 2] and [each.number for each in found.surprises] == [3]


def test_the_parts_of_a_game_are_counted(network: Network) -> None:
    found = reviewed(network)
    parts = found.parts()
    assert list(parts) == ["all moves", "black", "white", "moves 1 to 11", "moves 12 to 34", "moves from 35"]
    assert [len(part) for part in parts.values()] == [60, 30, 30, 11, 23, 26]
    for part in parts.values():
        score = review.agreement(part)
        assert score.first == pytest.approx(sum(each.rank == 1 for each in part) / len(part))
        assert score.five == pytest.approx(sum(each.rank <= 5 for each in part) / len(part))
    assert list(Review(found.record, found.moves[:3:2], ()).parts()) == ["all moves", "black", "moves 1 to 11"]


def test_passes_are_left_out_and_handicap_is_seen(network: Network) -> None:
    record = sgf.read(GAME)
    found = reviewed(network, record)
    assert [each.number for each in found.moves] == [1, 2, 3, 5, 6, 8]
    stones = samples.position(record, 1).board()[0]
    assert (stones != EMPTY).sum() == 2 and all(found.moves[0].prior[stones.reshape(-1) != EMPTY] == 0)


def test_a_record_is_reviewed_up_to_a_move_that_the_rules_forbid(network: Network) -> None:
    found = reviewed(network, Record(9, (), ((BLACK, 40), (WHITE, 41), (BLACK, 41), (WHITE, 3))))
    assert len(found.moves) == 2 and found.record.cut == "after move 2: the rules forbid the next one"
    with pytest.raises(InputError, match=r"^it has no move to review: after move 0: the rules forbid the next one$"):
        reviewed(network, Record(9, ((BLACK, 40),), ((WHITE, 40),), source="it"))
    with pytest.raises(InputError, match=r"^the game has no move to review$"):
        reviewed(network, Record(9, (), ((BLACK, 81),)))
    with pytest.raises(InputError, match=r"^the game is on 13 lines; the network plays on 9$"):
        reviewed(network, Record(13, (), ((BLACK, 40),)))


def test_a_move_into_an_own_eye_has_no_chance_and_the_last_rank(network: Network) -> None:
    stones = ((BLACK, 1), (BLACK, 9), (BLACK, 10))
    eye = reviewed(network, Record(9, stones, ((BLACK, 0),))).moves[0]
    assert eye.probability == 0 and eye.rank == 1 + 81 - 4
    full = Reviewed(1, BLACK, 0, np.zeros(81, np.float32))
    assert full.best == [] and review.first(full, 9) == "none" and review.expected(full, 9) == "the network expected no move"


@pytest.mark.parametrize(
    ("chance", "text"),
    [
        (1.0, "100%"),
        (0.541, "54%"),
        (0.1, "10%"),
        (0.023, "2.3%"),
        (0.001, "0.1%"),
        (0.00012, "0.012%"),
        (0, "less than 0.001%"),
    ],
)
def test_probabilities_are_said_as_players_read_them(chance: float, text: str) -> None:
    assert review.percent(chance) == text


def test_an_annotated_record_keeps_all_that_was_in_it_and_is_legal(network: Network) -> None:
    found = reviewed(network, sgf.read(GAME))
    written = sgf.annotated(GAME, review.notes(found))
    assert replace(sgf.read(written), source="") == sgf.read(GAME) and sgf.names(written) == ("柯 ] x", "O'Hara <b>")
    before, after = mainline(GAME), mainline(written)
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        for name, values in old.items():
            assert new[name][0].startswith(values[0]) if name == "C" else new[name] == values
        assert new.keys() - old.keys() <= {"C", "LB", "HO"}
    score = review.agreement(found.moves)
    told = f"All moves: {score.first:.0%} its first choice, {score.five:.0%} among its first five.".encode()
    assert after[0]["CA"] == [b"UTF-8"] and b"old \\] words\n\nHow a network foretold" in after[0]["C"][0]
    assert told in after[0]["C"][0]
    game = sgfmill_sgf.Sgf_game.from_bytes(written)
    board, plays = sgf_moves.get_setup_and_moves(game)
    for colour, place in plays:
        if place is not None:
            assert board.get(*place) is None
            board.play(*place, colour)
    assert game.get_main_sequence()[5][1].get("C") == "another"


def test_letters_and_variations_are_the_moves_that_the_network_expected(network: Network) -> None:
    record = random_games(1)[0]
    found = reviewed(network, record)
    nodes = sgfmill_sgf.Sgf_game.from_bytes(sgf.annotated(sgf.text_of(record), review.notes(found))).get_main_sequence()
    surprises = {each.number: each for each in found.surprises}

    def point(place: tuple[int, int]) -> int:
        return (8 - place[0]) * 9 + place[1]

    for move, node, after in zip(found.moves, nodes, nodes[1:], strict=False):
        letters = {letter: point(place) for place, letter in node.get("LB")}
        assert [letters[each] for each in "ABC"] == move.best
        assert f"{sgf.named(move.point, 9)}: {review.percent(move.probability)}, choice {move.rank}." in after.get("C")
        assert len(node) == (2 if move.number in surprises else 1)
        assert after.has_property("HO") == (move.number in surprises)
        if move.number in surprises:
            colour, place = node[1].get_move()
            assert (colour, point(place)) == ("bw"[move.colour - 1], move.best[0])
            assert "A surprise: the network expected" in after.get("C")


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        (b"(;SZ[9]PB[\xe9];B[aa])", None), (b"(;SZ[9]CA[none]PB[x\xff];B[aa])", [b"none"]), (b"(;SZ[9]CA[];B[aa])", [b""]),
        (b"(;SZ[9]CA[latin-1]PB[\xe9];B[aa])", [b"latin-1"]), (b"(;SZ[9]CA[Shift_JIS]PB[\xe4\xba\x95];B[aa])", [b"UTF-8"]),
    ],
)  # fmt: skip
def test_a_record_keeps_its_encoding(text: bytes, charset: list[bytes] | None) -> None:
    written = sgf.annotated(text, {1: Note("said")})
    root = sgfmill_sgf.Sgf_game.from_bytes(written, override_encoding="latin-1").get_root()
    assert (re.findall(rb"CA\[(.*?)\]", written) or None) == charset
    assert root.has_property("PB") == (b"PB" in text)
    assert re.findall(rb"PB\[.*?\]", written) == re.findall(rb"PB\[.*?\]", text) and b"C[said]" in written


@pytest.mark.parametrize(
    ("name", "charset", "encoding"),
    [
        ("이세돌", "EUC-KR", "euc_kr"),
        ("柯洁", "UTF-8", "utf-8"),
        ("柯洁", "", "utf-8"),
        ("é", "", "latin-1"),
        ("é", "x", "latin-1"),
    ],
)
def test_names_are_read_in_their_encoding(name: str, charset: str, encoding: str) -> None:
    said = f"CA[{charset}]" if charset else ""
    assert sgf.names(f"(;SZ[9]{said}PW[ {name} ])".encode(encoding)) == ("", name)


def test_notes_find_their_positions_in_untidy_records() -> None:
    moves_in_root = b"(;SZ[9]B[aa]W[bb];C[only words];B[cc])"
    notes = {0: Note("none", {9: "A"}), 2: Note("two", {8: "A"}, (BLACK, 7, "so")), 3: Note("three", {0: "A"}, hot=True)}
    root, words, last = sgfmill_sgf.Sgf_game.from_bytes(sgf.annotated(moves_in_root, notes)).get_main_sequence()
    assert root.get("C") == "none\n\ntwo" and not root.has_property("LB")
    assert words.get("C") == "only words" and words.get("LB") == [((8, 8), "A")]
    assert words[1].get_move() == ("b", (8, 7)) and words[1].get("C") == "so"
    assert last.get("C") == "three" and last.get("HO") == 1 and last.get("LB") == [((8, 0), "A")]


def test_the_page_holds_all_and_fetches_nothing(network: Network) -> None:
    record = sgf.read(GAME, "folder/game.sgf, game 1")
    found = reviewed(network, record)
    page = report.page(found, network, players=sgf.names(GAME), suggest="convsight go suggest 'a game.sgf'")
    words = re.sub(r"base64,[^\"]*", "base64,", page)
    assert not re.search(r'(src|href)="(?!data:|#)|url\(|@import|<script|<link(?! rel="icon" href="data:,")', page)
    assert "<h1>柯 ] x – O&#39;Hara &lt;b&gt;</h1>" in page and "<b>" not in words and "nan" not in words
    assert "game.sgf, game 1: 8 moves on 9 lines, komi 6.5, B+2.5." in page
    assert page.count("data:image/png;base64,") == page.count('<section id="') == len(found.surprises)
    for each in found.surprises:
        assert f'id="move-{each.number}"' in page and page.count(f'href="#move-{each.number}"') == 2
        assert f"$ convsight go suggest &#39;a game.sgf&#39; --move {each.number} --why best" in re.sub("<.*?>", "", words)
    assert page.count("<title>") == 1 + len(found.moves)


def test_the_plot_has_each_move_at_its_probability() -> None:
    prior = np.full((4, 81), 1e-9, np.float32)
    prior[np.arange(4), [0, 1, 2, 3]] = 1.0, 0.01, 0.0001, 1e-7
    moves = tuple(Reviewed(number + 1, 1 + number % 2, number, prior[number]) for number in range(4))
    drawn = report.plot(Review(Record(9, (), ()), moves, moves[2:3]))
    dots = re.findall(r'<circle class="(\w+)" cx="([\d.]+)" cy="([\d.]+)"', drawn)
    assert [kind for kind, _, _ in dots] == ["black", "white", "black", "white", "ring"]
    across, down = ([float(each[place]) for each in dots] for place in (1, 2))
    assert across[1] - across[0] == pytest.approx(across[3] - across[2], abs=0.2) and across[4] == across[2]
    assert down[1] == pytest.approx((down[0] + down[2]) / 2, abs=0.2) and down[2] == down[3] == down[4] > down[1]


def test_a_page_of_one_move_without_surprise_is_whole() -> None:
    found = reviewed(fixed({40: 9.0}), Record(9, (), ((BLACK, 40),)))
    page = report.page(found, fixed({}), suggest="convsight go suggest x.sgf")
    assert "<h1>A game, reviewed</h1>" in page and "The biggest surprises" not in page and "1 move on 9 lines." in page


def test_only_what_is_said_of_foretelling_stands_beside_it() -> None:
    found = reviewed(fixed({40: 9.0}), Record(9, (), ((BLACK, 40),)))
    for figure, told in (("48% of moves first, of 9 other games", True), ("won 191 of 200 games against sl", False)):
        page = report.page(found, replace(fixed({}), card={"figure": figure}), suggest="convsight go suggest x.sgf")
        assert (figure in page) == told == ("in games it had not seen" in page)
