"""Where networks are learnt and judged side by side: the same samples and seeds for all, each only once, in a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product, repeat
from math import inf, sqrt
from pathlib import Path
from pickle import UnpicklingError
from threading import Event
from time import monotonic
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from convsight.architecture import Architecture
from convsight.assets import digest
from convsight.cores import cores
from convsight.errors import InputError
from convsight.files import written_whole
from convsight.fit import probe
from convsight.fit.data import Samples, folds

Change = Callable[[Tensor], Tensor]
OnStep = Callable[[int, float], None]
SEEDS = 4
_STUDENT = (1, 2, 3, 5, 10, float("inf")), (6.314, 2.920, 2.353, 2.015, 1.812, 1.645)  # degrees of freedom, the 95% quantile
Given = TypeVar("Given")
Result = TypeVar("Result")


def _student(freedom: float) -> float:
    """The 95% quantile of Student's t with so many degrees of freedom."""
    return float(np.interp(1 / freedom, 1 / np.array(_STUDENT[0])[::-1], _STUDENT[1][::-1]))


class OutOfTimeError(Exception):
    """The time that measuring may take is over."""


def side_by_side(task: Callable[[Given, OnStep], Result], given: Sequence[Given]) -> list[Result]:
    """`task` of each, as many at once as there are cores, each on one: small networks gain nothing by several.

    The second argument of `task` is an `on_step` that ends a training once another task has failed, or Ctrl-C was pressed.
    """
    over = Event()

    def on_step(_step: int, _loss: float) -> None:
        if over.is_set():
            raise KeyboardInterrupt

    before = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(min(cores(), len(given)), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            try:
                return list(pool.map(task, given, repeat(on_step)))
            except BaseException:
                over.set()
                raise
    finally:
        torch.set_num_threads(before)  # for threads that begin later, which would have one core, too


@dataclass(frozen=True)
class Interval:
    """`mean`, and `error`: how far off it may be, with 5% of chance on either side, over seeds and over the samples, or groups,
    that judged.
    """

    mean: float
    error: float

    def __str__(self) -> str:
        return f"{self.mean:+.1%} ± {self.error:.1%}"

    @property
    def low(self) -> float:
        return self.mean - self.error

    @property
    def high(self) -> float:
        return self.mean + self.error

    @property
    def seems_more(self) -> bool:
        """Whether it is above zero by half of how far off it may be."""
        return self.mean > self.error / 2


@dataclass
class Bench:
    """`known` are learnt, `judged` are judged by, for `steps` steps unless others are asked for, with `seeds` seeds.

    `folds`: (len(judged),), which seed judges by each of `judged`, having learnt the others instead of `known`. One score a
    sample tells more than one a seed of few samples. `stages`: kept with what was measured, how many steps networks had when.

    `deadline`: seconds of the monotonic clock after which nothing goes on learning and `scores` raises OutOfTimeError. `cache`:
    a file that keeps what was measured, so that measuring may be interrupted. `on_network(name)` is told of each network that
    is about to learn.
    """

    known: Samples
    judged: Samples
    steps: int
    seeds: int = SEEDS
    deadline: float = float("inf")
    cache: Path | None = None
    device: str | None = None
    on_network: Callable[[str], None] | None = None
    folds: Tensor | None = None
    stages: dict[str, int] = field(default_factory=dict)
    _found: dict[str, Tensor] = field(default_factory=dict)
    _changed: dict[str, tuple[Samples, Samples]] = field(default_factory=dict)
    _content: str = ""

    def __post_init__(self) -> None:
        """Raises InputError if the file in `cache` is of other samples."""
        if self.cache and not self._content:
            given = {"known": self.known.inputs, "judged": self.judged.inputs}
            given |= {"targets": self.known.targets, "told": self.judged.targets}
            self._content = digest(given)
            self._found = _read(self.cache, self._content) if self.cache.exists() else {}

    def crossed(self, whole: Samples, *, seed: int, deadline: float) -> Bench:
        """The same where each of `whole` is judged by once, by networks that learnt the others, until `deadline`."""
        return replace(self, judged=whole, folds=folds(whole, self.seeds, seed=seed), deadline=deadline, _changed={})

    def scores(
        self, architecture: Architecture, name: str, *, change: Change | None = None, changed: str = "",
        moves: bool = False, also: Sequence[Change] = (), steps: int | None = None,
    ) -> Tensor:  # fmt: skip
        """(seeds, 1 + len(also), n): the scores of each sample in `judged`, and with each of the changes `also` made to them;
        with `folds`, (1, 1 + len(also), n).

        `change` is made to the inputs of all samples, before; `changed` says which it is, and `moves` that it only moves
        entries, and the points that are told with them. `steps`: how many, if not the bench's.
        """
        steps = steps or self.steps

        def found(seed: int, on_step: OnStep) -> Tensor:
            known, judged = self._of(seed, *self._under(change, changed, moves))
            network = probe.learnt(architecture, known, steps=steps, seed=seed, device=self.device, on_step=on_step)
            rows = [probe.scores(network, judged)]
            return torch.stack(rows + [probe.scores(network, judged.given(each(judged.inputs))) for each in also])

        self._under(change, changed, moves)
        asked = [architecture.to_dict(), changed, len(also), steps, *(() if self.folds is None else ["folds"])]
        return self._of_all_seeds(asked, name, found)

    def transferred(self, architecture: Architecture, name: str, parts: Sequence[Change], part: str) -> Tensor:
        """(seeds, 3, n): the scores of each sample with first filters that learnt the same of `parts` as all else, that learnt
        another, and that learnt nothing; with `folds`, (1, 3, n).

        `parts` are changes that leave a part of the inputs each, `part` says which. The filters stay as they are while the
        rest learns, which begins with other random weights than those beside which the filters learnt.
        """

        left = [(self.known.given(each(self.known.inputs)), self.judged.given(each(self.judged.inputs))) for each in parts]

        def found(seed: int, on_step: OnStep) -> Tensor:
            learn = partial(probe.learnt, architecture, steps=self.steps, device=self.device, on_step=on_step)
            mine = [self._of(seed, *each) for each in left]
            filters = [learn(known, seed=seed) for known, _ in mine]
            filters.append(learn(self.known, steps=0, seed=seed))
            rows: tuple[list[Tensor], ...] = ([], [], [])
            for (place, (known, judged)), (source, each) in product(enumerate(mine), enumerate(filters)):
                which = 2 if source == len(mine) else int(source != place)
                rows[which].append(probe.scores(learn(known, filters=each, seed=seed + self.seeds), judged))
            return torch.stack([torch.stack(each).mean(0) for each in rows])

        asked = [architecture.to_dict(), "transferred", part, self.steps, *(() if self.folds is None else ["folds"])]
        return self._of_all_seeds(asked, name, found)

    def interval(self, scores: Tensor) -> Interval:
        """Of the mean of `scores`, (seeds, n), or differences between two such: by Student's t, with degrees of freedom that
        Welch and Satterthwaite give the sum of two variances, that of the seeds and that of the samples, or groups.

        With `folds`, each judged by one network, it is that of the samples or that of the folds' means, whichever is wider.
        """
        by_seed, by_sample = scores.double().mean(1), scores.double().mean(0)
        judges = len(by_sample)
        if self.judged.groups is not None:
            names = torch.unique(self.judged.groups)
            parts = torch.stack([by_sample[self.judged.groups == each].sum() for each in names])
            counts = torch.stack([(self.judged.groups == each).sum() for each in names])
            residual = parts - by_sample.mean() * counts
            judges = len(names)
            of_samples = float(residual.square().sum()) / len(by_sample) ** 2 * judges / max(1, judges - 1)
        else:
            of_samples = float(by_sample.var()) / len(by_sample)
        if self.folds is not None:
            means = torch.stack([by_sample[self.folds == seed].mean() for seed in range(self.seeds)])
            of_folds = _student(self.seeds - 1) * float(means.std()) / sqrt(self.seeds)
            return Interval(float(by_sample.mean()), max(of_folds, _student(max(1, judges - 1)) * sqrt(of_samples)))
        of_seeds = float(by_seed.var()) / len(by_seed) if len(by_seed) > 1 else 0.0
        together = (of_samples + of_seeds) ** 2
        rarity = of_samples**2 / max(1, judges - 1) + of_seeds**2 / max(1, len(by_seed) - 1)
        return Interval(float(by_sample.mean()), _student(together / rarity if rarity else inf) * sqrt(of_samples + of_seeds))

    def share(self, part: Tensor, whole: Tensor) -> Interval | None:
        """How much of `whole` `part` is, both gains in score (seeds, n), by the delta method; None if `whole` may be none."""
        if self.interval(whole).low <= 0:
            return None
        gained = float(whole.mean())
        share = float(part.mean()) / gained
        return Interval(share, self.interval(part - share * whole).error / gained)

    def best(self, rows: Mapping[int, Tensor]) -> Tensor:
        """(seeds, n): the scores of the best of `rows`, (seeds, n) each. Which that is, is chosen for each half of the samples
        (or groups, or folds) by the other: where it was chosen, the best by chance would seem better than it is.
        """
        judges = torch.arange(len(self.judged))
        if self.folds is not None:
            judges = self.folds
        elif self.judged.groups is not None:
            judges = torch.unique(self.judged.groups, return_inverse=True)[1]
        first = judges % 2 == 0

        def best_in(half: Tensor) -> Tensor:
            return max(rows.values(), key=lambda each: float(each[:, half].mean()))

        return torch.where(first, best_in(~first), best_in(first))

    def _of_all_seeds(self, asked: Sequence[object], name: str, found: Callable[[int, OnStep], Tensor]) -> Tensor:
        """(seeds, k, n), or (1, k, n) of all folds: what `found(seed, on_step)` gives, each asked for once and kept."""
        keys = {seed: json.dumps([*asked, seed], sort_keys=True) for seed in range(self.seeds)}
        lacking = [seed for seed, key in keys.items() if key not in self._found]

        def in_time(seed: int, on_step: OnStep) -> None:
            def checked(step: int, loss: float) -> None:
                if monotonic() > self.deadline:
                    raise OutOfTimeError
                on_step(step, loss)

            self._found[keys[seed]] = found(seed, checked)

        if lacking:
            if monotonic() > self.deadline:
                raise OutOfTimeError
            if self.on_network:
                self.on_network(name)
            try:
                side_by_side(in_time, lacking)
            finally:
                self._keep()
        rows = [self._found[key] for key in keys.values()]
        if self.folds is None:
            return torch.stack(rows)
        whole = torch.empty(len(rows[0]), len(self.judged))
        for seed, row in enumerate(rows):
            whole[:, self.folds == seed] = row
        return whole[None]

    def _of(self, seed: int, known: Samples, judged: Samples) -> tuple[Samples, Samples]:
        """What is learnt and what is judged with `seed`."""
        if self.folds is None:
            return known, judged
        mine = self.folds == seed
        return judged.at((~mine).nonzero()[:, 0]), judged.at(mine.nonzero()[:, 0])

    def _under(self, change: Change | None, changed: str, moves: bool) -> tuple[Samples, Samples]:
        if change is None:
            return self.known, self.judged
        if changed not in self._changed:
            known, judged = (
                each.moved(change) if moves else each.given(change(each.inputs)) for each in (self.known, self.judged)
            )
            self._changed = {changed: (known, judged)}
        return self._changed[changed]

    def _keep(self) -> None:
        if self.cache:
            with written_whole(self.cache) as temporary:
                torch.save({"content": self._content, "stages": self.stages, "found": self._found}, temporary)


def stages_kept(path: Path | None) -> dict[str, int]:
    """Of the measurements in `path`, how many steps networks had when, if there are any. Raises InputError as `Bench` does."""
    return _state(path)[1] if path and path.exists() else {}


def _read(path: Path, content: str) -> dict[str, Tensor]:
    theirs, _, found = _state(path)
    if theirs != content:
        raise InputError(f"{path} is of other data; remove it to begin anew")
    return found


def _state(path: Path) -> tuple[str, dict[str, int], dict[str, Tensor]]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        return str(state["content"]), dict(state["stages"]), dict(state["found"])
    except (KeyError, ValueError, RuntimeError, TypeError, AttributeError, EOFError, OSError, UnpicklingError):
        raise InputError(f"{path} is no checkpoint of measurements; remove it to begin anew") from None
