"""What to maximise: functions of a network's activations that give each sample of a batch one score, higher is better.

They add, subtract and scale: `logit(3) - 0.02 * l1()`. Units may be a list, one a sample: `channel("conv2", range(50))`
looks for fifty pictures in one batch. Penalties are objectives of the layer `input`: the picture itself, in the value
range of the network's `InputSpec`, before any transform.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import index
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import Tensor

from convsight.activations import INPUT, OUTPUT
from convsight.errors import InputError, by

Units = int | Iterable[int]
Activations = Mapping[str, Tensor]


@dataclass(frozen=True)
class Objective:
    """`score(activations)`: (B,), from the activations of `layers` by name.

    `layers` maps each layer to the units that the score depends on, None for all. `name` says it as one writes it;
    `samples` is the batch it needs, None if any will do. `as_computed`: it takes activations in whatever precision they were
    computed in, and turns to float32 itself what needs it.
    """

    layers: Mapping[str, frozenset[int] | None]
    score: Callable[[Activations], Tensor]
    name: str
    samples: int | None = None
    as_computed: bool = False

    def __call__(self, activations: Activations) -> Tensor:
        return self.score(activations)

    def __add__(self, other: Objective) -> Objective:
        return _combine(self, other, 1.0)

    def __sub__(self, other: Objective) -> Objective:
        return _combine(self, other, -1.0)

    def __mul__(self, factor: float) -> Objective:
        scored = self.score
        name = f"{factor:g} * {_bracketed(self.name)}"
        return Objective(self.layers, lambda activations: factor * scored(activations), name, self.samples, self.as_computed)

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> Objective:
        return self * (1 / divisor)

    def __neg__(self) -> Objective:
        return self * -1.0


def channel(
    layer: str, units: Units, *, over: Literal["sum", "mean"] = "sum", below: float = 1.0, above: float = 1.0
) -> Objective:
    """Degree of activation of a filter: the sum (or mean) of its map over all positions, a^k = sum_ij a^k_ij.

    The layer's activation: (B, C, H, W), or (B, C) for a fully connected layer, whose units are its neurons. Values under
    zero count `below` times, values over it `above` times. Before a ReLU most of a map lies under zero, where the network
    doesn't read it; with `below=0.1` what excites the filter counts most, and a gradient remains where nothing does.
    Source: lecture, row L2; "channel" in Olah et al. 2017, "Feature Visualization"; `below` and `above` are ours.
    """

    units = _fixed(units)

    def score(activations: Activations) -> Tensor:
        maps = _per_sample(_of_units(activations[layer], units, layer))
        if below != 1 or above != 1:
            maps = torch.where(maps < 0, below * maps, above * maps)
        return maps.sum(1) if over == "sum" else maps.mean(1)

    weighted = "".join(f", {name} {each:g}" for name, each in (("below", below), ("above", above)) if each != 1)
    described = f"channel({layer}, {named(units)}{'' if over == 'sum' else ', mean'}{weighted})"
    return Objective(_read(layer, units), score, described, _count(units))


def neuron(layer: str, units: Units, *, position: tuple[int, int] | None = None) -> Objective:
    """One neuron: of a fully connected layer (B, N) neuron `units`; of maps (B, C, H, W) the one at `position`.

    `position`: row and column from the top left, by default H // 2 and W // 2. Source: lecture, row L3.
    """

    units = _fixed(units)

    def score(activations: Activations) -> Tensor:
        maps = _of_units(activations[layer], units, layer)
        if maps.dim() == 1:
            return maps
        if maps.dim() != 3:
            raise InputError(f'layer "{layer}" puts out no maps and no vector, so it has no neuron at a position; use channel')
        row, column = position or (maps.shape[-2] // 2, maps.shape[-1] // 2)
        if not (0 <= row < maps.shape[-2] and 0 <= column < maps.shape[-1]):
            raise InputError(f'layer "{layer}" has no position {row}, {column}: its maps are {by(maps.shape[-2:])}')
        return maps[:, row, column]

    where = "" if position is None else f", at {position[0]},{position[1]}"
    return Objective(_read(layer, units), score, f"neuron({layer}, {named(units)}{where})", _count(units))


def logit(units: Units) -> Objective:
    """The network's output (B, N) for a class, before any softmax. Source: lecture, row L4."""
    units = _fixed(units)
    return Objective(
        _read(OUTPUT, units),
        lambda activations: _per_sample(_of_units(activations[OUTPUT], units, OUTPUT)).sum(1),
        f"logit({named(units)})",
        _count(units),
    )


def dream(layer: str) -> Objective:
    """Half the squared norm of a layer's activation, whose gradient is the activation itself: what is seen is exaggerated.

    Source: lecture, row L6; Mordvintsev, Olah, Tyka 2015, "Inceptionism".
    """
    return Objective({layer: None}, lambda activations: 0.5 * activations[layer].square().flatten(1).sum(1), f"dream({layer})")


