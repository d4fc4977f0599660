"""Idea 1: the network is fixed, the input is the parameter.

Training fits a network's parameters to fixed inputs (`training.py`, the mirror of this page). Here the parameters are
fixed, and gradient ascent moves the input to what excites the network most.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version

import torch
from torch import Generator, Tensor, nn
from torch.optim import LBFGS

from convsight.activations import INPUT, Reader, read
from convsight.errors import InputError, by, first_line
from convsight.network import Layer, Network
from convsight.objectives import Objective, channel, neuron
from convsight.optimizers import MakeOptimizer, Schedule, StepwiseLBFGS, adam, constant, follow, half_cosine
from convsight.parametrization import Seeds, pixels
from convsight.precision import fastest
from convsight.spectrum import fourier
from convsight.tiles import ascend_by_tiles, tiles
from convsight.transforms import Transform, compose, photographic
from convsight.visualization import Visualization, snapshot, stacked


def visualize(
    network: Network,
    objective: Objective,
    parametrization: nn.Module | None = None,
    *,
    steps: int = 256,
    optimizer: MakeOptimizer | None = None,
    schedule: Schedule | None = None,
    transforms: Sequence[Transform] = (),
    tile: int | None = None,
    seed: int = 0,
    precision: torch.dtype | None = None,
    frames: int = 0,
    on_step: Callable[[int], None] | None = None,
) -> Visualization:
    """Find the input that `objective` scores highest, by gradient ascent on `parametrization`.

    `parametrization() -> (B, C, H, W)`; by default noise in one sample a unit, stored as a spectrum for colour pictures
    and as pixels for others. `transforms`: what is done to the picture before the network sees it, drawn anew at each
    step from `seed`. `schedule`: how the learning rate falls, by default along half a cosine. `tile`: show the network
    pieces of at most so many pixels a side, one after the other, whose scores add up, so that a large picture needs little
    memory. `precision`: float32 or bfloat16 inside the network, by default what is fastest. `frames`: how many moments of
    the history to keep, the last step's picture among them; with fewer steps, one a step. `on_step(step)` is called after
    each step.

    Scores are those of each step; with L-BFGS, of the first place that it tries. The network comes back as it was.
    Raises InputError if a layer, a unit or a position doesn't exist, the batch is not one sample a unit, or an objective
    reads the whole input though there are tiles.
    """
    if tile is not None and INPUT in objective.layers:
        raise InputError(f"{objective.name} reads the whole picture, so it cannot be shown in tiles")
    if not isinstance(network, Network):
        raise InputError("say what the module takes: give Network(module, InputSpec(shape=(channels, height, width)))")
    if parametrization is None:
        parametrization = default_parametrization(network, objective.samples or 1, seed=seed)
    parametrization = parametrization.to(network.device)
    precision = precision or fastest(network.device)
    started = time.perf_counter()
    climb = (optimizer or adam())(parametrization.parameters())  # the input is the parameter
    if schedule is None:
        schedule = constant if isinstance(climb, LBFGS) else half_cosine  # it finds its own rate
    if isinstance(climb, StepwiseLBFGS):
        climb.same_function = not transforms
    generator = Generator().manual_seed(seed)
    scores: list[Tensor] = []
    kept: list[Tensor] = []
    moments = {steps - 1 - round(each * (steps - 1) / max(1, frames - 1)) for each in range(frames)}
    settings = {
        "network": network.name,
        "card": dict(network.card),
        "objective": objective.name,
        "parametrization": repr(parametrization),
        "input": asdict(network.input),
        "steps": steps,
        "optimizer": type(climb).__name__,
        "learning_rate": climb.param_groups[0]["lr"],
        "schedule": _name(schedule),
        "transforms": [_name(each) for each in transforms],
        "seed": seed,
        "precision": str(precision).removeprefix("torch."),
        "device": str(network.device),
        "torch": torch.__version__,
        "convsight": version("convsight"),
    }

    def checked(score: Tensor) -> Tensor:
        if not score.requires_grad:
            cause = "the network detaches, counts or checkpoints there"
            raise InputError(f"no gradient comes back from {objective.name} to the picture: {cause}")
        return score

    with read(network.module, _inside(objective), precision=precision, as_computed=objective.as_computed) as activations_of:
        _try_once(network, parametrization, transforms, activations_of, tile)
        for step in range(steps):
            follow(schedule, climb, step / steps)
            view = compose(transforms, generator)
            scored: list[Tensor] = []

            def ascend(view: Callable[[Tensor], Tensor] = view, scored: list[Tensor] = scored) -> Tensor:
                climb.zero_grad()
                image = parametrization()
                seen = network.input.normalise(view(image))
                if tile is not None:
                    scored.append(ascend_by_tiles(seen, lambda piece: checked(objective(activations_of(piece))), tile))
                    return -scored[-1].sum()
                score = checked(objective(activations_of(seen) | {INPUT: image}))  # (B,)
                scored.append(score.detach())
                loss = -score.sum()  # the only minus sign
                loss.backward()  # type: ignore[no-untyped-call]
                return loss

            climb.step(ascend)  # type: ignore[arg-type]  # torch says float; it passes a tensor on
            scores.append(scored[0] if scored else scores[-1])  # L-BFGS that has arrived evaluates nothing more
            if step in moments:
                kept.append(snapshot(parametrization(), network.input.value_range))
            if on_step is not None:
                on_step(step)
    image = parametrization().detach()
    finished = evaluate(network, objective, image, tile=tile, precision=precision)
    if not torch.isfinite(finished).all():
        raise InputError(f"{objective.name} became infinite or undefined; take smaller weights or a smaller learning rate")
    settings["seconds"] = round(time.perf_counter() - started, 3)
    history = torch.stack(scores).cpu() if scores else torch.empty(0, len(image))
    return Visualization(image.cpu(), history, finished.cpu(), settings, network.input.value_range, stacked(kept))


def evaluate(
    network: Network, objective: Objective, image: Tensor, *, tile: int | None = None, precision: torch.dtype | None = None
) -> Tensor:
    """The score (B,) of `image` (B, C, H, W) in the network's value range, without gradient; in tiles, their sum.

    `precision`: float32 or bfloat16, as fast as it goes; by default exactly the network's own pass.
    """
    image = image.to(network.device)
    with (
        torch.no_grad(),
        read(network.module, _inside(objective), precision=precision, as_computed=objective.as_computed) as activations_of,
    ):
        if tile is None:
            return objective(activations_of(network.input.normalise(image)) | {INPUT: image})
        pieces = (objective(activations_of(network.input.normalise(image[part]))) for part in tiles(image, tile))
        return torch.stack(list(pieces)).sum(0)


def default_parametrization(network: Network, batch: int, *, seed: Seeds = 0) -> nn.Module:
    """Noise for `network`'s input: a spectrum with decorrelated colours if it has three channels, else pixels."""
    make = fourier if network.input.shape[0] == 3 else pixels
    return make(network.input.shape, batch, value_range=network.input.value_range, seed=seed)


