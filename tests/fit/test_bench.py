from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from convsight.architecture import Architecture, Convolution
from convsight.errors import InputError
from convsight.fit import bench as bench_module
from convsight.fit import data, probe
from convsight.fit.bench import Bench, Change, OnStep, OutOfTimeError, side_by_side
from convsight.fit.interval import of_mean

DRAW = np.random.default_rng(0)
Y = DRAW.integers(2, size=400)
X = (Y[:, None, None] + DRAW.standard_normal((400, 4, 5))).astype(np.float32)
WHOLE = data.samples(X, Y)
KNOWN, JUDGED = data.parted(WHOLE)
SMALL = Architecture(1, {"height": 4, "width": 5}, (), (4,), 2)


def bench(**more: Any) -> Bench:
    return Bench(WHOLE, 60, device="cpu", **more)


def apart(which: torch.Tensor) -> tuple[data.Samples, data.Samples]:
    """What is learnt, and what is judged by, `which`."""
    return WHOLE.at((~which).nonzero()[:, 0]), WHOLE.at(which.nonzero()[:, 0])


def test_each_sample_is_judged_once_by_the_chance_of_the_right_answer_of_a_network_that_has_not_seen_it() -> None:
    of_three = bench(parts=3)
    scores = of_three.scores(SMALL, "small")
    assert scores.shape == (1, 400) and scores.min() >= 0 and scores.max() <= 1
    assert scores.mean() > 0.6 > probe.guessed(WHOLE)
    assert torch.equal(bench(parts=3).scores(SMALL, "small"), scores)
    for part in range(3):
        known, judged = apart(of_three.folds == part)
        network = probe.learnt(SMALL, known, steps=60, seed=part, device="cpu")
        chances = network(judged.inputs).softmax(1)[torch.arange(len(judged)), judged.targets]
        assert torch.allclose(chances, scores[0, of_three.folds == part], atol=1e-5)


def test_what_was_measured_is_kept(tmp_path: Path) -> None:
    asked: list[str] = []
    first = bench(cache=tmp_path / "a.checkpoint", parts=2, on_network=asked.append)
    scores = first.scores(SMALL, "small")
    again = bench(cache=tmp_path / "a.checkpoint", parts=2, on_network=asked.append, deadline=0.0)
    assert torch.equal(again.scores(SMALL, "small"), scores) and asked == ["small"]
    with pytest.raises(OutOfTimeError):
        again.scores(SMALL, "reordered", change=lambda x: x.flip(3), changed="reordered")
    with pytest.raises(InputError, match="is of other data"):
        bench(cache=tmp_path / "a.checkpoint", parts=2, seed=1)
    for other in (WHOLE.given(WHOLE.inputs + 1), replace(WHOLE, targets=WHOLE.targets[torch.arange(400) ^ 1]),
                  replace(WHOLE, axes=("width", "height"))):  # fmt: skip
        with pytest.raises(InputError, match="is of other data"):
            Bench(other, 60, 2, cache=tmp_path / "a.checkpoint")
    (tmp_path / "b.checkpoint").write_text("nothing")
    with pytest.raises(InputError, match="no checkpoint of measurements"):
        bench(cache=tmp_path / "b.checkpoint")


def test_no_group_is_both_learnt_and_judged() -> None:
    groups = torch.arange(400) % 8
    grouped = Bench(replace(WHOLE, groups=groups), 60)
    for part in range(4):
        known, judged = grouped._apart(part)
        assert known.groups is not None and judged.groups is not None and len(known) + len(judged) == 400
        assert not {*known.groups.tolist()} & {*judged.groups.tolist()} and len(judged)
    scores = torch.rand(400, generator=torch.Generator().manual_seed(0))
    assert grouped.interval(scores) == of_mean(scores, groups=groups, folds=grouped.folds) != of_mean(scores)
    by_part = grouped.folds.double()
    assert grouped.interval(by_part).error == pytest.approx(stats.t.ppf(0.95, 3) * stats.sem([0, 1, 2, 3]), rel=0.01)


def test_what_is_judged_is_changed_as_is_asked() -> None:
    changes = {"flipped": lambda x: x.flip(3), "blank": lambda x: 0 * x}
    both = bench(parts=2)
    plain, flipped, blank = both.scores(SMALL, "small", also=changes)
    assert torch.equal(both.scores(SMALL, "small", also={"blank": changes["blank"]})[1], blank)
    assert torch.equal(plain, both.scores(SMALL, "small")[0]) and not torch.equal(flipped, plain)


