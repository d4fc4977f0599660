from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from time import sleep

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convsight.errors import InputError
from convsight.go import board, model, selfplay
from convsight.go.duel import duel
from convsight.go.encode import SENSIBLE, planes
from convsight.network import Network, load
from convsight.optimizers import adam

SIZE = 5


def network(seed: int = 0) -> Network:
    return model.untrained(model.policy(width=6, depth=2, size=SIZE), seed=seed)


@given(st.lists(st.tuples(st.sampled_from([-1.0, 0.0, 1.0]), st.booleans()), min_size=1, max_size=12))
def test_a_game_is_judged_by_the_others_of_its_colour(games: list[tuple[float, bool]]) -> None:
    outcome = np.array([each for each, _ in games], np.float32)
    black = np.array([each for _, each in games])
    found = selfplay.advantages(outcome, black)
    for index, (own, colour) in enumerate(games):
        others = [each for other, (each, its) in enumerate(games) if other != index and its == colour]
        assert found[index] == pytest.approx(own - (sum(others) / len(others) if others else 0), abs=1e-6)


def test_the_gradient_is_that_of_the_log_probabilities_of_moves_times_what_they_won(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convsight.go.model.fastest", lambda _device: torch.float32)
    learner, rival = network(), network(1)
    played = duel(learner, rival, 8, komi=0.5, seed=2)
    entropy = selfplay.gradient(learner, played, games=8)
    found = [each.grad.clone() for each in learner.module.parameters() if each.grad is not None]

    learner.module.zero_grad()
    advantage, entropies, total = selfplay.advantages(played.outcome, played.black), [], torch.zeros(())
    for game in range(8):
        games = board.new(1, SIZE)
        points = played.moves.points[played.moves.first[game] : played.moves.first[game + 1]]
        for number, point in enumerate(points.tolist()):
            if (number % 2 == 0) == played.black[game] and point < SIZE**2:
                encoded = torch.from_numpy(planes(games)).float()
                sensible = encoded[0, SENSIBLE].flatten() > 0
                log = learner(encoded)[0][sensible].log_softmax(0)
                place = int(sensible[:point].sum())
                total = total - float(advantage[game]) * log[place] / 8
                entropies.append(float(-(log.exp() * log).sum().detach()))
            board.play(games, [point])
    total.backward()  # type: ignore[no-untyped-call]
    expected = [each.grad for each in learner.module.parameters() if each.grad is not None]
    assert len(found) == len(expected) == 6
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-3)
    assert entropy == pytest.approx(np.mean(entropies), rel=1e-4)


def test_on_a_small_board_it_learns_to_beat_its_start() -> None:
    learner, reports = network(), []
    selfplay.improve(
        learner, batches=10, games=40, komi=0.5, judges=100, seed=0, optimizer=adam(1e-2), on_batch=reports.append
    )  # fmt: skip
    assert [each.batches for each in reports] == list(range(1, 11))
    assert reports[-1].against_start is not None and reports[-1].against_start > 0.7
    assert reports[-1].entropy < reports[0].entropy


class KilledError(Exception):
    pass


def improved(path: Path | None, *, stop_after: int = -1) -> tuple[list[torch.Tensor], list[selfplay.Report]]:
    learner, reports = network(), []

    def note(report: selfplay.Report) -> None:
        reports.append(report)
        if len(reports) == stop_after:
            raise KilledError

    selfplay.improve(
        learner, batches=8, games=8, komi=0.5, judges=4, seed=4, optimizer=adam(1e-2), checkpoint=path,
        checkpoint_seconds=0, on_batch=note,
    )  # fmt: skip
    return [each.detach().clone() for each in learner.module.parameters()], reports


def test_stopped_again_and_again_it_becomes_the_same_network() -> None:
    expected, reports = improved(None)
    path = Path("rl.checkpoint")
    for after in (1, 3, 2, 2):
        with pytest.raises(KilledError):
            improved(path, stop_after=after)
    found, rest = improved(path)
    assert rest == reports[-len(rest) :] and len(rest) < 8
    again, none = improved(path)  # killed before it was kept
    assert none == []
    for one, other, third in zip(found, expected, again, strict=True):
        assert torch.equal(one, other) and torch.equal(one, third)


def test_a_rate_at_which_it_diverges_is_said() -> None:
    with pytest.raises(InputError, match="became infinite or undefined; learn at a smaller rate"):
        selfplay.improve(network(), batches=4, games=8, komi=0.5, judges=2, optimizer=adam(1e30))


def test_a_checkpoint_of_another_self_play_is_refused() -> None:
    path = Path("rl.checkpoint")
    with pytest.raises(KilledError):
        improved(path, stop_after=2)
    with pytest.raises(InputError, match="is of self-play with games 8, not 6; remove it"):
        selfplay.improve(network(), batches=8, games=6, komi=0.5, judges=4, seed=4, checkpoint=path)
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="is no checkpoint of this self-play"):
        improved(path)


TOGETHER = """
import torch
from accelerate import PartialState
from convsight.go import selfplay
from convsight.network import save
from tests.go.test_selfplay import network
learner = network()
selfplay.improve(learner, batches=1, games=12, komi=0.5, judges=2, seed=7, device="cpu",
                 optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.1))
save(learner, f"of-{PartialState().process_index}.safetensors")
"""


@pytest.mark.slow
def test_two_processes_play_a_share_each_and_take_one_step() -> None:
    Path("job.py").write_text(TOGETHER)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "job.py"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run(command, check=True, capture_output=True, timeout=200, env=environment)
    learner, start = network(), network()
    for share in (0, 1):
        drawn = np.random.default_rng((7, 0, share))
        drawn.integers(1)  # whom it plays: the pool has its start alone
        played = duel(learner, start, 6, komi=0.5, seed=int(drawn.integers(2**62)))
        selfplay.gradient(learner, played, games=12)
    for name, each in learner.module.named_parameters():
        assert each.grad is not None
        for process in (0, 1):
            found = load(f"of-{process}.safetensors").module.get_parameter(name)
            torch.testing.assert_close(found.detach(), (each - 0.1 * each.grad).detach(), atol=1e-5, rtol=1e-3)


PROGRAM = """
import sys
from pathlib import Path
from convsight.go import selfplay
from convsight.network import save
from tests.go.test_selfplay import network
from convsight.optimizers import adam
learner = network()
selfplay.improve(learner, batches=400, games=8, komi=0.5, judges=4, seed=4, optimizer=adam(1e-2),
                 checkpoint=Path("rl.checkpoint"), checkpoint_seconds=0)
save(learner, sys.argv[1])
"""


@pytest.mark.slow
def test_killed_at_ten_random_moments_it_becomes_the_same_network() -> None:
    def started(name: str) -> subprocess.Popen[bytes]:
        root = Path(__file__).parents[2]
        return subprocess.Popen([sys.executable, "-c", PROGRAM, name], env=os.environ | {"PYTHONPATH": str(root)})

    def written() -> int:
        return Path("rl.checkpoint").stat().st_mtime_ns if Path("rl.checkpoint").exists() else 0

    assert started("whole.safetensors").wait() == 0
    moments, kills = random.Random(0), 0
    while kills < 10:
        before = written()
        process = started("killed.safetensors")
        while written() == before and process.poll() is None:
            sleep(0.02)
        sleep(moments.uniform(0, 0.5))
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
    if not Path("killed.safetensors").exists():
        assert started("killed.safetensors").wait() == 0
    assert kills == 10
    assert Path("killed.safetensors").read_bytes() == Path("whole.safetensors").read_bytes()