def diverse(goal: Objective, layer: str, groups: Sequence[int], *, weight: float = 1.0) -> Objective:
    """`goal`, and that samples with the same number in `groups` (one a sample) answer differently in `layer`.

    To each sample's score is added `weight` times the score's size times minus the mean cosine similarity of the layer's Gram
    matrix with those of the others of the group, so that a weight means the same for every goal. Without different starts
    there is nothing to drive them apart. Raises InputError if the batch isn't as long as `groups`.
    Source: "diversity" in Olah et al. 2017, "Feature Visualization".
    """
    group = torch.tensor(list(groups))
    layers = {**goal.layers, layer: None}

    def score(activations: Activations) -> Tensor:
        if len(activations[layer]) != len(group):
            raise InputError(f"{len(group)} groups need a batch of {len(group)} pictures, not of {len(activations[layer])}")
        features = activations[layer].flatten(2) if activations[layer].dim() > 2 else activations[layer][..., None]
        grams = F.normalize((features @ features.transpose(1, 2)).flatten(1))  # (B, C^2), of length 1
        of_group = (group[:, None] == group).fill_diagonal_(False).to(grams)
        alike = ((grams @ grams.T) * of_group).sum(1) / of_group.sum(1).clamp_min(1)
        scored = goal(activations)
        return scored - weight * scored.detach().abs() * alike

    return Objective(layers, score, f"{goal.name}, diverse in {layer} by {weight:g}", len(group))


def l1() -> Objective:
    """Sum of the absolute values of the input, sum_ij |x_ij|. Source: lecture, row L5."""
    return _penalty("l1", lambda image: _per_sample(image.abs()).sum(1))


def l2() -> Objective:
    """Euclidean norm of the input, squared. Source: Simonyan, Vedaldi, Zisserman 2014, section 2."""
    return _penalty("l2", lambda image: image.square().flatten(1).sum(1))


def total_variation() -> Objective:
    """Sum of the absolute differences between neighbours, down and across. Source: Rudin, Osher, Fatemi 1992 (anisotropic)."""
    return _penalty(
        "total_variation",
        lambda image: image.diff(dim=-1).abs().flatten(1).sum(1) + image.diff(dim=-2).abs().flatten(1).sum(1),
    )


def _penalty(name: str, measure: Callable[[Tensor], Tensor]) -> Objective:
    return Objective({INPUT: None}, lambda activations: measure(activations[INPUT]), f"{name}()", as_computed=True)


def _combine(first: Objective, second: Objective, sign: float) -> Objective:
    samples = first.samples if first.samples is not None else second.samples
    if second.samples is not None and samples != second.samples:
        raise InputError(f"{first.name} is of {first.samples} units and {second.name} of {second.samples}; give as many")
    name = f"{first.name} + {second.name}" if sign > 0 else f"{first.name} - {_bracketed(second.name)}"
    layers = dict(first.layers)
    for layer, units in second.layers.items():
        known = layers.get(layer, frozenset())
        layers[layer] = None if known is None or units is None else known | units
    as_computed = first.as_computed and second.as_computed
    return Objective(layers, lambda activations: first(activations) + sign * second(activations), name, samples, as_computed)


def _bracketed(name: str) -> str:
    return f"({name})" if " + " in name or " - " in name else name


def _fixed(units: Units) -> int | range | tuple[int, ...]:
    if isinstance(units, range):
        return units
    return tuple(index(unit) for unit in units) if isinstance(units, Iterable) else index(units)


def _read(layer: str, units: int | range | tuple[int, ...]) -> dict[str, frozenset[int] | None]:
    return {layer: frozenset([units] if isinstance(units, int) else units)}


def _of_units(activation: Tensor, units: Units, layer: str) -> Tensor:
    """Unit `units` of every sample, or its own unit of each: (B, C, ...) to (B, ...)."""
    if activation.dim() < 2:
        raise InputError(f'layer "{layer}" puts out one number a sample; it has no units to choose from')
    wanted = [units] * len(activation) if isinstance(units, int) else list(units)
    if len(wanted) != len(activation):
        raise InputError(f"{len(wanted)} units need a batch of {len(wanted)} pictures, not of {len(activation)}")
    available = activation.shape[1]
    for unit in wanted:
        if not 0 <= unit < available:
            raise InputError(f'layer "{layer}" has no unit {unit}: it has {available}, numbered 0 to {available - 1}')
    if isinstance(units, int):
        return activation[:, units]
    return activation[torch.arange(len(wanted), device=activation.device), torch.tensor(wanted, device=activation.device)]


def _per_sample(values: Tensor) -> Tensor:
    return values.reshape(len(values), -1)


def _count(units: Units) -> int | None:
    return None if isinstance(units, int) else len(list(units))


def named(units: int | Iterable[int]) -> str:
    """The numbers of `units`, neighbours as a range.

    >>> named([3, 4, 5, 9])
    '3-5,9'
    """
    runs: list[list[int]] = []
    for unit in [units] if isinstance(units, int) else units:
        if runs and unit == runs[-1][-1] + 1:
            runs[-1].append(unit)
        else:
            runs.append([unit])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
