from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from time import sleep

import numpy as np
import pytest
import torch
from scipy import stats

from convsight.architecture import Architecture, Convolution
from convsight.errors import InputError
from convsight.fit import bench as bench_module
from convsight.fit import data, probe
from convsight.fit.bench import Bench, Change, OnStep, OutOfTimeError, side_by_side

DRAW = np.random.default_rng(0)
Y = DRAW.integers(2, size=400)
X = (Y[:, None, None] + DRAW.standard_normal((400, 4, 5))).astype(np.float32)
KNOWN, JUDGED = data.parted(data.samples(X, Y))
SMALL = Architecture(1, {"height": 4, "width": 5}, (), (4,), 2)


def bench(**more: object) -> Bench:
    return Bench(KNOWN, JUDGED, 60, device="cpu", **more)  # type: ignore[arg-type]


def test_scores_are_chances_of_the_right_answer_and_the_same_again() -> None:
    scores = bench(seeds=2).scores(SMALL, "small")
    assert scores.shape == (2, 1, len(JUDGED)) and scores.min() >= 0 and scores.max() <= 1
    assert scores.mean() > 0.6 > probe.guessed(KNOWN, JUDGED)
    assert torch.equal(bench(seeds=2).scores(SMALL, "small"), scores)
    network = probe.learnt(SMALL, KNOWN, steps=60, seed=1, device="cpu")
    chances = network(JUDGED.inputs).softmax(1)[torch.arange(len(JUDGED)), JUDGED.targets]
    assert torch.allclose(chances, scores[1, 0], atol=1e-5)


def test_what_was_measured_is_kept(tmp_path: Path) -> None:
    asked: list[str] = []
    first = bench(cache=tmp_path / "a.checkpoint", seeds=2, on_network=asked.append)
    scores = first.scores(SMALL, "small")
    again = bench(cache=tmp_path / "a.checkpoint", seeds=2, on_network=asked.append, deadline=0.0)
    assert torch.equal(again.scores(SMALL, "small"), scores) and asked == ["small"]
    with pytest.raises(OutOfTimeError):
        again.scores(SMALL, "reordered", change=lambda x: x.flip(3), changed="reordered")
    with pytest.raises(InputError, match="is of other data"):
        Bench(JUDGED, KNOWN, 20, cache=tmp_path / "a.checkpoint")
    (tmp_path / "b.checkpoint").write_text("nothing")
    with pytest.raises(InputError, match="no checkpoint of measurements"):
        bench(cache=tmp_path / "b.checkpoint")


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


def test_filters_are_judged_in_their_own_part_and_in_the_other() -> None:
    sliding = Architecture(1, {"height": 4, "width": 5}, (Convolution(3, {"width": 3}),), (), 2)
    left, right = (lambda x: x * (torch.arange(5) < 2)), (lambda x: x * (torch.arange(5) >= 2))
    (found,) = bench(seeds=1).transferred(sliding, "halves", (left, right), "width")

    def score(source: Change, place: Change, steps: int = 60) -> torch.Tensor:
        filters = probe.learnt(sliding, KNOWN.given(source(KNOWN.inputs)), steps=steps, device="cpu")
        learnt = probe.learnt(sliding, KNOWN.given(place(KNOWN.inputs)), steps=60, filters=filters, seed=1, device="cpu")
        return probe.scores(learnt, JUDGED.given(place(JUDGED.inputs)))

    assert torch.allclose(found[0], (score(left, left) + score(right, right)) / 2, atol=1e-5)
    assert torch.allclose(found[1], (score(left, right) + score(right, left)) / 2, atol=1e-5)
    assert torch.allclose(found[2], (score(left, left, 0) + score(left, right, 0)) / 2, atol=1e-5)