def test_where_one_fails_the_others_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_module, "cores", lambda: 2)
    learning, ended = Event(), []

    def task(number: int, on_step: OnStep) -> None:
        if number == 0:
            learning.wait()
            raise KeyboardInterrupt
        learning.set()
        for step in range(10_000):
            sleep(0.001)
            on_step(step, 0.0)
        ended.append(number)

    with pytest.raises(KeyboardInterrupt):
        side_by_side(task, range(4))
    assert not ended


def test_threads_that_begin_later_have_all_cores() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert side_by_side(lambda each, _: torch.get_num_threads() + each, [0, 1]) == [1, 2]
        with ThreadPoolExecutor(1) as later:
            assert later.submit(torch.get_num_threads).result() == torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_filters_are_judged_in_their_own_half_and_in_the_other_by_samples_they_have_not_seen() -> None:
    sliding = Architecture(1, {"height": 4, "width": 5}, (Convolution(3, {"width": 3}),), (), 2)
    left, right = (lambda x: x * (torch.arange(5) < 2)), (lambda x: x * (torch.arange(5) >= 2))
    of_two = bench(parts=2)
    found = of_two.transferred(sliding, "halves", (left, right), "width")
    assert found.shape == (3, 400)
    mine = of_two.folds == 1
    known, judged = apart(mine)

    def score(source: Change, place: Change, steps: int = 60) -> torch.Tensor:
        filters = probe.learnt(sliding, known.given(source(known.inputs)), steps=steps, seed=1, device="cpu")
        learnt = probe.learnt(sliding, known.given(place(known.inputs)), steps=60, filters=filters, seed=3, device="cpu")
        return probe.scores(learnt, judged.given(place(judged.inputs)))

    assert torch.allclose(found[0, mine], (score(left, left) + score(right, right)) / 2, atol=1e-5)
    assert torch.allclose(found[1, mine], (score(left, right) + score(right, left)) / 2, atol=1e-5)
    assert torch.allclose(found[2, mine], (score(left, left, 0) + score(left, right, 0)) / 2, atol=1e-5)


def test_a_guess_is_what_a_network_scores_that_puts_out_nothing() -> None:
    known = data.samples(X, DRAW.lognormal(sigma=2, size=400))
    network = probe.learnt(Architecture(1, {"height": 4, "width": 5}, (), (4,), 1), known, steps=1, device="cpu")
    for each in network.module.parameters():
        each.data.zero_()
    assert probe.guessed(known) == pytest.approx(float(probe.scores(network, known).mean()), abs=1e-5)


@pytest.mark.parametrize("size", [1e-37, 1e-21, 1e36, 5e37])
def test_numbers_of_every_size_are_learnt_alike(size: float) -> None:
    found, ours = (probe.learnt(SMALL, KNOWN.given(each * KNOWN.inputs), steps=60, device="cpu") for each in (size, 1))
    assert found.input.mean[0] / size == pytest.approx(ours.input.mean[0], rel=1e-4)
    assert found.input.std[0] / size == pytest.approx(ours.input.std[0], rel=1e-4)
    judged = JUDGED.given(size * JUDGED.inputs)
    assert probe.scores(found, judged).mean() == pytest.approx(float(probe.scores(ours, JUDGED).mean()), abs=0.02)


def test_filters_that_are_given_stay_as_they_are() -> None:
    sliding = Architecture(1, {"height": 4, "width": 5}, (Convolution(3, {"width": 3}),), (), 2)
    first = probe.learnt(sliding, KNOWN, steps=20, device="cpu")
    second = probe.learnt(sliding, KNOWN, steps=20, seed=1, filters=first, device="cpu")
    for name, weights in first.module.state_dict().items():
        assert torch.equal(second.module.state_dict()[name], weights) == name.startswith("conv1")


def test_the_best_is_not_judged_where_it_was_chosen() -> None:
    """Of ten that are all as good, by chance one seems best; in parts that others chose for none does."""
    draw = torch.Generator().manual_seed(0)
    best, chosen = [], []
    for _ in range(200):
        rows = {number: torch.randn(400, generator=draw) for number in range(10)}
        best.append(max(float(each.mean()) for each in rows.values()))
        chosen.append(float(bench().best(rows).mean()))
    assert np.mean(best) > 0.05 > 0.01 > abs(np.mean(chosen))
    assert torch.equal(bench().best({1: rows[0], 2: rows[0] + 9}), rows[0] + 9)


