"""The classifier as scikit-learn's estimators are: `fit`, `predict`, `predict_proba`, in pipelines and grid searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from operator import index
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convsight.errors import InputError, extra
from convsight.text import model
from convsight.text.vectors import read

extra("sklearn", "text")

from sklearn.base import BaseEstimator, ClassifierMixin  # noqa: E402 (what is missing is said first)
from sklearn.utils.multiclass import check_classification_targets  # noqa: E402
from sklearn.utils.validation import check_is_fitted, column_or_1d  # noqa: E402


class TextClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Kim's network for texts: X is a sequence of strings, y their classes, of any kind.

    `vectors`: a file of word vectors, as `vectors.read` takes it. `embeddings`: Kim's variants, or None for non-static with
    vectors and rand without. After `fit`, `classifier_` is the `model.Classifier` and `classes_` are the classes.
    """

    def __init__(
        self, *, embeddings: model.Embeddings | None = None, vectors: Path | str | None = None, tokeniser: str = "english",
        epochs: int = model.PLAN.epochs, seed: int = 0, device: str | None = None,
    ) -> None:  # fmt: skip
        self.embeddings, self.vectors, self.tokeniser = embeddings, vectors, tokeniser
        self.epochs, self.seed, self.device = epochs, seed, device

    def fit(self, X: Sequence[str], y: Sequence[Any]) -> TextClassifier:  # noqa: N803 (scikit-learn's name for it)
        """Learn the classes `y` of the texts `X`.

        Raises InputError if they aren't as many, or of one class only, and ValueError if `y` is no column of classes.
        """
        texts = _texts(X)
        epochs, seed = _whole(self.epochs, "epochs", at_least=1), _whole(self.seed, "seed", at_least=0)
        if y is None or len(y) != len(texts):
            raise InputError(f"there are {len(texts)} texts and {0 if y is None else len(y)} classes; each text has one")
        if (lacking := next((place for place, each in enumerate(y) if each is None), None)) is not None:
            raise InputError(f"sample {lacking} has no class: it is None")
        classes = column_or_1d(y, warn=True)
        check_classification_targets(classes)
        self.classes_, numbers = np.unique(classes, return_inverse=True)
        start = model.untrained_for(
            texts, tuple(map(str, self.classes_)), tokeniser=self.tokeniser, embeddings=self.embeddings, seed=seed,
            vectors=partial(read, Path(self.vectors)) if self.vectors else None,
        )  # fmt: skip
        plan = replace(model.PLAN, epochs=epochs)
        self.classifier_ = model.fit(start, texts, numbers.tolist(), plan=plan, seed=seed, device=self.device)
        return self

    def predict_proba(self, X: Sequence[str]) -> NDArray[np.float64]:  # noqa: N803
        """(N, classes): how likely each class is, in the order of `classes_`."""
        check_is_fitted(self)
        probabilities = self.classifier_.logits(_texts(X)).double().softmax(1)
        return np.asarray(probabilities.numpy())

    def predict(self, X: Sequence[str]) -> NDArray[Any]:  # noqa: N803
        """(N,): the likeliest class of each text."""
        best = self.predict_proba(X).argmax(1)
        return np.asarray(self.classes_[best])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.one_d_array, tags.input_tags.two_d_array = True, True, False
        return tags


def _whole(number: Any, name: str, *, at_least: int) -> int:
    try:
        found = index(number)
    except TypeError:
        raise InputError(f"the {name} must be a whole number, not {number!r}") from None
    if found < at_least:
        raise InputError(f"the {name} must be {at_least} at least, not {found}")
    return found


def _texts(given: Sequence[str]) -> list[str]:
    if isinstance(given, str):
        raise InputError("give a sequence of texts, not one text")
    if isinstance(given, Mapping) or getattr(given, "ndim", 1) != 1:
        raise InputError('give a sequence of texts, such as one column of a table, table["text"], not a table')
    texts = list(given)
    for place, each in enumerate(texts):
        if not isinstance(each, str):
            raise InputError(f"sample {place} is no text but a {type(each).__name__}")
    if not texts:
        raise InputError("there is no text to learn from or to classify")
    return texts
