"""The phone recogniser as a declaration, its loss, and how it is trained, as data.

Filters span the time window and slide along frequency, where voices differ by a shift, and pooling along frequency takes the
shift up; an LSTM takes care of time (lecture, row L10). Source: Abdel-Hamid et al. 2014, "Convolutional neural networks for
speech recognition".
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal, get_args

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import Generator, Tensor

from convsight.architecture import Architecture, Convolution, build, enough, parameters
from convsight.errors import InputError
from convsight.input_spec import InputSpec
from convsight.network import Network
from convsight.optimizers import adamw
from convsight.speech.encode import MELS, band_heard
from convsight.speech.phones import PHONES, SILENCE
from convsight.training import Batches, Plan, shuffled

Slides = Literal["frequency", "time", "both", "none"]
PLAN = Plan(epochs=15, batch=16, optimizer=adamw(2e-3, weight_decay=1e-2))
WINDOW = 15  # frames
POOLING = 6
LONGEST = 400  # frames of an utterance that one step learns from
_EQUALISED = (2.0, 1.5, 1.0, 0.5)  # at most, of the logarithm of energy: loudness, tilt, and two finer waves over the bands
_VARIED = 0.15
_FILTERS, _TOLD, _CELLS = 150, 400, 200
_SILENCE = PHONES.index(SILENCE)


def recogniser(
    slides: Slides = "frequency", *, pooling: int = POOLING, filters: int | None = None, limited: bool = False,
    both_ways: bool = False, centred: bool = False,
) -> Architecture:  # fmt: skip
    """Filters along frequency (8 bands long), along time (5 frames), along both, or none, then the same for all.

    `pooling`: by how much, along frequency; along time by half of that. `filters`: how many, or as wide as the layer is that
    stands in their place; by default so many that the siblings have as many parameters as the one that slides along frequency.
    `limited`: what is pooled together has filters of its own; `both_ways`: an LSTM each way through time; `centred`: each
    band's mean over an utterance is taken off, and with it what microphone and room add.
    Raises InputError if `slides` is none of those there are, or `limited` filters don't slide along frequency.
    """
    if slides not in get_args(Slides):
        raise InputError(f'filters slide along {", ".join(get_args(Slides))}, not "{slides}"')
    if limited and slides not in ("frequency", "both"):
        raise InputError(f"filters of their own for each band of frequencies slide along frequency, not along {slides}")
    if filters is None:
        as_it_is = slides == "frequency" and not limited
        sibling = partial(recogniser, slides, pooling=pooling, limited=limited, both_ways=both_ways)
        reference = recogniser(pooling=pooling, filters=_FILTERS, both_ways=both_ways)
        filters = _FILTERS if as_it_is else enough(lambda count: sibling(filters=count), parameters(reference))
    lengths = {"frequency": {"frequency": 8}, "time": {"time": 5}, "both": {"frequency": 8, "time": 5}, "none": {}}[slides]
    factors = {"frequency": pooling, "time": max(1, pooling // 2)}
    convolution = Convolution(
        filters, slides=lengths, pools={axis: factors[axis] for axis in lengths}, limited="frequency" if limited else None
    )
    return Architecture(
        channels=3,
        axes={"frequency": MELS, "time": WINDOW},
        convolutions=() if slides == "none" else (convolution,),
        fully_connected=(filters, _TOLD) if slides == "none" else (_TOLD,),
        outputs=len(PHONES),
        recurrent=_CELLS,
        both_ways=both_ways,
        centred=centred,
        dropout=0.3,
    )


def untrained(
    architecture: Architecture, *, seed: int = 0, mean: Sequence[float] = (0.0,), std: Sequence[float] = (1.0,)
) -> Network:
    """A recogniser with random weights drawn from `seed`; `mean` and `std` of each of the three maps, over a corpus."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = build(architecture).eval()
    shape = (architecture.channels, *architecture.axes.values())
    spec = InputSpec((shape[0], shape[1], shape[2]), (-16.0, 32.0), tuple(mean), tuple(std), ("frequency", "time"))
    return Network(module, spec, PHONES, "speech", {}, architecture)


