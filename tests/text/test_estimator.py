from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning, FitFailedWarning, NotFittedError, SkipTestWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks as checks

from convsight import InputError
from convsight.text.estimator import TextClassifier

TEXTS = ["a fine film", "truly fine , moving", "a dull film", "silly , dull and long"] * 10
CLASSES = ["good", "good", "bad", "bad"] * 10


def lowered(texts: list[str]) -> list[str]:
    return [text.lower() for text in texts]


def test_it_learns_and_says_probabilities_in_the_order_of_its_classes() -> None:
    made = TextClassifier(epochs=12).fit(TEXTS, CLASSES)
    assert made.classes_.tolist() == ["bad", "good"] and made.score(TEXTS, CLASSES) == 1.0
    chances = made.predict_proba(["fine", "dull"])
    assert chances.shape == (2, 2) and np.allclose(chances.sum(1), 1) and chances[0, 1] > 0.5 > chances[1, 1]
    assert made.predict(np.array(["fine"], object)).tolist() == ["good"]


def test_classes_may_be_numbers_and_more_than_two() -> None:
    numbers = [5 if each == "good" else -1 for each in CLASSES]
    made = TextClassifier(epochs=15).fit([*TEXTS, *["whatever"] * 20], [*numbers, *[0] * 20])
    assert made.classes_.tolist() == [-1, 0, 5] and made.predict(["whatever", "fine"]).tolist() == [0, 5]


def test_it_works_in_a_pipeline_a_grid_search_and_cross_validation() -> None:
    line = Pipeline([("lower", FunctionTransformer(lowered)), ("classify", TextClassifier(epochs=10))])
    search = GridSearchCV(line, {"classify__epochs": [-1, 12]}, cv=2, error_score=0.0)
    with pytest.warns(FitFailedWarning, match="the epochs must be 1 at least"):
        search.fit(TEXTS, CLASSES)
    assert search.best_params_ == {"classify__epochs": 12} and search.best_score_ == 1.0
    assert search.predict(["FINE"]).tolist() == ["good"]
    assert cross_val_score(TextClassifier(epochs=12), TEXTS, CLASSES, cv=2).min() == 1.0


def test_a_clone_is_unfitted_and_has_the_same_settings() -> None:
    made = TextClassifier(epochs=3, seed=5).fit(TEXTS, CLASSES)
    copied = clone(made)
    assert copied.get_params() == made.get_params()
    with pytest.raises(NotFittedError):
        copied.predict(["fine"])
    assert np.array_equal(copied.fit(TEXTS, CLASSES).predict_proba(TEXTS), made.predict_proba(TEXTS))
    assert np.array_equal(pickle.loads(pickle.dumps(made)).predict_proba(TEXTS), made.predict_proba(TEXTS))


@pytest.mark.parametrize(
    "check",
    [
        checks.check_estimator_cloneable, checks.check_estimator_repr, checks.check_no_attributes_set_in_init,
        checks.check_parameters_default_constructible, checks.check_get_params_invariance, checks.check_set_params,
        checks.check_estimator_tags_renamed, checks.check_valid_tag_types,
    ],
)  # fmt: skip
def test_it_passes_scikit_learns_checks_that_take_no_numbers(check: Callable[[str, TextClassifier], None]) -> None:
    check("TextClassifier", TextClassifier())


def test_scikit_learn_has_no_other_checks_for_texts() -> None:
    with pytest.warns(SkipTestWarning, match="requires input"):
        checks.check_estimator(TextClassifier())


def test_bad_input_is_said() -> None:
    for wrong, message in (
        ({"tokeniser": "foo"}, 'not "foo"'), ({"epochs": 2.0}, "the epochs must be a whole number, not 2.0"),
        ({"seed": None}, "the seed must be a whole number, not None"), ({"epochs": 0}, "the epochs must be 1 at least, not 0"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=message):
            TextClassifier(**wrong).fit(["a b", "c d"], [0, 1])
    assert TextClassifier(epochs=np.int64(1), seed=np.int64(3)).fit(["a b", "c d"], [0, 1]).predict(["a"]).shape == (1,)
    with pytest.raises(InputError, match="not one text"):
        TextClassifier().fit("fine", ["good"])
    with pytest.raises(InputError, match="sample 1 is no text but a float"):
        TextClassifier().fit(["fine", float("nan")], ["good", "bad"])
    with pytest.raises(InputError, match="2 texts and 1 classes"):
        TextClassifier().fit(["fine", "dull"], ["good"])
    with pytest.raises(InputError, match="sample 1 has no class"):
        TextClassifier().fit(["fine", "dull"], ["good", None])
    with pytest.raises(InputError, match="two classes at least"):
        TextClassifier().fit(["fine", "dull"], ["good", "good"])
    with pytest.raises(InputError, match=r"no file none\.txt"):
        TextClassifier(vectors=Path("none.txt")).fit(TEXTS, CLASSES)
    with pytest.raises(InputError, match="one column of a table"):
        TextClassifier().fit({"text": TEXTS}, CLASSES)
    with pytest.raises(InputError, match="one column of a table"):
        TextClassifier().fit(np.array(TEXTS, object)[:, None], CLASSES)
    with pytest.raises(ValueError, match="continuous"):
        TextClassifier().fit(TEXTS, [number / 7 for number in range(len(TEXTS))])


def test_a_column_of_classes_is_taken_and_a_pickle_holds_no_tables() -> None:
    with pytest.warns(DataConversionWarning):
        made = TextClassifier(epochs=2).fit(TEXTS, np.array(CLASSES)[:, None])
    size = len(pickle.dumps(made))
    made.predict(TEXTS)
    assert len(pickle.dumps(made)) == size
