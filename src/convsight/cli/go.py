"""`convsight go`: train a policy network on game records, judge it, and let it play."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter
from typing import Annotated, Literal

import torch
import typer

from convsight.assets import digest
from convsight.cli import go_play
from convsight.cli.go_options import PLANES, Games, GoNetwork, go_network, read_games
from convsight.cli.options import Device, Seed
from convsight.cli.progress import left_at, progress
from convsight.cli.terminal import say, show_table
from convsight.errors import InputError
from convsight.files import check_ending, check_writable, written_whole
from convsight.network import save
from convsight.precision import best_device

app = typer.Typer(help="Train, judge and use a network that foretells moves of Go.", no_args_is_help=True)
app.command()(go_play.gtp)
app.command()(go_play.match)
app.command()(go_play.suggest)
app.command()(go_play.show)

Planes = Literal["48", "raw", "colours"]
_CHECKED = 5_000
_CHECKS = 20


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
    size: Annotated[int, typer.Option(min=5, max=19, help="Lines of the board.")] = 19,
    positions: Annotated[int | None, typer.Option(min=1, help="How many to learn from. Default: every move once.")] = None,
    batch: Annotated[int, typer.Option(min=1, max=65536, help="Positions a step.")] = 256,
    validation: Annotated[
        list[Path] | None,
        typer.Option(help="Games to judge by. Default: one in fifty of GAMES, which is not learnt from."),
    ] = None,
    start: Annotated[str | None, typer.Option(help="Go on from this network instead: go, or a file.")] = None,
    seed: Seed = 0,
    device: Device = None,
) -> None:
    """Learn to foretell the moves of game records; interrupted and started again with the same options, it goes on.

    Example: convsight go train games/ --out mine.safetensors

    Example: convsight go train more.sgf.xz --start go --positions 200000
    """
    from convsight.go import model
    from convsight.training import is_main_process
    from convsight.training import train as fit

    check_ending(out, ".safetensors")
    check_writable(out)
    if start and (width or depth or planes):
        raise InputError(f"{start} has its width, depth and planes; leave them away, or leave --start away")
    known = read_games(games, size)
    if validation:
        held_out = read_games(validation, size)
        new = known.not_among(held_out)
        if len(new) < len(known):
            say(f"{len(known) - len(new):,} of the games are also among those to judge by, and are not learnt from")
            known = known.chosen(new)
    else:
        part = len(known) - max(1, len(known) // 50)
        known, held_out = known.games(0, part), known.games(part, len(known))
    if not len(known.samples()) or not len(held_out.samples()):
        raise InputError("that is too few games to learn from and to judge by; two at least, with moves")
    if start:
        network = go_network(start)
    else:
        architecture = model.policy(width=width or 64, depth=depth or 7, planes=PLANES[planes or "48"], size=size)
        network = model.untrained(architecture, seed=seed)
    if network.input.shape[1] != size:
        raise InputError(f"{start} plays on {network.input.shape[1]} lines; give --size {network.input.shape[1]}")
    plan = replace(model.GO_ON if start else model.PLAN, batch=batch)
    steps = max(1, (positions or len(known.samples())) // batch)
    chosen = held_out.samples()[:: max(1, len(held_out.samples()) // _CHECKED)]
    checkpoint, curve = out.with_suffix(".checkpoint"), out.with_suffix(".jsonl")
    if not checkpoint.exists():
        curve.unlink(missing_ok=True)
    started = perf_counter() - (_seconds(curve) if checkpoint.exists() else 0)
    begun = digest(network.module.state_dict())[:12]

    with progress("training", steps, left=left_at(checkpoint)) as done:

        def note(step: int, loss: float) -> None:
            done(step + 1, f"loss {loss:.3f}")
            if is_main_process() and (step % max(1, steps // _CHECKS // 20 * 20) == 0 or step == steps - 1):
                found = model.scored(network, held_out, chosen)
                network.module.train()
                line = {"positions": (step + 1) * batch, "seconds": round(perf_counter() - started), "loss": round(loss, 4)}
                _note(curve, line | {key: round(each, 4) for key, each in asdict(found).items()})
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
            settings={
                "seed": seed,
                "moves": len(known.points),
                "batch": batch,
                "network": repr(network.architecture),
                "start": begun,
            },
            on_step=note,
        )
    if not is_main_process():
        return
    found = model.scored(network, held_out)
    options = {
        "start": start, "width": width, "depth": depth, "planes": planes, "size": size, "positions": steps * batch,
        "batch": batch, "seed": seed,
    }  # fmt: skip
    given = [f"--validation {each.name}" for each in validation or []]
    given += [f"--{name} {value}" for name, value in options.items() if value is not None]
    card = {
        "data": f"{len(known):,} games with {len(known.samples()):,} positions, of which it saw {steps * batch:,}, each turned "
        "or mirrored at random",
        "figure": f"{found}, of {len(held_out):,} other games",
        "command": f"convsight go train {' '.join(each.name for each in games)} {' '.join(given)}",
    }
    save(replace(network, card=card), out)
    say(f"{found}; {curve} has the curve: {out}")


def _seconds(curve: Path) -> int:
    """How long the training that wrote `curve` has taken so far."""
    lines = curve.read_text().splitlines() if curve.exists() else []
    return int(json.loads(lines[-1])["seconds"]) if lines else 0


def _note(curve: Path, line: dict[str, float]) -> None:
    """Add `line` to the curve, in place of those that a training told which then went on from before them."""
    lines = curve.read_text().splitlines() if curve.exists() else []
    before = [each for each in lines if json.loads(each)["positions"] < line["positions"]]
    with written_whole(curve) as temporary:
        temporary.write_text("\n".join([*before, json.dumps(line)]) + "\n")


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
    with progress("judging", len(chosen)) as done:
        ranks, chances = [], []
        for some, rank, chance in model.evaluate(opened, known, chosen, symmetric=symmetric):
            ranks.append(rank)
            chances.append(chance)
            done(int((chosen <= some[-1]).sum()), "")
    rank, chance = torch.cat(ranks), torch.cat(chances)
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