def test_with_folds_filters_are_judged_by_samples_they_have_not_seen() -> None:
    sliding, whole = Architecture(1, {"height": 4, "width": 5}, (Convolution(3, {"width": 3}),), (), 2), data.samples(X, Y)
    left, right = (lambda x: x * (torch.arange(5) < 2)), (lambda x: x * (torch.arange(5) >= 2))
    crossed = bench(seeds=2).crossed(whole, seed=0, deadline=float("inf"))
    found = crossed.transferred(sliding, "halves", (left, right), "width")
    assert found.shape == (1, 3, 400) and crossed.folds is not None
    mine = crossed.folds == 1
    learnt, judged = whole.at((~mine).nonzero()[:, 0]), whole.at(mine.nonzero()[:, 0])

    def score(source: Change, place: Change) -> torch.Tensor:
        filters = probe.learnt(sliding, learnt.given(source(learnt.inputs)), steps=60, seed=1, device="cpu")
        network = probe.learnt(
            sliding, learnt.given(place(learnt.inputs)), steps=60, filters=filters, seed=3, device="cpu"
        )  # fmt: skip
        return probe.scores(network, judged.given(place(judged.inputs)))

    assert torch.allclose(found[0, 1, mine], (score(left, right) + score(right, left)) / 2, atol=1e-5)


def test_a_guess_is_what_a_network_scores_that_puts_out_nothing() -> None:
    known = data.samples(X, DRAW.lognormal(sigma=2, size=400))
    network = probe.learnt(Architecture(1, {"height": 4, "width": 5}, (), (4,), 1), known, steps=1, device="cpu")
    for each in network.module.parameters():
        each.data.zero_()
    assert probe.guessed(known, known) == pytest.approx(float(probe.scores(network, known).mean()), abs=1e-5)


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


@pytest.mark.parametrize("part", [1e-6, 1.0, 1e6])
def test_intervals_hold_the_truth_as_often_as_they_say(part: float) -> None:
    """Of a few seeds that differ, `part` times as much as samples do; of groups that do, and of samples that do."""
    draw = torch.Generator().manual_seed(0)
    within = 0
    for _ in range(400):
        scores = part * torch.randn(4, 1, generator=draw) + 8 * torch.randn(len(JUDGED), generator=draw)
        found = bench().interval(scores)
        within += found.low <= 0 <= found.high
    assert 0.86 <= within / 400 <= 0.96


def test_of_two_groups_little_is_sure() -> None:
    """Against scipy's Student t, of one degree of freedom and of nine."""
    for count in (2, 10):
        groups = np.arange(len(JUDGED)) % count
        grouped = replace(JUDGED, groups=torch.from_numpy(groups))
        by_group = torch.randn(count, generator=torch.Generator().manual_seed(1)).double()
        found = Bench(KNOWN, grouped, 20).interval(by_group[torch.from_numpy(groups)][None].expand(3, -1))
        error = stats.t.ppf(0.95, count - 1) * float((by_group.var() / count).sqrt())
        assert found.error == pytest.approx(error, rel=0.02)


def test_the_best_is_not_judged_where_it_was_chosen() -> None:
    """Of ten that are all as good, by chance one seems best; in halves that chose and judge in turn none does."""
    draw = torch.Generator().manual_seed(0)
    best, chosen = [], []
    for _ in range(200):
        rows = {number: torch.randn(1, len(JUDGED), generator=draw) for number in range(10)}
        best.append(max(float(each.mean()) for each in rows.values()))
        chosen.append(float(bench().best(rows).mean()))
    assert np.mean(best) > 0.1 > 0.02 > abs(np.mean(chosen))
    assert torch.equal(bench().best({1: rows[0], 2: rows[0] + 9}), rows[0] + 9)


def test_intervals_are_of_samples_and_seeds() -> None:
    """Of samples that are drawn alone, and of groups, whose samples are all the same: as of one sample a group."""
    scores = torch.randn(3, len(JUDGED), generator=torch.Generator().manual_seed(0)) + 2
    found = bench().interval(scores)
    of_samples = scores.mean(0).var() / len(JUDGED)
    of_seeds = scores.mean(1).var() / 3
    assert found.mean == pytest.approx(float(scores.mean())) and found.low < found.mean < found.high
    rarity = of_samples**2 / (len(JUDGED) - 1) + of_seeds**2 / 2
    student = stats.t.ppf(0.95, float((of_samples + of_seeds) ** 2 / rarity))
    assert found.error == pytest.approx(student * float((of_samples + of_seeds).sqrt()), rel=0.02)
    groups = np.arange(len(JUDGED)) % 10
    grouped = Bench(KNOWN, data.samples(JUDGED.inputs, JUDGED.targets, groups=groups), 20)
    by_group = torch.randn(10, generator=torch.Generator().manual_seed(1)).double()
    same = by_group[torch.from_numpy(groups)][None].expand(3, -1)
    assert grouped.interval(same).error == pytest.approx(stats.t.ppf(0.95, 9) * float((by_group.var() / 10).sqrt()), rel=0.01)


