"""The lecture's argument, measured: what differs between a man's and a woman's voice is a shift along frequency.

Two sayings of the same phones, filter by filter; and networks that learn men's voices only and are tried on women's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import Tensor

from convsight.errors import InputError
from convsight.network import Network
from convsight.speech import data, espeak, model, sentences, synthesis
from convsight.speech.audio import RATE
from convsight.speech.data import Corpus
from convsight.speech.encode import LogMel, with_changes
from convsight.speech.recognise import beginning, filters_of, fit, frames_of
from convsight.speech.score import Score, score
from convsight.training import Plan

WARPS = (0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15)
PLAN = replace(model.PLAN, epochs=12)
_FURTHEST = 8  # places along frequency that a response is looked for
_STEPS = 12  # of each phone, so that two sayings of different lengths can be laid over one another
_TESTED = 8  # one sentence in so many is kept to judge by


@dataclass(frozen=True)
class Saying:
    """`energies`: (T, mels), log energies; `bounds`: where each of its sounds begins, in frames, and the last ends."""

    energies: Tensor
    bounds: tuple[float, ...]
    sounds: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """A network's errors: of `known` voices' other sentences, of `other` voices, and of the known ones warped by a factor."""

    slides: model.Slides
    pooling: int
    seed: int
    known: Score
    other: Score
    warped: dict[float, Score]


def saying(text: str, voice: str, *, language: str = "cmn") -> Saying:
    """`text` as a voice of espeak-ng says it, without the silence at its ends. Raises InputError as `espeak.speak` does."""
    spoken = espeak.speak(text, voice, language=language)
    sounds = [
        (start, label) for start, label in spoken.phonemes if not label.startswith(("_", "("))
    ]  # a silence, or another language
    end = next((start for start, label in spoken.phonemes if label.startswith("_") and start > sounds[-1][0]), 0)
    samples = synthesis.resampled(spoken.samples, spoken.rate, RATE)
    scale = 100 / spoken.rate
    first, last = int(sounds[0][0] * scale), int((end or len(spoken.samples)) * scale)
    bounds = (*(start * scale - first for start, _ in sounds), float(last - first))
    return Saying(LogMel()(samples)[first:last], bounds, tuple(label.strip("',%=") for _, label in sounds))


@torch.no_grad()
def movements(network: Network, one: Saying, other: Saying) -> Tensor:
    """(K,): by how many mel bands the response of each filter of the first convolution lies higher in `other` than in `one`.

    The two are laid over one another sound by sound, and the shift is where their responses correlate most; `nan` for a filter
    that answers to neither. Raises InputError if the filters don't slide along frequency, or the sayings are of other sounds.
    """
    if one.sounds != other.sounds:
        raise InputError(f"these are not the same sounds: {' '.join(one.sounds)}, and {' '.join(other.sounds)}")
    first, second = (_responses(network, each) for each in (one, other))
    places = first.shape[1]
    scores = []
    for moved in range(-_FURTHEST, _FURTHEST + 1):
        low, high = max(0, -moved), min(places, places - moved)
        here, there = first[:, low:high].flatten(1), second[:, low + moved : high + moved].flatten(1)
        scores.append(F.cosine_similarity(here, there, dim=1))
    found = (torch.stack(scores).argmax(0) - _FURTHEST).double()
    silent = (first.flatten(1).amax(1) <= 0) | (second.flatten(1).amax(1) <= 0)
    return found.masked_fill(silent, float("nan"))


def experiment(
    siblings: Sequence[tuple[model.Slides, int]], *, count: int = 1_000, seeds: Sequence[int] = (0, 1, 2), plan: Plan = PLAN,
    device: str | None = None, on_network: Callable[[str, int], Callable[[int, float], None]] | None = None,
) -> Iterator[Result]:  # fmt: skip
    """Networks that learn `count` sentences by men, judged by other sentences of theirs, and of women.

    `siblings`: along what filters slide, and the pooling, of each; all have as many parameters at one pooling.
    `on_network(name, number)` is told of each network, and gives what is told its steps.
    """
    texts = sentences.sentences(count + 2 * (count // _TESTED), seed=0)
    men, women = espeak.voices("male"), espeak.voices("female")
    learnt = spoken(texts[:count], men)
    known = {warp: spoken(texts[count : count + count // _TESTED], men, first=count, warp=warp) for warp in WARPS}
    other = spoken(texts[count + count // _TESTED :], women, first=2 * count)
    for number, ((slides, pooling), seed) in enumerate(product(siblings, seeds)):
        told = on_network(f"{slides}, pooling {pooling}, seed {seed}", number) if on_network else None
        begun = beginning(model.recogniser(slides, pooling=pooling), learnt, seed=seed)
        recogniser = fit(begun, learnt, other_voices=False, plan=plan, seed=seed, device=device, on_step=told)
        warped = {warp: score(recogniser, each) for warp, each in known.items()}
        yield Result(slides, pooling, seed, warped[1.0], score(recogniser, other), warped)


def spoken(texts: Sequence[str], voices: Sequence[str], *, first: int = 0, warp: float = 1.0) -> Corpus:
    """`texts` by `voices` in turn, encoded; `first` is the seed of the first. `warp` is `LogMel`'s."""
    log_mel, rows = LogMel(warp=warp), []
    for number, (text, voice) in enumerate(synthesis.spread_over(texts, voices), start=first):
        rows.append(data.encoded(*synthesis.utterance(text, voice, seed=number), voice, log_mel))
    return data.corpus(rows)


def _responses(network: Network, said: Saying) -> Tensor:
    """(K, places, steps): what the first convolution's filters answer along frequency, each sound in as many steps."""
    filters = filters_of(network)
    if filters.kernel_size[0] == network.input.shape[1]:
        raise InputError(f"{network.name} has no filters that slide along frequency")
    given = frames_of(network).edged(network.input.normalise(with_changes(said.energies)[None]))
    answers = F.conv2d(given, filters.weight, filters.bias).relu()[0]
    parts = []
    for start, end in pairwise(said.bounds):
        low = min(int(start), answers.shape[2] - 1)
        high = max(low + 1, int(end))
        parts.append(F.interpolate(answers[None, :, :, low:high], (answers.shape[1], _STEPS), mode="bilinear")[0])
    return torch.cat(parts, 2)
