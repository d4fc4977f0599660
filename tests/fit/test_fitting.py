from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from convsight.fit import data, fit, fitting, probe, recommend
from convsight.fit.bench import stages_kept
from convsight.fit.interval import Interval
from convsight.fit.recommend import Candidate

DRAW = np.random.default_rng(0)
Y = DRAW.integers(2, size=120)
X = (Y[:, None] + DRAW.standard_normal((120, 10))).astype(np.float32)


def test_interrupted_it_goes_on_where_it_was(tmp_path: Path) -> None:
    checkpoint = tmp_path / "fit.checkpoint"
    asked: list[str] = []

    def interrupted_at(count: int) -> None:
        def told(name: str) -> None:
            asked.append(name)
            if len(asked) == count:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fit(X, Y, axes=("time",), budget=60, device="cpu", checkpoint=checkpoint, on_network=told)

    interrupted_at(3)
    stages = stages_kept(checkpoint)
    assert stages["small"] and asked[:2] == ["time: filters of 5", "time: filters that span it"]
    interrupted_at(5)
    assert asked[3] == asked[2] and asked[1] not in asked[2:] and stages_kept(checkpoint) == stages
    assert stages_kept(None) == stages_kept(tmp_path / "none.checkpoint") == {}


def test_interrupted_among_whole_networks_it_goes_on_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "_affordable", lambda *_: 20)  # there is time for all
    monkeypatch.setattr(fitting, "_steps_of_whole", lambda *_: 30)
    checkpoint = tmp_path / "fit.checkpoint"
    asked: list[str] = []

    def told(name: str) -> None:
        asked.append(name)
        if [each.partition(" ")[2].startswith("convolution") for each in asked].count(True) == 2:
            raise KeyboardInterrupt

    begun: list[str] = []
    for _ in range(2):
        begun, asked = asked, []
        with pytest.raises(KeyboardInterrupt):
            fit(X, Y, axes=("time",), budget=60, device="cpu", checkpoint=checkpoint, on_network=told)
        assert stages_kept(checkpoint) == {"small": 20, "whole": 30}
    assert asked[0] == begun[-1] and not {*begun[:-1]} & {*asked}


def test_every_point_is_told_without_pooling() -> None:
    boards = DRAW.integers(2, size=(80, 2, 4, 13)).astype(bool)
    found = fit(boards, boards[:, 0].astype(float), axes=("row", "column"), budget=0.01, device="cpu")
    assert all(each.along.pools == 1 for each in found.measured)
    assert found.network(found.data.inputs[:3].float()).shape == (3, 52)


def test_numbers_are_told_as_they_were_given() -> None:
    found = fit(X, 1_000 + 50.0 * X[:, 0], axes=("time",), budget=0.01, device="cpu")
    with torch.no_grad():
        told = found.network(found.data.inputs)[:, 0].numpy()
    assert abs(told.mean() - 1_000) < 25 and np.corrcoef(told, X[:, 0])[0, 1] > 0.5 and found.best.right.mean > 0


def test_that_groups_were_kept_apart_is_said() -> None:
    found = fit(X, Y, axes=("time",), groups=np.arange(120) % 6, budget=0.01, device="cpu")
    assert found.data.groups is not None and "of other groups than those that were learnt" in found._repr_html_()


def test_every_point_has_a_class() -> None:
    boards = DRAW.integers(3, size=(80, 4, 13))
    found = fit(boards, boards, axes=("row", "column"), budget=0.01, device="cpu")
    assert found.data.per_point and found.network(found.data.inputs[:3].float()).shape == (3, 3 * 52)


def test_of_few_steps_there_is_a_word() -> None:
    (few,) = fit(X, Y, axes=("time",), budget=0.01, device="cpu").data.notes
    assert few.startswith("there was time for 20 steps of training a network only")


def test_few_samples_are_learnt_for_as_many_steps_as_tell_something() -> None:
    assert fitting._affordable(data.samples(X, Y), 1_000.0, "cpu") == 200


def test_the_search_goes_on_with_twice_as_many_steps_or_more() -> None:
    known = data.samples(X, Y)
    assert fitting._longer_and_longer(100, known) == [100, 200, 500, 1_000]
    assert fitting._longer_and_longer(20, known) == [20, 50, 100, 200, 500, 1_000]
    assert fitting._longer_and_longer(800, known) == [800] and fitting._longer_and_longer(1_000, known) == [1_000]


def test_last_networks_learn_shorter_too_if_there_is_time() -> None:
    known = data.samples(X, Y)
    declared = recommend.fully_connected(known, 100)
    assert fitting._last_steps(declared, known, 1_000.0, "cpu") == [1_000, 200]
    assert fitting._last_steps(declared, known, 0.0, "cpu") == [20]
    (some,) = fitting._last_steps(declared, known, 0.5, "cpu")
    assert 20 <= some < 1_000


def test_the_first_is_best_unless_another_seems_right_more_often() -> None:
    known, judged = data.parted(data.samples(np.tile(X, (10, 1)), np.tile(Y, 10), axes=("time",)))
    network = probe.learnt(recommend.usual(known), known, steps=0, device="cpu")
    right = torch.arange(len(judged)) % 10
    first, little, more = (
        Candidate(name, network, 0.0, Interval(0.5, 0.1), (right < tenths).float())
        for name, tenths in (("a", 6), ("b", 6), ("c", 7))
    )
    little.choosing[:10] = (right[:10] >= 1).float() * (right[:10] < 8)  # two more, one less
    assert fitting._best([first, little], None) is first
    assert fitting._best([first, little, more], None) is more and fitting._best([more, little, first], None) is more


def test_if_the_usual_network_fits_it_is_learnt_once() -> None:
    smooth = (Y[:, None] + DRAW.standard_normal((120, 16)).cumsum(1)).astype(np.float32)
    found = fit(smooth, Y, axes=("time",), budget=0.01, device="cpu")
    fits, usual, connected = found.candidates
    assert fits.network is usual.network is not connected.network and fits.right == usual.right and fits.name != usual.name
    assert "Here it is the usual one itself." in found._repr_html_()
