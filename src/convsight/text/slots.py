"""What each word adds to each filter: a filter is linear in the vectors under it, so this is a table, and a window a sum.

A filter of k words has k slots. What it answers to a window is its bias and, for each slot, one number of the word that lies
there. With these numbers tabulated, classifying is looking up and adding, in the same order whatever else is in the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import Tensor, nn

from convsight.text.encode import PADDING

_AT_ONCE = 1_000  # windows


@dataclass(frozen=True)
class Slots:
    """`tables`: for each group of filters of k words, (V, k, filters): what a word adds in a slot. `biases`: (filters,) each.

    `weight`: (classes, all filters) and `bias`: (classes,), of the last layer.
    """

    tables: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]
    weight: Tensor
    bias: Tensor


@torch.no_grad()
def slots_of(module: nn.Module, tables: Sequence[Tensor]) -> Slots:
    """The slots of Kim's network `module` with words whose vectors are `tables`, (V, D) for each channel."""
    filters = [each for each in module.get_submodule("convolutions").children() if isinstance(each, nn.Conv2d)]
    output = module.get_submodule("output")
    added = [
        sum(
            (torch.einsum("vd,fds->vsf", table, each.weight[:, channel]) for channel, table in enumerate(tables)),
            torch.zeros(1),
        )
        for each in filters
    ]
    biases = tuple(torch.zeros(each.out_channels) if each.bias is None else each.bias.detach() for each in filters)
    weight, bias = (output.get_parameter(name).detach() for name in ("weight", "bias"))
    return Slots(tuple(added), biases, weight, bias)


def windows(slots: Slots, numbers: Tensor) -> list[Tensor]:
    """(B, T + k - 1, filters) for each group: the answers, before the ReLU, to every window of `numbers` (B, T) int64.

    Windows begin k - 1 places before the first word and end k - 1 behind the last.
    """
    return [
        _answers(table, bias, around(numbers, table.shape[1])) for table, bias in zip(slots.tables, slots.biases, strict=True)
    ]


def features(slots: Slots, numbers: Tensor) -> Tensor:
    """(B, all filters): the maximum of each over time, after the ReLU; a text may be of millions of words."""
    found = []
    for table, bias in zip(slots.tables, slots.biases, strict=True):
        reach = table.shape[1]
        padded = around(numbers, reach)
        starts = range(0, padded.shape[1] - reach + 1, _AT_ONCE)
        parts = [_answers(table, bias, padded[:, start : start + _AT_ONCE + reach - 1]).amax(1) for start in starts]
        found.append(torch.stack(parts).amax(0))
    return torch.cat(found, 1).relu()


def around(numbers: Tensor, reach: int) -> Tensor:
    """`numbers` of words, (..., T) int64, with `reach` - 1 times PADDING before and behind."""
    return F.pad(numbers, (reach - 1, reach - 1), value=PADDING)


def _answers(table: Tensor, bias: Tensor, numbers: Tensor) -> Tensor:
    words, reach, filters = table.shape
    rows = numbers.unfold(1, reach, 1) * reach + torch.arange(reach)
    summed = F.embedding_bag(rows.reshape(-1, reach), table.view(words * reach, filters), mode="sum")
    return summed.view(len(numbers), -1, filters) + bias


def logits(slots: Slots, numbers: Tensor) -> Tensor:
    """(B, classes) for numbers of words (B, T) int64 that end in PADDING."""
    return (features(slots, numbers)[:, None] * slots.weight).sum(2) + slots.bias