def test_the_best_of_networks_alike_seems_no_better_for_having_learnt_by_luck() -> None:
    """Each part has a network of its own, so that the others say nothing of its luck."""
    generator, chosen = torch.Generator().manual_seed(0), []
    for _ in range(200):
        rows = {each: torch.randn(4, generator=generator)[bench().folds] for each in range(12)}
        chosen.append(float(bench().best(rows).mean()))
    assert abs(np.mean(chosen)) < 3 * np.std(chosen) / 200**0.5
    assert float(np.std(chosen)) > 0.3


def test_a_share_has_its_interval() -> None:
    """Against the interval of Fieller 1954 for a ratio, whose scores are the samples' own."""
    draw = torch.Generator().manual_seed(0)
    whole = (0.3 + 0.2 * torch.randn(400, generator=draw)).double()
    part = 0.9 * whole + (0.1 * torch.randn(400, generator=draw))
    found = bench().share(part, whole)
    count, student = 400, stats.t.ppf(0.95, 399)
    (of_part, both), (_, of_whole) = (torch.cov(torch.stack([part, whole])) / count).tolist()
    mean_part, mean_whole = float(part.mean()), float(whole.mean())
    roots = np.roots(
        [
            mean_whole**2 - student**2 * of_whole,
            -2 * (mean_part * mean_whole - student**2 * both),
            mean_part**2 - student**2 * of_part,
        ]
    )
    assert found is not None and found.mean == pytest.approx(mean_part / mean_whole)
    assert (found.low, found.high) == pytest.approx(sorted(roots), abs=0.005)
    assert bench().share(part, whole - whole.mean()) is None


def test_numbers_are_scored_by_the_variance_that_is_told() -> None:
    target = X.mean((1, 2)).astype(float)
    known, judged = data.parted(data.samples(X, target))
    assert probe.guessed(known) == pytest.approx(0, abs=0.3)
    linear = Architecture(1, {"height": 4, "width": 5}, (), (16,), 1)
    network = probe.learnt(linear, known, steps=150, device="cpu")
    assert float(probe.scores(network, judged).mean()) > 0.9
    assert probe.scores(network, judged).min() >= -1


def test_points_are_told_by_a_number_each() -> None:
    """Which point is highest: 5x5 filters would do, and one of 1x1 does."""
    places = X.reshape(400, -1).argmax(1)
    points = np.eye(20, dtype=bool)[places].reshape(400, 4, 5)
    known, judged = data.parted(data.samples(4 * X, points))
    one = Convolution(4, {"height": 1, "width": 1}, padded=True)
    declared = Architecture(1, {"height": 4, "width": 5}, (one,), (), 20, per_point=True)
    network = probe.learnt(declared, known, steps=300, device="cpu")
    assert float(probe.right(network, judged).mean()) > 0.8


def test_each_point_has_a_class_of_its_own() -> None:
    """Where x is low, middling or high, which filters of 1x1 tell."""
    kinds = np.array(["low", "middling", "high"])[np.digitize(X, [-0.5, 1.0])]
    known, judged = data.parted(data.samples(X, kinds))
    assert known.labels == ("high", "low", "middling") and known.targets.shape == (len(known), 20) and known.outputs == 60
    guess = np.mean([(np.delete(known.targets.numpy(), row, 0) == own).mean() for row, own in enumerate(known.targets.numpy())])
    assert probe.guessed(known) == pytest.approx(guess, abs=1e-5)
    one = Convolution(8, {"height": 1, "width": 1}, padded=True)
    declared = Architecture(1, {"height": 4, "width": 5}, (one,), (), 60, per_point=True)
    network = probe.learnt(declared, known, steps=300, device="cpu")
    chances = network(judged.inputs.float()).detach().view(len(judged), 3, 20).softmax(1)
    by_hand = [
        [float(chances[row, of, point]) for point, of in enumerate(each)] for row, each in enumerate(judged.targets.tolist())
    ]
    assert torch.allclose(probe.scores(network, judged), torch.tensor(by_hand).mean(1), atol=1e-5)
    assert float(probe.right(network, judged).mean()) > 0.9 and network.labels == ()


@pytest.mark.parametrize("told", ["one", "classes", "numbers"])
def test_points_move_with_what_only_moves(told: str) -> None:
    points = {"one": np.eye(20, dtype=bool)[X.reshape(400, -1).argmax(1)].reshape(X.shape), "classes": X > 1, "numbers": X}[
        told
    ]
    known = data.samples(X, points)
    moved = known.moved(lambda entries: entries.flip(3))
    again = data.samples(X[..., ::-1].copy(), points[..., ::-1].copy())
    assert torch.equal(moved.inputs, again.inputs) and torch.equal(moved.targets, again.targets)
