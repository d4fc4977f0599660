"""Chapter 4: text, row L11."""

from __future__ import annotations

from collections.abc import Iterator

from convsight.pictures import png
from convsight.text import views
from convsight.text.model import Classifier, load_classifier
from convsight.tour.page import Picture, Section

TITLE = "4. Text"
SECTIONS = 2
NETWORKS = ("text",)
REVIEW = "a moving film , but the ending is a mess"
OPEN = 'from convsight.text import model, views; reads = model.load_classifier("text")'


def introduction() -> str:
    """What changes when the picture is a sentence."""
    return (
        "A sentence is a picture too: words across, and down each word the numbers of its vector. But those stand in no "
        "order, so a filter spans them all and slides along the words only. It answers wherever its few words are, and the "
        "maximum over time keeps its strongest answer, wherever that was."
    )


def sections(_seed: int, _device: str) -> Iterator[Section]:
    """Which words decide, and which words the filters look for."""
    classifier = load_classifier("text")
    yield _decided(classifier)
    yield _looked_for(classifier)


def _decided(classifier: Classifier) -> Section:
    decision = views.decision(classifier, REVIEW)
    told = decision.told
    number = told.labels.index(told.label)
    added = sum(part.contribution[number] for part in told.parts) + told.bias[number]
    return Section(
        row="L11",
        title="Which words decide?",
        claim="Of each filter only its strongest answer reaches the last layer, so a decision is a sum over a few n-grams.",
        picture=Picture(
            png(decision.picture),
            "A review whose words are green or red, over bars of the n-grams that decide",
            f'convsight text explain "{REVIEW}"',
            f'{OPEN}; views.decision(reads, "{REVIEW}")',
            smooth=True,
        ),
        finding=f"It is called {told.label}. {len(told.parts)} filters answer; what they contribute adds up to {added:.4f}, "
        f"and the logit is {told.logits[number]:.4f}: nothing is estimated.",
    )


def _looked_for(classifier: Classifier) -> Section:
    seen = views.looked_for(classifier)
    return Section(
        row="L11",
        title="Which words does a filter look for?",
        claim="The network is fixed, the input is what is looked for; here the best one can be computed.",
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