def loss(output: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of each sample's frames, their mean, (B,); `output`: (B, T, phones), `labels`: (B, T) int64."""
    return F.cross_entropy(output.transpose(1, 2), labels, reduction="none").mean(1)


def ctc_loss(output: Tensor, labels: Tensor) -> Tensor:
    """How unlikely the string of phones in each sample's `labels` is, a phone, whenever they are told, (B,); as for `loss`.

    Silence is the blank. Source: Graves et al. 2006, "Connectionist temporal classification".
    """
    strings = [each[each != _SILENCE] for each in map(torch.unique_consecutive, labels)]
    counts = torch.tensor([len(each) for each in strings])
    lengths = torch.full_like(counts, output.shape[1])
    chances = output.float().log_softmax(2).transpose(0, 1)
    if chances.device.type == "mps":  # where torch has no such loss
        chances = chances.cpu()
    found = F.ctc_loss(chances, torch.cat(strings), lengths, counts, blank=_SILENCE, reduction="none", zero_infinity=True)
    return (found / counts.clamp_min(1).to(found.device)).to(output.device)


def batches(
    features: Sequence[Tensor], labels: Sequence[Tensor], *, batch: int, seed: int, other_voices: bool = True
) -> Batches:
    """Utterances of similar length together, each cut at random to the shortest of them, so that nothing is padded.

    Each is heard as if by another microphone, at random, and with `other_voices` as if a longer or shorter vocal tract said
    it, faster or slower.

    `features`: (3, mels, T) each; `labels`: (T,) each.
    """
    lengths = torch.tensor([len(each) for each in labels])

    def change(chosen: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        pairs = [(features[each], labels[each]) for each in chosen.tolist()]
        if other_voices:
            pairs = [_said_otherwise(*each, generator) for each in pairs]
        shortest = min(*(len(each) for _, each in pairs), LONGEST)
        cut, cut_labels = [], []
        for said, phones in pairs:
            start = int(torch.randint(len(phones) - shortest + 1, (), generator=generator))
            piece = said[..., start : start + shortest].clone()
            piece[0] += _heard_otherwise(piece.shape[1], generator)[:, None]
            cut.append(piece)
            cut_labels.append(phones[start : start + shortest])
        return torch.stack(cut), torch.stack(cut_labels)

    return shuffled((torch.arange(len(labels)),), batch=batch, seed=seed, change=change, lengths=lengths)


def _heard_otherwise(mels: int, generator: Generator) -> Tensor:
    """(mels,): how much more or less of each band another microphone, nearer or farther, would hear."""
    waves = torch.stack([(torch.arange(mels) + 0.5).mul(torch.pi * each / mels).cos() for each in range(len(_EQUALISED))])
    return (torch.tensor(_EQUALISED) * (2 * torch.rand(len(_EQUALISED), generator=generator) - 1)) @ waves


def _said_otherwise(features: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """(3, mels, T) and (T,) as if by a vocal tract of another length, at another rate, both by `_VARIED` at most.

    Source: Jaitly and Hinton 2013, "Vocal tract length perturbation improves speech recognition".
    """
    warp, rate = (1 + _VARIED * (2 * torch.rand(2, generator=generator) - 1)).tolist()
    bands, frames = features.shape[1], len(labels)
    heard = band_heard(warp, bands).mul(2 / (bands - 1)).sub(1)
    times = torch.linspace(-1, 1, max(1, round(frames / rate)))
    grid = torch.stack(torch.meshgrid(heard, times, indexing="ij")[::-1], 2)[None]
    said = F.grid_sample(features[None], grid, mode="bilinear", padding_mode="border", align_corners=True)[0]
    return said, labels[((times + 1) / 2 * (frames - 1)).round().long()]
