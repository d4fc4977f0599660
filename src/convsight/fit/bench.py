"""Where networks are learnt and judged side by side: the same samples and parts for all, each only once, in a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from pathlib import Path
from pickle import UnpicklingError
from threading import Event
from time import monotonic
from typing import TypeVar

import torch
from torch import Tensor

from convsight.architecture import Architecture
from convsight.assets import digest
from convsight.cores import cores
from convsight.errors import InputError
from convsight.files import written_whole
from convsight.fit import probe, verdict
from convsight.fit.data import Samples, folds
from convsight.fit.interval import Interval, of_mean

Change = Callable[[Tensor], Tensor]
OnStep = Callable[[int, float], None]
PARTS = 4
Given = TypeVar("Given")
Result = TypeVar("Result")


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


@dataclass
class Bench:
    """Each of `samples` is judged once, by a network that learnt others in `steps` steps, if not in as many as is asked for.

    They lie in `parts` parts, drawn with `seed`, no group in two: each network is judged by one part, and learns all others.
    One score a sample tells more of few samples than several scores of some. `stages`: kept with what was measured, how many
    steps networks had when.

    `deadline`: seconds of the monotonic clock after which nothing goes on learning and `scores` raises OutOfTimeError. `cache`:
    a file that keeps what was measured, so that measuring may be interrupted. `on_network(name)` is told of each network that
    is about to learn.
    """

    samples: Samples
    steps: int
    parts: int = PARTS
    seed: int = 0
    deadline: float = float("inf")
    cache: Path | None = None
    device: str | None = None
    on_network: Callable[[str], None] | None = None
    stages: dict[str, int] = field(default_factory=dict)
    folds: Tensor = field(init=False)
    _found: dict[str, Tensor] = field(default_factory=dict)
    _content: str = ""

    def __post_init__(self) -> None:
        """Raises InputError if the file in `cache` is of other samples, or in other parts."""
        self.folds = folds(self.samples, self.parts, seed=self.seed)
        if self.cache:
            self._content = digest(
                {"x, " + ", ".join(self.samples.axes): self.samples.inputs, "y": self.samples.targets, "folds": self.folds}
            )
            self._found = _read(self.cache, self._content) if self.cache.exists() else {}

    def scores(
        self, architecture: Architecture, name: str, *, change: Change | None = None, changed: str = "",
        moves: bool = False, also: Mapping[str, Change] | None = None, steps: int | None = None,
    ) -> Tensor:  # fmt: skip
        """(1 + len(also), n): the score of each sample, and with each of the changes `also` (by name) to what is judged by.

        `change` is made to the inputs of all samples, before; `changed` says which it is, and `moves` that it only moves
        entries, and the points that are told with them. `steps`: how many, if not the bench's.
        """
        steps, also = steps or self.steps, also or {}

        def found(part: int, on_step: OnStep) -> Tensor:
            known, judged = self._apart(part)
            if change:
                known, judged = (
                    each.moved(change) if moves else each.given(change(each.inputs)) for each in (known, judged)
                )  # fmt: skip
            network = probe.learnt(architecture, known, steps=steps, seed=part, device=self.device, on_step=on_step)
            rows = [probe.scores(network, judged)]
            return torch.stack(rows + [probe.scores(network, judged.given(each(judged.inputs))) for each in also.values()])

        return self._of_all_parts([architecture.to_dict(), changed, [*also], steps], name, found)

    def transferred(self, architecture: Architecture, name: str, places: Sequence[Change], axis: str) -> Tensor:
        """(3, n): the score of each sample with first filters that learnt the same of `places` as all else, that learnt
        another, and that learnt nothing.

        `places` are changes that leave a part of the inputs each, along `axis`. The filters stay as they are while the
        rest learns, which begins with other random weights than those beside which the filters learnt.
        """

        def found(part: int, on_step: OnStep) -> Tensor:
            learn = partial(probe.learnt, architecture, steps=self.steps, device=self.device, on_step=on_step)
            known, judged = self._apart(part)
            filters = [learn(known.given(each(known.inputs)), seed=part) for each in places]
            filters.append(learn(known, steps=0, seed=part))
            rows: tuple[list[Tensor], ...] = ([], [], [])
            for place, change in enumerate(places):
                left, told = (each.given(change(each.inputs)) for each in (known, judged))
                for source, its in enumerate(filters):
                    which = 2 if source == len(places) else int(source != place)
                    rows[which].append(probe.scores(learn(left, filters=its, seed=part + self.parts), told))
            return torch.stack([torch.stack(each).mean(0) for each in rows])

        return self._of_all_parts([architecture.to_dict(), "transferred", axis, self.steps], name, found)

    def interval(self, scores: Tensor) -> Interval:
        """`interval.of_mean` of `scores`, (n,), over the bench's samples, or groups, and its parts."""
        return of_mean(scores, groups=self.samples.groups, folds=self.folds)

    def share(self, some: Tensor, whole: Tensor) -> Interval | None:
        """How much of `whole` `some` is, both gains in score (n,), by the delta method; None if `whole` may be none."""
        if self.interval(whole).low <= 0:
            return None
        gained = float(whole.mean())
        share = float(some.mean()) / gained
        return Interval(share, self.interval(some - share * whole).error / gained)

    def best(self, rows: Mapping[int, Tensor]) -> Tensor:
        """(n,): the scores of the best of `rows`, (n,) each. Which that is, is chosen for each part by the others: where it was
        chosen, the best by chance would seem better than it is.
        """
        found = torch.empty(len(self.samples))
        for part in range(self.parts):
            mine = self.folds == part
            found[mine] = max(rows.values(), key=lambda each: float(each[~mine].mean()))[mine]
        return found

    def little(self, scores: Tensor) -> float:
        """A difference in score that is as good as none, where `scores`, (n,), are the best there are."""
        best = float(scores.mean())
        return verdict.little(best - probe.guessed(self.samples), 1 - best)

    def all_told(self, scores: Tensor) -> bool:
        """Whether less than one sample is missed, so that nothing can be chosen by these scores."""
        return float(scores.mean()) > 1 - 1 / len(self.samples)

    def _of_all_parts(self, asked: Sequence[object], name: str, found: Callable[[int, OnStep], Tensor]) -> Tensor:
        """(k, n): what `found(part, on_step)` gives, (k, those in the part), each asked for once and kept."""
        keys = {part: json.dumps([*asked, part], sort_keys=True) for part in range(self.parts)}
        lacking = [part for part, key in keys.items() if key not in self._found]

        def in_time(part: int, on_step: OnStep) -> None:
            def checked(step: int, loss: float) -> None:
                if monotonic() > self.deadline:
                    raise OutOfTimeError
                on_step(step, loss)

            self._found[keys[part]] = found(part, checked)

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
        whole = torch.empty(len(rows[0]), len(self.samples))
        for part, row in enumerate(rows):
            whole[:, self.folds == part] = row
        return whole

    def _apart(self, part: int) -> tuple[Samples, Samples]:
        """What is learnt, and what is judged by."""
        mine = self.folds == part
        return self.samples.at((~mine).nonzero()[:, 0]), self.samples.at(mine.nonzero()[:, 0])

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
