from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors import safe_open

from convsight import load, save
from convsight.cli import go_selfplay
from convsight.go import duel, model, selfplay
from tests.conftest import Run

SMALL = ("--batches", 2, "--games", 4, "--komi", 0.5)


def untrained(size: int = 5) -> str:
    save(model.untrained(model.policy(width=4, depth=2, size=size)), "start.safetensors")
    return "start.safetensors"


def test_a_network_plays_itself_and_is_kept_with_its_curve(convsight: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(go_selfplay, "JUDGES", 20)
    done = convsight("go", "selfplay", "--start", untrained(), "--out", "mine.safetensors", *SMALL)
    assert done.returncode == 0, done.stderr
    assert "8 games: " in done.stdout and "of 20 games against start.safetensors" in done.stdout
    network = load("mine.safetensors")
    assert network.input.shape == (48, 5, 5) and network.card["data"].startswith("8 games against earlier versions")
    assert "--start start.safetensors --batches 2 --games 4 --komi 0.5" in network.card["command"]
    with safe_open("mine.safetensors", "pt") as stored:
        assert {stored.get_tensor(each).dtype for each in stored.keys()} == {torch.float16}  # noqa: SIM118 (it is no dict)
    assert all(each.dtype == torch.float32 for each in network.module.parameters())
    lines = [json.loads(line) for line in Path("mine.jsonl").read_text().splitlines()]
    assert [each["positions"] for each in lines] == [4, 8]
    assert {"wins", "length", "resigned", "entropy", "against_start", "seconds"} <= lines[-1].keys()
    with Image.open("mine.png") as curve:
        assert curve.width == 900 and len(curve.convert("RGB").getcolors(100_000) or ()) > 4
    assert not Path("mine.checkpoint").exists()
    again = convsight("go", "selfplay", "--start", "mine.safetensors", "--out", "more.safetensors", *SMALL)
    assert again.returncode == 0, again.stderr


def test_a_network_is_kept_before_it_is_judged(convsight: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = duel.duel

    def interrupted(*given: object, **more: object) -> duel.Duel:
        if given[2] == go_selfplay.JUDGES:
            raise KeyboardInterrupt
        return whole(*given, **more)  # type: ignore[arg-type]

    options = ("--start", untrained(), *SMALL)
    with monkeypatch.context() as once:
        once.setattr(duel, "duel", interrupted)
        done = convsight("go", "selfplay", *options)
    assert done.returncode == 2 and "the network is kept, the same command judges it: rl.safetensors" in done.stderr
    kept = load("rl.safetensors")
    assert kept.card["data"].startswith("8 games") and "figure" not in kept.card
    monkeypatch.setattr(go_selfplay, "JUDGES", 4)
    monkeypatch.setattr(selfplay, "gradient", None)  # nothing is left to learn
    done = convsight("go", "selfplay", *options)
    judged = load("rl.safetensors")
    assert done.returncode == 0 and "of 4 games" in judged.card["figure"] and not Path("rl.checkpoint").exists(), done.stderr
    assert torch.equal(next(judged.module.parameters()), next(kept.module.parameters()))
    assert len(Path("rl.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize("planes", [4, 12])
def test_networks_of_fewer_planes_play_themselves(convsight: Run, monkeypatch: pytest.MonkeyPatch, planes: int) -> None:
    monkeypatch.setattr(go_selfplay, "JUDGES", 2)
    save(model.untrained(model.policy(width=4, depth=2, size=5, planes=planes)), "start.safetensors")
    done = convsight("go", "selfplay", "--start", "start.safetensors", "--batches", 1, "--games", 2, "--komi", 7)
    assert done.returncode == 0 and load("rl.safetensors").input.shape == (planes, 5, 5), done.stderr


def test_it_begins_from_nothing_on_any_board(convsight: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(go_selfplay, "JUDGES", 4)
    done = convsight("go", "selfplay", "--size", 6, "--batches", 1, "--games", 2)
    assert done.returncode == 0 and "of 4 games against itself untrained" in done.stdout, done.stderr
    network = load("rl.safetensors")
    assert network.input.shape == (48, 6, 6)
    assert network.card["command"] == (
        "convsight go selfplay --size 6 --batches 1 --games 2 --komi 7.5 --learning-rate 0.0002 --seed 0"
    )


def test_interrupted_it_goes_on_with_the_same_options_only(convsight: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(go_selfplay, "JUDGES", 2)
    monkeypatch.setattr(go_selfplay, "CHECKPOINT_SECONDS", 0)
    whole, count = selfplay.gradient, 0

    def interrupted(*given: object, **more: object) -> float:
        nonlocal count
        count += 1
        if count == 2:
            raise KeyboardInterrupt
        return whole(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(selfplay, "gradient", interrupted)
    options = ("--start", untrained(), "--out", "mine.safetensors", *SMALL)
    done = convsight("go", "selfplay", *options)
    assert done.returncode == 2 and "the same command goes on from mine.checkpoint" in done.stderr
    other = convsight("go", "selfplay", *options, "--learning-rate", 0.01)
    assert other.returncode == 2 and "is of self-play with learning rate 0.0002, not 0.01" in other.stderr
    done = convsight("go", "selfplay", *options)
    assert done.returncode == 0 and "going on from mine.checkpoint" in done.stdout and count == 3


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--start", "digits"], "digits is no network for Go"),
        (["--start", "none.safetensors"], "there is no file none.safetensors"),
        (["--out", "mine.pt"], ".safetensors"),
        (["--start", "go9", "--size", "9"], "go9 has its board; leave --size away"),
        (["--komi", "nan"], "--komi"),
        (["--start", "same.safetensors", "--out", "same.safetensors"], "same.safetensors is the network that begins"),
        (["--size", "5", "--games", "2", "--device", "cuda:7"], 'not on "cuda:7"'),
    ],
)
def test_what_it_cannot_start_from_or_write_is_said(convsight: Run, arguments: list[str], problem: str) -> None:
    done = convsight("go", "selfplay", *arguments)
    assert done.returncode == 2 and problem in done.stderr and len(done.stderr.splitlines()) < 4
