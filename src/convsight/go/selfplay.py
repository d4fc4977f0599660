"""Self-play: a policy network plays earlier versions of itself, and what won becomes more likely, what lost less.

Source: Silver et al. 2016, Nature 529, Methods, "Policy network: reinforcement learning": REINFORCE (Williams 1992) over whole
games against an opponent drawn from a pool of earlier selves. Our baseline is the mean outcome of the other games that the
process played with the same colour in this batch, so it depends on no move of the game it judges and needs no network.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convsight.cores import shares
from convsight.errors import InputError
from convsight.files import written_whole
from convsight.go.duel import AT_ONCE, Duel, duel, sensible
from convsight.go.model import answers, policy, untrained
from convsight.go.samples import encoded
from convsight.network import Network
from convsight.optimizers import MakeOptimizer, adam, follow, half_cosine
from convsight.training import Settings, accelerator_on, check_same_everywhere, opened_checkpoint

OPTIMIZER = adam(2e-4)
SNAPSHOTS = 20  # as AlphaGo: the pool grows every 500 of 10,000 batches
State = dict[str, Tensor]


@dataclass(frozen=True)
class Report:
    """How a batch of games went, those of the main process: the number of batches so far; against the pool the part of games
    won, their mean length in moves, the parts given up and, of those played on nonetheless, turned round; the policy's mean
    entropy in nats; and now and then the part of games won against the network as it was at the start, all to the end.
    """

    batches: int
    wins: float
    length: float
    resigned: float
    mistaken: float | None
    entropy: float
    against_start: float | None = None

    def line(self, games: int, seconds: float) -> dict[str, float]:
        """As the curve has it, for batches of so many `games`."""
        told = {"positions": self.batches * games, "seconds": round(seconds)} | asdict(self)
        return {key: round(each, 4) for key, each in told.items() if each is not None}


def improve(
    network: Network,
    *,
    batches: int,
    games: int = 128,
    komi: float = 7.5,
    judges: int = 200,
    seed: int = 0,
    optimizer: MakeOptimizer = OPTIMIZER,
    device: str | None = None,
    checkpoint: Path | None = None,
    checkpoint_seconds: float = 60.0,
    settings: Settings | None = None,
    on_batch: Callable[[Report], None] | None = None,
) -> None:
    """Move the parameters of `network.module`, in place, towards winning, by `batches` times so many `games`.

    Twenty times on the way, or after each batch if they are fewer, the network joins the pool and plays `judges` games against
    its start. Each of several processes (`accelerate launch`) plays its share of every batch. `checkpoint`: a file, written
    every so many seconds and at the end, from which a later call with the same arguments goes on exactly; for the caller to
    remove, once the network is kept. `settings`: what else makes this self-play what it is, kept with the checkpoint.
    Raises InputError if it is of another self-play or not all processes see it, if there is no such device, or too few games
    for the processes, or if the network's answers become infinite or undefined.
    """
    accelerator = accelerator_on(device)
    share, processes = accelerator.process_index, accelerator.num_processes
    if games < 2 * processes:
        raise InputError(f"{processes} processes play {2 * processes} games a batch at least, not {games}")
    low, high = shares(games, processes)[share]
    network = network.to(accelerator.device)
    network.module.train().to(memory_format=torch.channels_last)
    start, rival = (replace(network, module=deepcopy(network.module).eval()) for _ in range(2))
    climb = optimizer(network.module.parameters())
    own: dict[str, str | int] = {"batches": batches, "games": games, "komi": str(komi), "judges": judges, "seed": seed}
    whole: Settings = own | dict(settings or {})
    first, pool = _resume(checkpoint, network.module, climb, whole) if checkpoint else (0, [])
    check_same_everywhere(checkpoint, first)
    pool = pool or [_copied(network.module)]
    saved = monotonic()
    for batch in range(first, batches):
        random = np.random.default_rng((seed, batch, share))
        rival.module.load_state_dict(pool[random.integers(len(pool))])
        played = duel(network, rival, high - low, komi=komi, seed=int(random.integers(2**62)))
        follow(half_cosine, climb, batch / batches)
        climb.zero_grad()
        entropy = gradient(network, played, games=games)
        if processes > 1:
            for each in network.module.parameters():
                each.grad = accelerator.reduce(each.grad, "sum")
        climb.step()
        against_start = None
        if (batch + 1) * SNAPSHOTS // batches > batch * SNAPSHOTS // batches:
            pool.append(_copied(network.module))
            if accelerator.is_main_process:
                judged = duel(network, start, judges, komi=komi, resign=False, seed=int(random.integers(2**62)))
                against_start = judged.wins / judges
        if on_batch is not None and accelerator.is_main_process:
            on_batch(_report(batch + 1, played, entropy, against_start))
        if checkpoint and accelerator.is_main_process and monotonic() - saved > checkpoint_seconds:
            _save(checkpoint, network.module, climb, pool, batch + 1, whole)
            saved = monotonic()
    if checkpoint and accelerator.is_main_process:
        _save(checkpoint, network.module, climb, pool, batches, whole)
    network.module.eval()


def from_nothing(size: int, *, seed: int = 0) -> Network:
    """A small network with random weights for boards of `size` lines, which self-play may begin with."""
    return untrained(policy(width=32, depth=4, size=size), seed=seed)


def advantages(outcome: NDArray[np.float32], black: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(G,) each game's outcome less the mean outcome of the others in which the network had the same colour."""
    result = outcome.copy()
    for colour in (black, ~black):
        if (count := int(colour.sum())) > 1:
            result[colour] -= (outcome[colour].sum() - outcome[colour]) / (count - 1)
    return result


