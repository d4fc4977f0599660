"""Should filters for text slide along the embedding too? (Lecture, row L11: no.)

Two networks of equally many parameters learn the same folds from the same word vectors: one whose filters span a vector whole
and slide along time, one whose filters cover a part of the vector and slide along it too. The third line is the second network
on vectors whose numbers were put in another order: what slides along them finds no more, and no less, in any order.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import mean, stdev
from time import perf_counter

import torch

from convsight.architecture import WHOLE, Architecture, Convolution, build
from convsight.text import data, model
from convsight.text.encode import of_similar_length
from convsight.text.vectors import Vectors, VectorSource, read

WORDS, FILTERS, PART, FOLDS, CLASSES = (3, 4, 5), 20, 10, 10, 2


def spanning(width: int) -> Architecture:
    """Kim's network, with `FILTERS` filters of each length."""
    kims = model.kims(width=width, classes=CLASSES)
    return replace(kims, convolutions=tuple(replace(each, filters=FILTERS) for each in kims.convolutions))


def sliding(width: int) -> Architecture:
    """Filters over `PART` numbers of a vector, slid along both axes; as many as make as many parameters."""
    whole = {"embedding": WHOLE, "time": WHOLE}

    def count(words: int) -> int:
        return round(FILTERS * (words * width + 1 + CLASSES) / (words * PART + 1 + CLASSES))

    return replace(
        spanning(width),
        convolutions=tuple(
            Convolution(count(words), slides={"embedding": PART, "time": words}, pools=whole, padded="wide") for words in WORDS
        ),
    )


@torch.no_grad()
def count_right(classifier: model.Classifier, texts: Sequence[str], labels: Sequence[int]) -> int:
    """How many of `texts` get their label; through the network itself, since only filters that span have slots."""
    sentences, module = [classifier.vocabulary.numbers(each) for each in texts], classifier.network.module.eval()
    right = 0
    for some in of_similar_length(sentences, 64):
        called = module(classifier.embedded([sentences[each] for each in some])).argmax(1).tolist()
        right += sum(ours == labels[each] for ours, each in zip(called, some, strict=True))
    return right


def shuffled(source: VectorSource) -> VectorSource:
    """The same vectors, the numbers of all of them in one other order."""

    def read_shuffled(words: Collection[str]) -> Vectors:
        found = source(words)
        order = torch.randperm(len(next(iter(found.values()))), generator=torch.Generator().manual_seed(1)).numpy()
        return {word: vector[order] for word, vector in found.items()}

    return read_shuffled


def main() -> None:
    """Learn and judge fold by fold, all sides in turn, and write a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", type=Path)
    parser.add_argument("--vectors", type=Path, default=Path("glove"))
    parser.add_argument("--folds", type=int, default=FOLDS, help="how many of the ten")
    parser.add_argument("--out", type=Path, default=Path("text_axes.md"))
    options = parser.parse_args()
    source = partial(read, options.vectors)
    sides: dict[str, tuple[Callable[[int], Architecture], VectorSource]] = {
        "spans the vector": (spanning, source),
        "slides along it too": (sliding, source),
        "slides along it too, its numbers shuffled": (sliding, shuffled(source)),
    }
    known = data.load(options.texts)
    classes = known.classes()
    found: dict[str, list[float]] = {side: [] for side in sides}
    seconds, parameters = dict.fromkeys(sides, 0.0), dict.fromkeys(sides, 0)
    for part in data.folds(known.labels, FOLDS)[: options.folds]:
        tested, learnt = known.chosen(part), known.chosen(sorted(set(range(len(known))) - set(part)))
        for side, (architecture_of, vectors) in sides.items():
            start = model.untrained_for(learnt.texts, classes, vectors=vectors, others=tested.texts)
            architecture = architecture_of(start.tables[0].shape[1])
            torch.manual_seed(0)
            network = replace(start.network, module=build(architecture), architecture=architecture)
            parameters[side] = sum(each.numel() for each in network.module.parameters())
            started = perf_counter()
            made = model.fit(replace(start, network=network), learnt.texts, learnt.numbers(classes))
            seconds[side] += perf_counter() - started
            found[side].append(100 * count_right(made, tested.texts, tested.numbers(classes)) / len(tested))
            print(side, f"{found[side][-1]:.1f}%", flush=True)
    lines = ["| filters | parameters | % right | spread over folds | seconds a fold |", "|---|---|---|---|---|"]
    for side, each in found.items():
        spread = stdev(each) if len(each) > 1 else 0.0
        lines.append(f"| {side} | {parameters[side]:,} | {mean(each):.1f} | {spread:.1f} | {seconds[side] / len(each):.0f} |")
    options.out.write_text("\n".join(lines) + "\n")
    print(options.out.read_text(), end="")


if __name__ == "__main__":
    main()
