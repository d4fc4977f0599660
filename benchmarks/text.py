"""Kim's network beside what people take for short texts: accuracy, and how fast each learns and classifies.

The same folds for all, of one set of texts. Sides: TF-IDF of words and pairs with logistic regression; NB-SVM with pairs (Wang,
Manning 2012); fastText with pairs; spaCy's text classifier on a convolutional network; convsight. Each learns with its
defaults, or what its authors advise.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import mean, stdev
from time import perf_counter

import numpy as np

from convsight.text import data, model
from convsight.text.data import Labelled
from convsight.text.encode import english
from convsight.text.vectors import read

Called = Sequence[str]
Classify = Callable[[Sequence[str]], Called]
FOLDS = 10


def tf_idf(learnt: Labelled) -> Classify:
    """scikit-learn's `TfidfVectorizer` of words and pairs, and `LogisticRegression`."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    line = make_pipeline(
        TfidfVectorizer(tokenizer=english, token_pattern=None, ngram_range=(1, 2)), LogisticRegression(C=10, max_iter=500)
    )
    line.fit(learnt.texts, learnt.labels)
    return lambda texts: list(line.predict(texts))


def nb_svm(learnt: Labelled) -> Classify:
    """NB-SVM of Wang, Manning 2012: log-count ratios of words and pairs, a linear SVM, and its weights drawn to their mean."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.svm import LinearSVC

    counter = CountVectorizer(tokenizer=english, token_pattern=None, ngram_range=(1, 2), binary=True)
    counts = counter.fit_transform(learnt.texts)
    classes = learnt.classes()
    second = np.array([label == classes[1] for label in learnt.labels])
    parts = [1 + np.asarray(counts[rows].sum(0))[0] for rows in (second, ~second)]
    ratio = np.log(parts[0] / parts[0].sum()) - np.log(parts[1] / parts[1].sum())
    machine = LinearSVC(C=1.0).fit(counts.multiply(ratio).tocsr(), second)
    weight = machine.coef_[0]
    weight = 0.75 * np.abs(weight).mean() + 0.25 * weight
    return lambda texts: [
        classes[int(each > 0)] for each in counter.transform(texts).multiply(ratio).tocsr() @ weight + machine.intercept_[0]
    ]


def fast_text(learnt: Labelled) -> Classify:
    """`fasttext.train_supervised` with pairs of words."""
    import fasttext

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "learnt.txt"
        path.write_text(
            "\n".join(f"__label__{c} {' '.join(english(t))}" for t, c in zip(learnt.texts, learnt.labels, strict=True))
        )
        made = fasttext.train_supervised(str(path), wordNgrams=2, epoch=10, lr=0.5, dim=100, thread=2, verbose=0)
    return lambda texts: [each[0].removeprefix("__label__") for each in made.predict([" ".join(english(t)) for t in texts])[0]]


def spacy_cnn(learnt: Labelled) -> Classify:
    """spaCy's `textcat` on `HashEmbedCNN`, ten epochs."""
    import spacy
    from spacy.training import Example
    from spacy.util import minibatch

    made = spacy.blank("en")
    embedding = {
        "@architectures": "spacy.HashEmbedCNN.v2", "pretrained_vectors": None, "width": 96, "depth": 4, "embed_size": 2000,
        "window_size": 1, "maxout_pieces": 3, "subword_features": True,
    }  # fmt: skip
    reduce = {
        "@architectures": "spacy.TextCatReduce.v1", "exclusive_classes": True, "use_reduce_first": False,
        "use_reduce_last": False, "use_reduce_max": False, "use_reduce_mean": True, "tok2vec": embedding,
    }  # fmt: skip
    part = made.add_pipe("textcat", config={"model": reduce})
    for label in learnt.classes():
        part.add_label(label)
    examples = [
        Example.from_dict(made.make_doc(text), {"cats": {each: float(each == label) for each in learnt.classes()}})
        for text, label in zip(learnt.texts, learnt.labels, strict=True)
    ]
    optimizer = made.initialize(lambda: examples[:100])
    order = random.Random(0)
    for _ in range(10):
        order.shuffle(examples)
        for batch in minibatch(examples, 128):
            made.update(batch, sgd=optimizer, drop=0.2)
    return lambda texts: [max(doc.cats, key=doc.cats.__getitem__) for doc in made.pipe(texts, batch_size=256)]


def convsight(learnt: Labelled, vectors: Path | None) -> Classify:
    """What `convsight text train` makes where it doesn't know the words of the texts to come."""
    classes = learnt.classes()
    start = model.untrained_for(learnt.texts, classes, vectors=partial(read, vectors) if vectors else None)
    made = model.fit(start, learnt.texts, learnt.numbers(classes))
    return lambda texts: [classes[each] for each in made.logits(texts).argmax(1).tolist()]


def main() -> None:
    """Measure every side and write a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", type=Path)
    parser.add_argument("--vectors", type=Path, default=Path("glove+pieces"))
    parser.add_argument("--folds", type=int, default=FOLDS, help="how many of the ten")
    parser.add_argument("--out", type=Path, default=Path("text.md"))
    options = parser.parse_args()
    sides: dict[str, Callable[[Labelled], Classify]] = {
        "TF-IDF, logistic regression": tf_idf,
        "NB-SVM": nb_svm,
        "fastText": fast_text,
        "spaCy textcat CNN": spacy_cnn,
        "convsight, rand": lambda learnt: convsight(learnt, None),
        f"convsight, {options.vectors.name}": lambda learnt: convsight(learnt, options.vectors),
    }
    known = data.load(options.texts)
    found: dict[str, list[tuple[float, float, float]]] = {side: [] for side in sides}
    for part in data.folds(known.labels, FOLDS)[: options.folds]:
        tested, learnt = known.chosen(part), known.chosen(sorted(set(range(len(known))) - set(part)))
        for side, learn in sides.items():
            started = perf_counter()
            classify = learn(learnt)
            seconds = perf_counter() - started
            classify(tested.texts[:10])
            started = perf_counter()
            called = classify(tested.texts)
            rate = len(tested) / (perf_counter() - started)
            right = sum(ours == theirs for ours, theirs in zip(called, tested.labels, strict=True)) / len(tested)
            found[side].append((100 * right, seconds, rate))
            print(side, f"{found[side][-1][0]:.1f}%", f"{seconds:.1f} s", f"{rate:,.0f}/s", flush=True)
    lines = ["| side | % right | spread over folds | seconds to learn | texts a second |", "|---|---|---|---|---|"]
    for side, each in found.items():
        rights, seconds_, rates = zip(*each, strict=True)
        lines.append(f"| {side} | {mean(rights):.1f} | {stdev(rights):.1f} | {mean(seconds_):.1f} | {mean(rates):,.0f} |")
    options.out.write_text("\n".join(lines) + "\n")
    print(options.out.read_text(), end="")


if __name__ == "__main__":
    main()
