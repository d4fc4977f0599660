"""How well Kim's network classifies a set of texts: by cross-validation, or by the set's own split, beside what he published.

Folds that test are never used to stop, or to choose anything, and what is learnt doesn't depend on their texts. Words of
theirs that have a vector are read by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from convsight.errors import InputError
from convsight.text import data, model
from convsight.text.data import Labelled
from convsight.text.vectors import Vectors
from convsight.training import Plan

FOLDS = 10
KIM = {
    "mr": {"rand": 76.1, "static": 81.0, "non-static": 81.5, "multichannel": 81.1},
    "sst2": {"rand": 82.7, "static": 86.8, "non-static": 87.2, "multichannel": 88.1},
    "subj": {"rand": 89.6, "static": 93.0, "non-static": 93.4, "multichannel": 93.2},
    "cr": {"rand": 79.8, "static": 84.7, "non-static": 84.3, "multichannel": 85.0},
}  # percent; Kim 2014, table 2; of SST-2 he also learnt from phrases


def sets(folder: Path) -> Iterator[tuple[str, list[tuple[Labelled, Labelled]]]]:
    """The name of each set in `folder`, and what to learn from and to test by: ten folds, or its train.txt and test.txt.

    Raises InputError as `data.load` does, or if there is no set, or one has too few texts for ten folds.
    """
    inside = sorted(each for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []
    if not inside:
        raise InputError(f"{folder} is no folder of sets, each a folder of its own")
    for each in inside:
        if (each / "train.txt").exists() and (each / "test.txt").exists():
            yield each.name, [(data.load(each / "train.txt"), data.load(each / "test.txt"))]
            continue
        known = data.load(each)
        if len(known) < FOLDS:
            raise InputError(f"{each} has {len(known)} texts; {FOLDS} folds need {FOLDS} at least")
        parts = data.folds(known.labels, FOLDS)
        everything = set(range(len(known)))
        yield each.name, [(known.chosen(sorted(everything - set(part))), known.chosen(part)) for part in parts]


def accuracy(
    learnt: Labelled, tested: Labelled, *, embeddings: model.Embeddings, vectors: Vectors | None, plan: Plan = model.PLAN,
    seed: int = 0, device: str | None = None,
) -> float:  # fmt: skip
    """The part of `tested` that a network which learnt `learnt` classifies rightly."""
    classes = learnt.classes()
    source = None if vectors is None or embeddings == "rand" else lambda _words: vectors
    start = model.untrained_for(learnt.texts, classes, vectors=source, others=tested.texts, embeddings=embeddings, seed=seed)
    made = model.fit(start, learnt.texts, learnt.numbers(classes), plan=plan, seed=seed, device=device)
    return model.count_right(made, tested.texts, tested.numbers(classes)) / len(tested)
