from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convsight.errors import InputError
from convsight.fit import data

X = np.random.default_rng(0).standard_normal((60, 6, 7)).astype(np.float32)
Y = np.arange(60) % 3


def test_arrays_of_every_shape_become_pictures() -> None:
    assert data.samples(X, Y).inputs.shape == (60, 1, 6, 7)
    assert data.samples(X, Y, axes=("time",)).inputs.shape == (60, 6, 1, 7)
    series = data.samples(X[:, 0], Y)
    assert series.inputs.shape == (60, 1, 1, 7) and series.lengths == {"place": 7}
    assert data.samples(X[:, None].repeat(3, 1), Y, axes=("a", "b")).inputs.shape == (60, 3, 6, 7)
    assert data.samples(X[:, None], Y).axes == ("height", "width")
    assert data.samples(X.tolist(), Y.tolist()).labels == ("0", "1", "2")
    assert data.samples(torch.from_numpy(X).bfloat16().requires_grad_(), torch.from_numpy(Y)).inputs.shape == (60, 1, 6, 7)
    assert data.samples(X, Y, axes="time").axes == ("row", "time")
    assert data.samples(X, Y, axes=(1, 2)).axes == ("1", "2")  # type: ignore[arg-type]


def test_what_is_to_be_told() -> None:
    for kind in (str, object, bytes):  # as numpy has names, as pandas does, and as HDF5 does
        names = np.array(["b", "a", "c"], kind)[Y]
        assert data.samples(X, names, groups=np.array(list("abcdef"), kind)[Y + 3 * (X[:, 0, 0] > 0)]).labels == ("a", "b", "c")
    assert data.samples(X, [*"abc", "nan"] * 15).labels == ("a", "b", "c", "nan")
    assert data.samples(X, Y - 1).labels == ("-1", "0", "1")
    numbers = data.samples(X, Y.astype(float))
    assert numbers.notes == ("numbers are told, not classes; if they are classes, give integers or names",)
    assert data.samples(X, Y + 0.5).notes == ("numbers are told, not classes",)
    assert numbers.labels == () and numbers.targets.shape == (60, 1)
    assert float(numbers.targets.mean()) == pytest.approx(0, abs=1e-6) and float(numbers.targets.std()) == pytest.approx(1)
    points = np.zeros((60, 6, 7), bool)
    points[np.arange(60), Y, 2 * Y] = True
    told = data.samples(X, points)
    assert told.per_point and told.outputs == 42 and told.targets.tolist() == (7 * Y + 2 * Y).tolist()
    assert data.samples(X, X + 1).per_point and not data.samples(X, X + 1).labels
    mask = data.samples(X, X > 1)
    assert mask.per_point and mask.labels == ("False", "True") and mask.targets.tolist() == (X > 1).reshape(60, -1).tolist()
    assert mask.outputs == 84 and told.outputs == 42


