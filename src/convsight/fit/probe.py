"""One network learnt and judged: what every measurement is made of."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from math import frexp
from threading import Lock

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import Generator, Tensor

from convsight.architecture import Architecture, build
from convsight.fit.data import Samples
from convsight.input_spec import InputSpec
from convsight.layers import PointBias
from convsight.network import Network
from convsight.optimizers import adamw
from convsight.training import shuffled, train

BATCH = 64
_OPTIMIZER = adamw(3e-3, weight_decay=1e-2)
_JUDGED_AT_ONCE = 500
_WORST = -1.0
_BUILDING = Lock()  # the random numbers that weights begin with are the process's


def learnt(
    architecture: Architecture, known: Samples, *, steps: int, seed: int = 0, filters: Network | None = None,
    device: str | None = None, on_step: Callable[[int, float], None] | None = None,
) -> Network:  # fmt: skip
    """A network of `architecture` that has learnt `known` in `steps` steps of `BATCH` samples. Raises InputError as `train`.

    `filters`: a network whose first filters it has, which stay as they are.
    """
    with _BUILDING, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = build(architecture)
    if filters:
        first = module.get_submodule("conv1")
        first.load_state_dict(filters.module.get_submodule("conv1").state_dict())
        first.requires_grad_(False)
    labels = known.labels if known.targets.ndim == 1 else ()
    network = Network(module, _spec(known), labels, "fit", {}, architecture)
    batches = shuffled((torch.arange(len(known)),), batch=min(BATCH, len(known)), seed=seed, change=_chosen_from(known))
    loss = class_loss if known.labels else number_loss
    train(network, batches, loss, steps=steps, optimizer=_OPTIMIZER, device=device, on_step=on_step)
    return network.to("cpu")


@torch.no_grad()
def in_units(network: Network, units: tuple[Tensor, Tensor]) -> Network:
    """The same network, which tells numbers as they were given, not with mean 0 and standard deviation 1; `Samples.units`."""
    mean, spread = units
    module = deepcopy(network.module)
    output = module.get_submodule("output")
    if isinstance(output, PointBias):
        module.get_submodule("points").get_parameter("weight").mul_(spread[0])
    else:
        output.get_parameter("weight").mul_(spread[:, None])
    output.get_parameter("bias").mul_(spread).add_(mean)
    return replace(network, module=module)


def class_loss(output: Tensor, targets: Tensor) -> Tensor:
    """Cross entropy, (B,); `output`: (B, classes), `targets`: (B,) int64; or the mean of (B, classes * points), (B, points)."""
    each = F.cross_entropy(_by_point(output, targets), targets, reduction="none")
    return each if targets.ndim == 1 else each.mean(1)


def number_loss(output: Tensor, targets: Tensor) -> Tensor:
    """Mean squared error, (B,); both (B, K)."""
    return (output - targets).square().mean(1)


@torch.no_grad()
def outputs(network: Network, judged: Samples) -> Tensor:
    """(N, K) float32: what `network` puts out for all samples."""
    parts = [network(each.float()).float() for each in torch.split(judged.inputs, _JUDGED_AT_ONCE)]
    return torch.cat(parts)


def scores(network: Network, judged: Samples) -> Tensor:
    """(N,): how well each sample is told. For classes the chance that the network gives the right one, or its mean over points
    that have one each; for numbers one less their squared error in variances, -1 at worst.
    """
    found = outputs(network, judged)
    if judged.labels:
        chances = _by_point(found, judged.targets).softmax(1)
        return chances.gather(1, judged.targets[:, None]).flatten(1).mean(1)
    return (1 - (found - judged.targets).square().mean(1)).clamp_min(_WORST)


def right(network: Network, judged: Samples) -> Tensor:
    """(N,): 1 where the likeliest class is the right one, else 0, the mean over points; for numbers as `scores`."""
    if not judged.labels:
        return scores(network, judged)
    likeliest = _by_point(outputs(network, judged), judged.targets).argmax(1)
    return (likeliest == judged.targets).float().reshape(len(judged), -1).mean(1)


def guessed(known: Samples) -> float:
    """The mean score without looking: of telling how often others are of each class, at each point, or the mean of numbers."""
    if not known.labels:
        return float((1 - known.targets.square().mean(1)).clamp_min(_WORST).mean())
    told = known.targets.reshape(len(known), -1)
    count = torch.stack([(told == each).sum(0) for each in range(len(known.labels))])
    return float((count.gather(0, told) - 1).float().mean()) / (len(known) - 1)


def _by_point(output: Tensor, targets: Tensor) -> Tensor:
    """(B, classes), or (B, classes, points) where each point has a class."""
    return output if targets.ndim == 1 else output.view(len(output), -1, targets.shape[1])


def _spec(known: Samples) -> InputSpec:
    values = known.inputs[torch.randperm(len(known), generator=Generator().manual_seed(0))[:1_000]].float()
    low, high = float(values.min()), float(values.max())
    size = 2.0 ** (frexp(max(abs(low), abs(high)))[1] - 1)  # the squares of very large or small numbers are none
    values /= size
    mean = size * values.mean((0, 2, 3))
    std = size * values.std((0, 2, 3)).nan_to_num(0.0)
    std = torch.where(std > 1e-6 * std.max(), std, torch.ones(()))
    shape = known.inputs.shape[1:]
    return InputSpec(
        (shape[0], shape[1], shape[2]), (low, high if high > low else low + 1.0), tuple(mean.tolist()), tuple(std.tolist()),
        known.axes,
    )  # fmt: skip


def _chosen_from(known: Samples) -> Callable[[Tensor, Generator], tuple[Tensor, Tensor]]:
    return lambda chosen, _generator: (known.inputs[chosen].float(), known.targets[chosen])
