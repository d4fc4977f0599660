"""The phone recogniser as a declaration, its loss, and how it is trained, as data.

Filters span the time window and slide along frequency, where voices differ by a shift, and pooling along frequency takes the
shift up; an LSTM takes care of time (lecture, row L10). Source: Abdel-Hamid et al. 2014, "Convolutional neural networks for
speech recognition".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import Generator, Tensor

from convsight.architecture import Architecture, Convolution, build
from convsight.errors import InputError
from convsight.input_spec import InputSpec
from convsight.network import Network
from convsight.optimizers import adamw
from convsight.speech.encode import MELS
from convsight.speech.phones import PHONES
from convsight.training import Batches, Plan, shuffled

Slides = Literal["frequency", "time", "both", "none"]
PLAN = Plan(epochs=15, batch=16, optimizer=adamw(2e-3, weight_decay=1e-2))
WINDOW = 15  # frames
POOLING = 6
LONGEST = 400  # frames of an utterance that one step learns from
_EQUALISED = (2.0, 1.5, 1.0, 0.5)  # at most, of the logarithm of energy: loudness, tilt, and two finer waves over the bands
_FILTERS, _TOLD, _CELLS = 150, 400, 200


def recogniser(slides: Slides = "frequency", *, pooling: int = POOLING, filters: int | None = None) -> Architecture:
    """Filters along frequency (8 bands long), along time (5 frames), along both, or none, then the same for all.

    `pooling`: by how much, along frequency; along time by half of that. `filters`: how many, or as wide as the layer is that
    stands in their place; by default so many that the siblings have as many parameters as the one that slides along frequency.
    """
    if slides not in get_args(Slides):
        raise InputError(f'filters slide along {", ".join(get_args(Slides))}, not "{slides}"')
    if filters is None:
        filters = _FILTERS if slides == "frequency" else _as_many_parameters(slides, pooling)
    lengths = {"frequency": {"frequency": 8}, "time": {"time": 5}, "both": {"frequency": 8, "time": 5}, "none": {}}[slides]
    factors = {"frequency": pooling, "time": max(1, pooling // 2)}
    convolution = Convolution(filters, slides=lengths, pools={axis: factors[axis] for axis in lengths})
    return Architecture(
        channels=3,
        axes={"frequency": MELS, "time": WINDOW},
        convolutions=() if slides == "none" else (convolution,),
        fully_connected=(filters, _TOLD) if slides == "none" else (_TOLD,),
        outputs=len(PHONES),
        recurrent=_CELLS,
        dropout=0.3,
    )


def parameters(architecture: Architecture) -> int:
    """How many numbers the network of `architecture` learns."""
    with torch.device("meta"):
        return sum(each.numel() for each in build(architecture).parameters())


def untrained(
    architecture: Architecture, *, seed: int = 0, mean: Sequence[float] = (0.0,), std: Sequence[float] = (1.0,)
) -> Network:
    """A recogniser with random weights drawn from `seed`; `mean` and `std` of each of the three maps, over a corpus."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = build(architecture)
    shape = (architecture.channels, *architecture.axes.values())
    spec = InputSpec((shape[0], shape[1], shape[2]), (-16.0, 32.0), tuple(mean), tuple(std), ("frequency", "time"))
    return Network(module, spec, PHONES, "speech", {}, architecture)


def loss(output: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of each sample's frames, their mean, (B,); `output`: (B, T, phones), `labels`: (B, T) int64."""
    return F.cross_entropy(output.transpose(1, 2), labels, reduction="none").mean(1)


def batches(features: Sequence[Tensor], labels: Sequence[Tensor], *, batch: int, seed: int) -> Batches:
    """Utterances of similar length together, each cut at random to the shortest of them, so that nothing is padded.

    Each is heard as if by another microphone, at random.

    `features`: (3, mels, T) each; `labels`: (T,) each.
    """
    lengths = torch.tensor([len(each) for each in labels])

    def change(chosen: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        shortest = min(int(lengths[chosen].min()), LONGEST)
        cut, cut_labels = [], []
        for each in chosen.tolist():
            start = int(torch.randint(int(lengths[each]) - shortest + 1, (), generator=generator))
            piece = features[each][..., start : start + shortest].clone()
            piece[0] += _heard_otherwise(piece.shape[1], generator)[:, None]
            cut.append(piece)
            cut_labels.append(labels[each][start : start + shortest])
        return torch.stack(cut), torch.stack(cut_labels)

    return shuffled((torch.arange(len(labels)),), batch=batch, seed=seed, change=change, lengths=lengths)


def _heard_otherwise(mels: int, generator: Generator) -> Tensor:
    """(mels,): how much more or less of each band another microphone, nearer or farther, would hear."""
    waves = torch.stack([(torch.arange(mels) + 0.5).mul(torch.pi * each / mels).cos() for each in range(len(_EQUALISED))])
    return (torch.tensor(_EQUALISED) * (2 * torch.rand(len(_EQUALISED), generator=generator) - 1)) @ waves


def _as_many_parameters(slides: Slides, pooling: int) -> int:
    wanted = parameters(recogniser("frequency", pooling=pooling))
    few, many = 1, 4_000
    while few < many:  # the first that has as many
        middle = (few + many) // 2
        enough = parameters(recogniser(slides, pooling=pooling, filters=middle)) >= wanted
        few, many = (few, middle) if enough else (middle + 1, many)
    return few
