"""Text, row L11."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import torch
from torch import Generator, Tensor

from convsight.pictures import png
from convsight.text import show, views
from convsight.text.model import Classifier, load_classifier
from convsight.tour.page import Answer, Picture, Section

NETWORKS = ("text",)
REVIEW = "a moving film , but the ending is a mess"
OPEN = 'from convsight.text import model, views; reads = model.load_classifier("text")'
MEASURED = (
    ("filters", "parameters", "MR, % right, three folds"),
    ("span the vector", "12,182", "77.6"),
    ("slide along it, too", "12,148", "74.3"),
    ("the same, its numbers shuffled", "12,148", "74.9"),
)  # benchmarks/text_axes.md


def decided(_seed: int, _device: str) -> Section:
    """Which words decide, adding up exactly."""
    classifier = load_classifier("text")
    decision = views.decision(classifier, REVIEW)
    told = decision.told
    number = told.labels.index(told.label)
    added = sum(part.contribution[number] for part in told.parts) + told.bias[number]
    return Section(
        title="Which words decide?",
        asked="Of each filter only its strongest answer reaches the last layer, so a decision is a sum over a few n-grams.",
        picture=Picture(
            png(decision.picture),
            "A review whose words are green or red, over bars of the n-grams that decide",
            f'convsight text explain "{REVIEW}"',
            f'{OPEN}; views.decision(reads, "{REVIEW}")',
            smooth=True,
        ),
        finding=f"It is called {told.label}. {len(told.parts)} filters answer; what they contribute adds up to {added:.4f}, "
        f"and the logit is {told.logits[number]:.4f}: nothing is estimated.",
        introduction="A sentence is a picture too: words across, and down each word the numbers of its vector. But those stand "
        "in no order, so a filter spans them all and slides along the words only. It answers wherever its few words are, and "
        "the maximum over time keeps its strongest answer, wherever that was.",
    )


def looked_for(_seed: int, _device: str) -> Section:
    """Which words the filters look for."""
    classifier = load_classifier("text")
    seen = views.looked_for(classifier)
    return Section(
        title="Which words does a filter look for?",
        asked="The network is fixed, the input is what is looked for; here the best one can be computed.",
        picture=Picture(
            png(seen.picture),
            "N-grams, each with a bar of how strongly its filter answers",
            "convsight text show",
            f"{OPEN}; views.looked_for(reads)",
            smooth=True,
        ),
        finding=f"Of all n-grams of {len(classifier.vocabulary) - 2:,} words these excite their filters most, exactly: a "
        "filter's answer is a sum over its slots, so the best word of each slot makes the best n-gram.",
    )


def along_time_only(_seed: int, _device: str) -> Section:
    """Whether the order of a vector's numbers matters, and what sliding along them does."""
    classifier = load_classifier("text")
    number = show.weightiest(classifier, 1)[0]
    seen = views.looked_for(classifier, number)
    other = _reordered(classifier, torch.randperm(classifier.tables[0].shape[1], generator=Generator().manual_seed(0)))
    there, here = (float(each.logits([REVIEW])[0, 0]) for each in (classifier, other))
    same = show.best_ngram(other, number).words == seen.found[0].words
    return Section(
        title="Should filters slide along the vectors too?",
        asked="Neighbours in a photograph belong together; those among a vector's numbers don't: their order means nothing.",
        picture=Picture(
            png(seen.picture),
            "The n-gram that one filter looks for, whatever the order of the numbers",
            f"convsight text show --filter {number}",
            f"{OPEN}; views.looked_for(reads, {number})",
            smooth=True,
        ),
        finding=f"With the numbers of all vectors and filters in another order the review's logit is {here:.4f}, as it was "
        f"({there:.4f}), and filter {number} looks for {'the same' if same else 'other'} words. Filters that cover a part of "
        "the vector and slide along it, too, learnt from the same reviews, as many parameters in all:",
        table=MEASURED,
        answer=Answer(
            "yes",
            "The network that ships gets 84.0% of SST-2's test sentences right. On MR filters that span the vector get 77.6%, "
            "those that slide along it, too, 74.3%, and with its numbers shuffled 74.9%: no pattern recurs there, so order is "
            "worth nothing. (It is worse, not of no use at all.) That max pooling over time suits is found by convsight fit, "
            "too; that patterns are small it denies with four of five seeds: small networks do better by longer filters.",
        ),
    )


def _reordered(classifier: Classifier, order: Tensor) -> Classifier:
    module = deepcopy(classifier.network.module)
    for each in module.get_submodule("convolutions").children():
        if isinstance(each, torch.nn.Conv2d):
            each.weight.data = each.weight.data[:, :, order]
    tables = tuple(each[:, order] for each in classifier.tables)
    return replace(classifier, network=replace(classifier.network, module=module), tables=tables)
