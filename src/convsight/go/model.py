"""The policy network of AlphaGo as a declaration, its loss and metrics, and how it is trained, as data.

Filters slide along rows and columns, as in pictures, but nothing is subsampled: without one row and one column of the board it
is another game (lecture, row L9). Source: Silver et al. 2016, Nature 529, Methods, "Neural network architecture".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from convsight.architecture import Architecture, Convolution, build
from convsight.go.moves import Moves
from convsight.go.samples import encoded, symmetry_table
from convsight.input_spec import InputSpec
from convsight.network import Network
from convsight.optimizers import half_cosine, muon
from convsight.precision import autocast, fastest
from convsight.training import Batches, Plan, ahead, shuffled

PLAN = Plan(epochs=1, batch=256, optimizer=muon(0.02))
GO_ON = replace(PLAN, optimizer=muon(0.005, adam_learning_rate=5e-4), schedule=half_cosine)  # gentler: what it knows stays


def policy(*, width: int = 64, depth: int = 7, planes: int = 48, size: int = 19) -> Architecture:
    """`depth` convolutions of `width` filters, the first 5x5 and the others 3x3, all padded with zeros; a number a point.

    AlphaGo's: width 192, depth 12.
    """
    filters = [5, *[3] * (depth - 1)]
    return Architecture(
        channels=planes,
        axes={"row": size, "column": size},
        convolutions=tuple(Convolution(width, slides={"row": each, "column": each}, padded=True) for each in filters),
        fully_connected=(),
        outputs=size * size,
        per_point=True,
    )


def untrained(architecture: Architecture, *, seed: int = 0) -> Network:
    """A policy network with random weights drawn from `seed`, so that signals keep their size (He et al. 2015)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = build(architecture)
        for each in module:
            if isinstance(each, nn.Conv2d):
                nn.init.kaiming_normal_(each.weight, nonlinearity="relu")
                if each.bias is not None:
                    nn.init.zeros_(each.bias)
    rows, columns = architecture.axes.values()
    return Network(
        module, InputSpec((architecture.channels, rows, columns), axes=("row", "column")), (), "go", {}, architecture
    )


def loss(output: Tensor, played: Tensor) -> Tensor:
    """Cross entropy of each sample, (B,); `output`: (B, points) before softmax, `played`: (B,) int64."""
    return F.cross_entropy(output, played, reduction="none")


def batches(moves: Moves, *, planes: int, batch: int, seed: int) -> Batches:
    """All moves of all games in random order, each position turned or mirrored at random, encoded while the network trains."""

    def change(chosen: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        symmetries = torch.randint(8, (len(chosen),), generator=generator, dtype=torch.int8)
        return encoded(moves, chosen.numpy(), planes, symmetries.numpy())

    return ahead(shuffled((torch.from_numpy(moves.samples()),), batch=batch, seed=seed, change=change))


@dataclass(frozen=True)
class Score:
    """How well a network foretells moves: parts of them that it puts first and among its first five; mean log loss, in nats."""

    first: float
    five: float
    log_loss: float

    def __str__(self) -> str:
        return f"{self.first:.2%} of moves first, {self.five:.2%} among the first five, log loss {self.log_loss:.4f}"


def answers(network: Network, positions: Tensor) -> Tensor:
    """(B, points) float32 before softmax, of `positions` (B, 48 or its planes, size, size), zeros and ones of any type."""
    given = positions[:, : network.input.shape[0]].to(network.device).float()
    with autocast(network.device, fastest(network.device)):
        return network(given.contiguous(memory_format=torch.channels_last)).float()


@torch.no_grad()
def probabilities(network: Network, positions: Tensor, *, symmetric: bool = False) -> Tensor:
    """(B, points) of `positions` (B, planes, size, size); `symmetric`: the mean over the eight turnings and mirrorings."""
    if symmetric:
        return by_symmetry(network, positions).mean(0)
    return answers(network, positions).softmax(1)


@torch.no_grad()
def by_symmetry(network: Network, positions: Tensor) -> Tensor:
    """(8, B, points): what the network says of each turning and mirroring of `positions`, turned back."""
    given = positions.to(network.device).float()
    size, flat = given.shape[-1], given.flatten(2)
    table = torch.from_numpy(symmetry_table(size)[:, : size * size].astype(np.int64)).to(given.device)
    answers = []
    for moved_to in table:
        turned = torch.empty_like(flat)
        turned[..., moved_to] = flat
        answers.append(probabilities(network, turned.view_as(given))[:, moved_to])
    return torch.stack(answers)


def evaluate(
    network: Network, moves: Moves, chosen: NDArray[np.int32] | None = None, *, symmetric: bool = False, batch: int = 256
) -> Iterator[tuple[NDArray[np.int32], Tensor, Tensor]]:
    """How the network ranks what was played, for the moves `chosen`, by default all, batch by batch.

    Yields which moves they are, (B,) how many points the network prefers to each, and (B,) the probability it gives it.
    """
    network.module.eval()
    chosen = moves.samples() if chosen is None else chosen
    for start in range(0, len(chosen), batch):
        some = chosen[start : start + batch]
        positions, played = encoded(moves, some, network.input.shape[0])
        answers = probabilities(network, positions, symmetric=symmetric).cpu()
        of_played = answers.gather(1, played[:, None])
        yield some, (answers > of_played).sum(1), of_played[:, 0]


def scored(network: Network, moves: Moves, chosen: NDArray[np.int32] | None = None) -> Score:
    """How well `network` foretells the moves `chosen`, by default all."""
    _, ranks, chances = zip(*evaluate(network, moves, chosen), strict=True)
    return score(torch.cat(ranks), torch.cat(chances))


def score(ranks: Tensor, chances: Tensor) -> Score:
    """From what `evaluate` yields, all of it joined."""
    return Score(
        (ranks == 0).double().mean().item(), (ranks < 5).double().mean().item(),
        -chances.double().clamp_min(1e-12).log().mean().item(),
    )  # fmt: skip
