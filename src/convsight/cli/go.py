"""`convsight go`: train a policy network on game records, judge it, and let it play."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import Tensor

from convsight.assets import digest
from convsight.cli import go_play, go_selfplay
from convsight.cli.go_options import PLANES, Games, GoNetwork, go_network, read_games
from convsight.cli.options import Device, Seed, TrainingDevice
from convsight.cli.progress import progress, training_progress
from convsight.cli.terminal import say, show_table
from convsight.errors import InputError
from convsight.files import check_ending, check_writable
from convsight.network import Network, save
from convsight.precision import best_device

if TYPE_CHECKING:
    from convsight.go.moves import Moves

app = typer.Typer(help="Train, judge and use a network that foretells moves of Go.", no_args_is_help=True)
app.command()(go_play.gtp)
app.command()(go_play.match)
app.command()(go_play.suggest)
app.command()(go_play.review)
app.command()(go_play.show)
app.command()(go_selfplay.selfplay)

Planes = Literal["48", "raw", "colours"]
_CHECKED = 5_000
_CHECKS, _TOLD = 20, 20  # so many checks; a training tells of every twentieth step


@app.command()
def train(
    games: Games,
    out: Annotated[Path, typer.Option(help="Where the network goes; its learning curve goes beside it, as .jsonl.")] = Path(
        "go.safetensors"
    ),
    width: Annotated[int | None, typer.Option(min=1, max=1024, help="Filters a layer; AlphaGo's had 192. Default: 64.")] = None,
    depth: Annotated[int | None, typer.Option(min=1, max=100, help="Convolutions; AlphaGo's had 12. Default: 7.")] = None,
    planes: Annotated[
        Planes | None,
        typer.Option(help="48, the default: AlphaGo's; raw: 12, stones and when they were played; colours: 4, stones alone."),
    ] = None,
    size: Annotated[int | None, typer.Option(min=5, max=19, help="Lines of the board. Default: 19.")] = None,
    positions: Annotated[int | None, typer.Option(min=1, help="How many to learn from. Default: every move once.")] = None,
    batch: Annotated[int, typer.Option(min=1, max=65536, help="Positions a step.")] = 256,
    validation: Annotated[
        list[Path] | None,
        typer.Option(help="Games to judge by. Default: one in fifty of GAMES, which is not learnt from."),
    ] = None,
    start: Annotated[str | None, typer.Option(help="Go on from this network instead: go, or a file.")] = None,
    seed: Seed = 0,
    device: TrainingDevice = None,
) -> None:
    """Learn to foretell the moves of game records; interrupted and started again with the same options, it goes on.

    Example: convsight go train games/ --out mine.safetensors

    Example: convsight go train more.sgf.xz --start go --positions 200000
    """
    from convsight.go import curve, model
    from convsight.training import is_main_process
    from convsight.training import train as fit

    check_ending(out, ".safetensors")
    check_writable(out)
    if start and (width or depth or planes):
        raise InputError(f"{start} has its width, depth and planes; leave them away, or leave --start away")
    network = go_network(start) if start else None
    lines = network.input.shape[1] if network else size or 19
    if size not in (None, lines):
        raise InputError(f"{start} plays on {lines} lines; leave --size away")
    known, held_out = (
        read_games(games, lines).split() if not validation else (read_games(each, lines) for each in (games, validation))
    )
    new = known.not_among(held_out)
    if len(new) < len(known):
        say(f"{len(known) - len(new):,} of the games are also among those to judge by, and are not learnt from")
        known = known.chosen(new)
    if not len(known.samples()) or not len(held_out.samples()):
        raise InputError("that is too few games to learn from and to judge by; two at least, with moves")
    if network is None:
        architecture = model.policy(width=width or 64, depth=depth or 7, planes=PLANES[planes or "48"], size=lines)
        network = model.untrained(architecture, seed=seed)
    plan = replace(model.GO_ON if start else model.PLAN, batch=batch)
    steps = max(1, (positions or len(known.samples())) // batch)
    every = max(_TOLD, steps // _CHECKS // _TOLD * _TOLD)
    chosen = held_out.samples()[:: max(1, len(held_out.samples()) // _CHECKED)]
    checkpoint, progress_so_far = out.with_suffix(".checkpoint"), out.with_suffix(".jsonl")
    if not checkpoint.exists():
        progress_so_far.unlink(missing_ok=True)
    started = perf_counter() - curve.seconds(progress_so_far)
    settings: dict[str, str | int] = {
        "seed": seed, "moves": len(known.points), "batch": batch, "network": repr(network.architecture),
        "start": digest(network.module.state_dict())[:12],
    }  # fmt: skip

    with training_progress(steps, checkpoint) as done:

        def note(step: int, loss: float) -> None:
            done(step + 1, f"loss {loss:.3f}")
            if is_main_process() and (step % every == 0 or step == steps - 1):
                found = model.scored(network, held_out, chosen)
                network.module.train()
                line = {"positions": (step + 1) * batch, "seconds": round(perf_counter() - started), "loss": round(loss, 4)}
                curve.add(progress_so_far, line | {key: round(each, 4) for key, each in asdict(found).items()})
                say(f"{line['positions']:,} positions: {found}")

        fit(
            network,
            model.batches(known, planes=network.input.shape[0], batch=batch, seed=seed),
            model.loss,
            steps=steps,
            optimizer=plan.optimizer,
            schedule=plan.schedule,
            device=device,
            checkpoint=checkpoint,
            settings=settings,
            on_step=note,
        )
    if not is_main_process():
        return
    options = {
        "start": start, "width": width, "depth": depth, "planes": planes, "size": size, "positions": steps * batch,
        "batch": batch, "seed": seed,
    }  # fmt: skip
    given = [f"--validation {each.name}" for each in validation or []]
    given += [f"--{name} {value}" for name, value in options.items() if value is not None]
    card = {
        "data": f"{len(known):,} games with {len(known.samples()):,} positions, of which it saw {steps * batch:,}, each turned "
        "or mirrored at random",
        "command": f"convsight go train {' '.join(each.name for each in games)} {' '.join(given)}",
    }
    save(replace(network, card=card), out)
    found = model.score(*_judged(network, held_out, held_out.samples()))
    save(replace(network, card=card | {"figure": f"{found}, of {len(held_out):,} other games"}), out)
    say(f"{found}; {progress_so_far} has the curve: {out}")


@app.command()
def evaluate(
    games: Games,
    network: GoNetwork = "go",
    symmetric: Annotated[bool, typer.Option("--symmetric", help="Take the mean over the eight symmetries.")] = False,
    by_move: Annotated[bool, typer.Option("--by-move", help="Also by the number of the move.")] = False,
    most: Annotated[int | None, typer.Option("--games", min=1, help="How many games at most.")] = None,
    device: Device = None,
) -> None:
    """Say how often a network puts the move that was played first, and among its first five, and its log loss in nats.

    Example: convsight go evaluate games.sgf.xz
    """
    from convsight.go import model

    opened = go_network(network).to(device or best_device())
    known = read_games(games, opened.input.shape[1])
    known = known.games(0, min(len(known), most)) if most else known
    chosen = known.samples()
    if not len(chosen):
        raise InputError("there is no move in these games to judge by")
    rank, chance = _judged(opened, known, chosen, symmetric=symmetric)
    say(f"{model.score(rank, chance)}, of {len(chosen):,} moves in {len(known):,} games")
    if by_move:
        from rich.table import Table

        number = torch.from_numpy(chosen - known.first[known.first.searchsorted(chosen, "right") - 1])
        table = Table("moves", "first", "among five", "log loss", "how many")
        for low in range(0, int(number.max()) + 1, 50):
            among = (number >= low) & (number < low + 50)
            found = model.score(rank[among], chance[among])
            table.add_row(
                f"{low + 1} to {low + 50}",
                f"{found.first:.1%}",
                f"{found.five:.1%}",
                f"{found.log_loss:.3f}",
                f"{int(among.sum()):,}",
            )
        show_table(table)


def _judged(network: Network, games: Moves, chosen: NDArray[np.int32], *, symmetric: bool = False) -> tuple[Tensor, Tensor]:
    """`model.evaluate` of all `chosen` at once, with a bar."""
    from convsight.go import model

    ranks, chances = [], []
    with progress("judging", len(chosen)) as done:
        for some, rank, chance in model.evaluate(network, games, chosen, symmetric=symmetric):
            ranks.append(rank)
            chances.append(chance)
            done(int((chosen <= some[-1]).sum()), "")
    return torch.cat(ranks), torch.cat(chances)