@pytest.mark.parametrize(
    ("x", "y", "more", "problem"),
    [
        (X[:10], Y[:10], {}, "there are 10 samples; 40 at least"),
        (X, Y[:-1], {}, "x has 60 samples, y has 59"),
        (X, np.zeros(60, int), {}, "all samples are of one class, 0"),
        (
            np.where(np.arange(60)[:, None, None] == 3, np.nan, X),
            Y,
            {},
            "x is not finite everywhere, or too large: first in sample 3",
        ),
        (np.ones((60, 6, 7)), Y, {}, "all samples of x are the same"),
        (X, np.full(60, 1.5), {}, "all numbers of y are the same"),
        (X, np.where(np.arange(60) == 5, np.inf, 1.0), {}, "y is not finite everywhere, or too large: first in sample 5"),
        (X, Y + 1j, {}, "y must hold integers, names, truths or floats, not complex128"),
        (X[:, 0, :1], Y, {"axes": "time"}, "x has nothing along time: there must be two"),
        (X, np.where(np.arange(60) == 5, 7, 1), {}, 'class "7" has one sample'),
        (X, np.arange(60), {}, "60 classes of 60 labels"),
        (X[:, None, None], Y, {}, "x has 4 dimensions a sample"),
        (X, Y, {"axes": ("a", "b", "c")}, "x has 2 dimensions a sample and 3 axes are named"),
        (X, Y, {"axes": ("a", "a")}, "each axis needs a name of its own"),
        (X[:, :1, :1], Y, {}, "there must be two numbers at least"),
        (X, Y, {"groups": Y[:-1]}, "groups has 59"),
        (X, Y, {"groups": Y}, "groups has 3 different names; six at least"),
        (X, Y, {"groups": np.stack([Y, Y], 1)}, "groups must be (N,), a name a sample, not (60, 2)"),
        (X, Y, {"groups": np.where(Y, Y, np.nan)}, "groups has no name for sample 0"),
        (X, [None, *Y[1:]], {}, "something is missing"),
        (X, np.array(["a", np.nan], object)[Y % 2], {}, "something is missing"),
        (X, ["a", "b", float("nan")] * 20, {}, "y has no name in place 2, but NaN"),
        (X, 1e200 * (Y + 0.5), {}, "y is not finite everywhere, or too large"),
        (X, np.arange(60) // 2, {}, "there are 30 classes of 60 labels; give floats"),
        (X, np.arange(60 * 42).reshape(X.shape), {}, "2,520 classes of 2,520 labels; give floats"),
        (X[:, :0], Y, {}, "there must be two numbers at least"),
        (1e300 * X.astype(float), Y, {}, "or too large: first in sample 0"),
        (np.ma.masked_greater(X, 1), Y, {}, "x is masked in places"),
        (X.astype(str), Y, {}, "x must hold numbers"),
        (X[:, 0, 0], Y, {}, "not of shape (60,)"),
        ([[1, 2], [3]], [0, 1], {}, "x is no array"),
        (X, X[:, :2, 0] > 0, {}, "y must be (N,)"),
        (X, np.full((60, 6, 7), "a"), {}, "all samples are of one class, a"),
    ],
)
def test_what_cannot_be_measured_is_said(x: object, y: object, more: dict[str, object], problem: str) -> None:
    with pytest.raises(InputError) as raised:
        data.samples(x, y, **more)  # type: ignore[arg-type]
    assert problem in str(raised.value)


def test_of_very_many_samples_some_are_drawn() -> None:
    x = np.broadcast_to(np.arange(2_000_000, dtype=np.float32)[:, None], (2_000_000, 2))
    some = data.samples(x, np.arange(2_000_000) % 2)
    assert len(some) == data.MOST and some.notes == ("20,000 of 2,000,000 samples were drawn at random",)
    assert (some.inputs[:, 0, 0, 0].long() % 2 == some.targets).all()
    broken = int(some.inputs[7_000, 0, 0, 0])
    with pytest.raises(InputError, match=f"y is not finite everywhere, or too large: first in sample {broken};"):
        data.samples(x, np.where(np.arange(2_000_000) == broken, np.nan, 1.0))


def test_what_may_be_meant_otherwise_is_told_of() -> None:
    colours = X[:, :, :, None].repeat(3, 3)
    (note,) = data.samples(colours, Y).notes
    assert note.startswith("the 6 along x's second dimension are taken for channels")
    assert not data.samples(np.moveaxis(colours, -1, 1), Y).notes and not data.samples(colours, Y, axes=("a", "b")).notes
    filled = X.copy()
    filled[17, 2, 3] = -1e20
    (note,) = data.samples(filled, Y).notes
    assert note.startswith("sample 17 of x has numbers more than a thousand times as large as most")


def test_copies_are_told_of() -> None:
    twice = np.concatenate([X, X[:20]])
    (note,) = data.samples(twice, np.concatenate([Y, Y[:20]])).notes
    assert note.startswith("20 samples are exact copies of others") and not data.samples(X, Y).notes


def test_of_rare_classes_some_are_kept() -> None:
    y = np.array(["often", "seldom"])[(np.arange(300_000) % 30_000 == 7).astype(int)]
    some = data.samples(np.random.default_rng(0).standard_normal((300_000, 3), dtype=np.float32), y)
    assert len(some) == data.MOST and 8 <= int((some.targets == 1).sum()) < 12


def test_numbers_of_several_kinds_are_of_one_size() -> None:
    draw = np.random.default_rng(0)
    known = data.samples(X, draw.standard_normal((60, 2)) * (5.0, 0.1) + (1000.0, 0.0))
    assert torch.allclose(known.targets.mean(0), torch.zeros(2), atol=1e-4)
    assert torch.allclose(known.targets.std(0), torch.ones(2), atol=1e-4)
    mean, spread = known.units or (torch.empty(0), torch.empty(0))
    assert mean.tolist() == pytest.approx([1000, 0], abs=3) and spread.tolist() == pytest.approx([5, 0.1], rel=0.3)
    points = data.samples(X, X + 100 * np.arange(42).reshape(6, 7))
    assert points.per_point and torch.allclose(points.targets.mean(0), torch.zeros(42), atol=1e-4)
    assert float(points.targets.std()) == pytest.approx(1, abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.integers(40, 300), st.integers(2, 5), st.integers(0, 5))
def test_parts_hold_each_sample_once_and_each_class_in_proportion(count: int, classes: int, seed: int) -> None:
    x = torch.arange(count).float()[:, None].expand(-1, 2).contiguous()
    whole = data.samples(x, torch.arange(count) % classes)
    learnt, judged = data.parted(whole, seed=seed)
    assert sorted([*learnt.inputs[:, 0, 0, 0].tolist(), *judged.inputs[:, 0, 0, 0].tolist()]) == list(range(count))
    for each in range(classes):
        of_it = int((whole.targets == each).sum())
        assert abs(int((judged.targets == each).sum()) - of_it / 4) <= 1


@pytest.mark.parametrize("classes", [2, 5])
def test_folds_are_equal_and_have_each_class_in_proportion(classes: int) -> None:
    x = torch.arange(83).float()[:, None].expand(-1, 2).contiguous()
    whole = data.samples(x, torch.arange(83) % classes)
    found = data.folds(whole, 4)
    assert torch.bincount(found).tolist() == [21, 21, 21, 20]
    assert not torch.equal(found, data.folds(whole, 4, seed=1))
    for each in range(classes):
        of_it = found[whole.targets == each]
        assert int(torch.bincount(of_it, minlength=4).max()) - int(torch.bincount(of_it, minlength=4).min()) <= 1


def test_no_group_is_in_two_folds() -> None:
    whole = data.samples(X, Y, groups=np.arange(60) % 6)
    found = data.folds(whole, 4)
    assert whole.groups is not None and len(torch.unique(found)) == 4
    assert all(len(torch.unique(found[whole.groups == each])) == 1 for each in range(6))


def test_groups_are_learnt_or_judged_by_never_both() -> None:
    whole = data.samples(X, Y, groups=np.array([f"speaker {each}" for each in np.arange(60) % 8]))
    learnt, judged = data.parted(whole)
    assert learnt.groups is not None and judged.groups is not None and len(torch.unique(judged.groups)) >= 2
    assert not {*learnt.groups.tolist()} & {*judged.groups.tolist()} and len(learnt) + len(judged) == 60