def test_with_folds_each_sample_is_judged_once_by_a_network_that_has_not_seen_it() -> None:
    whole = data.samples(X, Y)
    crossed = Bench(KNOWN, JUDGED, 60, 3, device="cpu").crossed(whole, seed=0, deadline=float("inf"))
    scores = crossed.scores(SMALL, "small")
    assert scores.shape == (1, 1, 400) and crossed.folds is not None
    mine = crossed.folds == 2
    network = probe.learnt(SMALL, whole.at((~mine).nonzero()[:, 0]), steps=60, seed=2, device="cpu")
    assert torch.allclose(probe.scores(network, whole.at(mine.nonzero()[:, 0])), scores[0, 0, mine], atol=1e-5)
    assert torch.equal(replace(crossed, deadline=0.0).scores(SMALL, "small"), scores)
    with pytest.raises(OutOfTimeError):
        replace(crossed, folds=None, deadline=0.0).scores(SMALL, "small")


@pytest.mark.parametrize("apart", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("groups", [None, 8, 40])
def test_intervals_over_folds_hold_the_truth_as_often_as_they_say(apart: float, groups: int | None) -> None:
    """Of networks that differ by chance, `apart` times as much as samples do, a fold each; of groups that differ, too."""
    of = None if groups is None else np.arange(400) % groups
    whole = data.samples(X, Y, groups=of)
    crossed = Bench(KNOWN, whole, 60).crossed(whole, seed=0, deadline=0.0)
    assert crossed.folds is not None
    generator, held = torch.Generator().manual_seed(0), 0
    for _ in range(400):
        scores = torch.randn(1, 400, generator=generator) + apart * torch.randn(4, generator=generator)[crossed.folds]
        if groups:
            scores += 0.2 * torch.randn(groups, generator=generator)[torch.from_numpy(of)]
        found = crossed.interval(scores)
        held += found.low <= 0 <= found.high
    assert 0.86 <= held / 400 <= 0.96


def test_the_best_of_networks_alike_seems_no_better_for_having_learnt_by_luck() -> None:
    """Each fold has a network of its own, so that one half of the folds says nothing of the luck of the other."""
    whole = data.samples(X, Y)
    crossed = Bench(KNOWN, whole, 60).crossed(whole, seed=0, deadline=0.0)
    assert crossed.folds is not None
    generator, chosen = torch.Generator().manual_seed(0), []
    for _ in range(200):
        rows = {each: torch.randn(4, generator=generator)[crossed.folds][None] for each in range(12)}
        chosen.append(float(crossed.best(rows).mean()))
    assert abs(np.mean(chosen)) < 3 * np.std(chosen) / 200**0.5
    assert float(np.std(chosen)) > 0.3


def test_a_share_has_its_interval() -> None:
    """Against the interval of Fieller 1954 for a ratio, whose scores are the samples' own."""
    draw = torch.Generator().manual_seed(0)
    whole = (0.3 + 0.2 * torch.randn(len(JUDGED), generator=draw)).expand(4, -1).double()
    part = 0.9 * whole + (0.1 * torch.randn(len(JUDGED), generator=draw)).expand(4, -1)
    found = bench().share(part, whole)
    count, student = len(JUDGED), stats.t.ppf(0.95, len(JUDGED) - 1)
    (of_part, both), (_, of_whole) = (torch.cov(torch.stack([part[0], whole[0]])) / count).tolist()
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
    assert probe.guessed(known, judged) == pytest.approx(0, abs=0.3)
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
    often = [(known.targets == each).float().mean(0) for each in range(3)]
    guess = np.mean([[float(often[of][point]) for point, of in enumerate(row)] for row in judged.targets.tolist()])
    assert probe.guessed(known, judged) == pytest.approx(guess, abs=1e-5)
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