def default_objective(network: Network, layer: Layer, units: int | Sequence[int], *, quiet: bool = False) -> Objective:
    """The degree of activation of `units` of `layer`, to be raised, or with `quiet` to be lowered.

    A vector's neurons, a map's channels. In networks for colour pictures a tenth only counts of what lies on the side of zero
    that isn't sought, or half of the units would find nothing.
    """
    if len(layer.shape) != 3:
        return neuron(layer.name, units)
    if network.input.shape[0] != 3:
        return channel(layer.name, units)
    return channel(layer.name, units, above=0.1) if quiet else channel(layer.name, units, below=0.1)


def default_transforms(network: Network) -> list[Transform]:
    """Views that suit photographs if `network` takes three channels, else none."""
    return photographic() if network.input.shape[0] == 3 else []


def _try_once(
    network: Network, stored: nn.Module, transforms: Sequence[Transform], activations_of: Reader, tile: int | None
) -> None:
    """Raise InputError if `network` cannot take what it will be shown."""
    with torch.no_grad():
        image = stored()
        seen = compose(transforms, Generator().manual_seed(0))(image)
        if tile is not None:
            seen = seen[tiles(seen, tile)[0]]
        try:
            activations_of(network.input.normalise(seen))
        except (InputError, MemoryError, torch.OutOfMemoryError):
            raise
        except Exception as error:  # whatever the user's own module raises
            made = " that the transforms make" if seen.shape != image.shape else ""
            problem = f"{type(error).__name__} {first_line(error)}"
            raise InputError(f"{network.name} cannot take a batch of {by(seen.shape)}{made}: {problem}") from error


def _name(function: Callable[..., object]) -> str:
    return str(getattr(function, "__name__", function))


def counted_from(done: int, on_step: Callable[[int], None] | None) -> Callable[[int], None] | None:
    """`on_step` for a call of `visualize` that comes after `done` steps of others."""
    return None if on_step is None else lambda step: on_step(done + step)


def _inside(objective: Objective) -> dict[str, frozenset[int] | None]:
    return {layer: units for layer, units in objective.layers.items() if layer != INPUT}