def gradient(network: Network, played: Duel, *, games: int) -> float:
    """Add to the parameters' gradients those of minus the mean over `games` of a game's advantage times the sum of the log
    probabilities of the moves that `network` chose in it, among sensible ones (REINFORCE). Returns the mean entropy, in nats.
    """
    chosen = played.own()
    game = played.moves.first.searchsorted(chosen, "right") - 1
    advantage = torch.from_numpy(advantages(played.outcome, played.black)[game]).to(network.device)
    total = 0.0
    for start in range(0, len(chosen), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        positions, points = encoded(played.moves, chosen[some], 48)
        log = sensible(answers(network, positions), positions).log_softmax(1)
        of_played = log.gather(1, points[:, None].to(network.device))[:, 0]
        (-(advantage[some] * of_played).sum() / games).backward()  # type: ignore[no-untyped-call]
        total += float(torch.special.entr(log.detach().exp()).sum())
    return total / max(1, len(chosen))


def _report(batches: int, played: Duel, entropy: float, against_start: float | None) -> Report:
    count, hopeless = len(played.outcome), int(played.hopeless.sum())
    return Report(
        batches, played.wins / count, len(played.moves.points) / count, float(played.resigned.mean()),
        float(played.mistaken.sum()) / hopeless if hopeless else None, entropy, against_start,
    )  # fmt: skip


def _copied(module: torch.nn.Module) -> State:
    return {name: each.detach().cpu().clone() for name, each in module.state_dict().items()}


def _save(path: Path, module: torch.nn.Module, climb: Any, pool: list[State], batch: int, settings: Settings) -> None:
    state = {
        "batch": batch, "settings": dict(settings), "module": module.state_dict(), "optimizer": climb.state_dict(),
        "pool": pool,
    }  # fmt: skip
    with written_whole(path) as temporary:
        torch.save(state, temporary)


def _resume(path: Path, module: torch.nn.Module, climb: Any, settings: Settings) -> tuple[int, list[State]]:
    """How many batches the checkpoint has behind it, and its pool."""
    if not path.exists():
        return 0, []
    with opened_checkpoint(path, module, climb, settings, "self-play", "this self-play") as state:
        return int(state["batch"]), list(state["pool"])
