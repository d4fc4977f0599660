"""`convsight go selfplay`: a network that plays itself and learns to win."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from convsight.assets import digest
from convsight.cli.go_options import go_network
from convsight.cli.options import Seed, TrainingDevice
from convsight.cli.progress import progress, training_progress
from convsight.cli.terminal import say
from convsight.errors import InputError
from convsight.files import check_ending, check_writable
from convsight.network import load, save
from convsight.pictures import write_png

JUDGES, CHECKPOINT_SECONDS = 400, 60.0


def selfplay(
    start: Annotated[
        str | None, typer.Option(help="The network that begins: go9, or a file that `go train` wrote. Default: sl.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=5, max=19, help="Begin from nothing instead, with a small network, on so many lines.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the network goes; its curve goes beside it, as .jsonl and .png.")] = Path(
        "rl.safetensors"
    ),
    batches: Annotated[int, typer.Option(min=1, help="How often it learns.")] = 60,
    games: Annotated[int, typer.Option(min=2, max=65536, help="Games before it learns from them.")] = 192,
    komi: Annotated[float, typer.Option(min=-1000, max=1000, help="Points for white.")] = 7.5,
    learning_rate: Annotated[float, typer.Option(min=0, max=1, help="How far it moves at most; falls to 0.")] = 2e-4,
    seed: Seed = 0,
    device: TrainingDevice = None,
) -> None:
    """Play earlier versions of itself and learn to win; interrupted and started again with the same options, it goes on.

    Example: convsight go selfplay --start go9 --out mine.safetensors

    Example: convsight go selfplay --size 5 --batches 12 --games 64 --learning-rate 0.005

    Example: convsight go selfplay --out rl.safetensors
    """
    from convsight.go import curve, selfplay
    from convsight.go.duel import duel
    from convsight.go.match import wilson
    from convsight.optimizers import adam
    from convsight.training import is_main_process

    check_ending(out, ".safetensors")
    checkpoint, lines, picture = (out.with_suffix(each) for each in (".checkpoint", ".jsonl", ".png"))
    for path in (out, checkpoint, lines, picture):
        check_writable(path)
    if start and size:
        raise InputError(f"{start} has its board; leave --size away, or leave --start away to begin from nothing")
    if start and Path(start).resolve() == out.resolve():
        raise InputError(f"{out} is the network that begins; give another file as --out")
    network = selfplay.from_nothing(size, seed=seed) if size else go_network(start or "sl")
    first = replace(network, module=deepcopy(network.module))
    beginning = f"--size {size}" if size else f"--start {start or 'sl'}"
    opponent = "itself untrained" if size else start or "sl"
    if not checkpoint.exists():
        lines.unlink(missing_ok=True)
    started = perf_counter() - curve.seconds(lines)

    settings = {
        "learning rate": str(learning_rate),
        "network": repr(network.architecture),
        "start": digest(first.module.state_dict())[:12],
    }

    with training_progress(batches, checkpoint) as done:

        def note(report: selfplay.Report) -> None:
            done(report.batches, f"{report.wins:.0%} won")
            curve.add(lines, report.line(games, perf_counter() - started))
            if report.against_start is not None:
                wrong = f", {report.mistaken:.0%} of hopeless games won nonetheless" if report.mistaken is not None else ""
                say(
                    f"{report.batches * games:,} games: {report.wins:.1%} won against earlier selves, "
                    f"{report.against_start:.1%} against its start, {report.length:.0f} moves a game, "
                    f"entropy {report.entropy:.2f}{wrong}"
                )

        selfplay.improve(
            network, batches=batches, games=games, komi=komi, seed=seed, optimizer=adam(learning_rate), device=device,
            checkpoint=checkpoint, checkpoint_seconds=CHECKPOINT_SECONDS, settings=settings, on_batch=note,
        )  # fmt: skip
    if not is_main_process():
        return
    card = {
        "data": f"{batches * games:,} games against earlier versions of itself, from {opponent} on",
        "command": f"convsight go selfplay {beginning} --batches {batches} --games {games} --komi {komi:g} "
        f"--learning-rate {learning_rate:g} --seed {seed}",
    }
    save(replace(network, card=card), out, half=True)
    write_png(curve.picture(curve.read(lines)), picture)
    improved = load(str(out)).to(network.device)
    with progress("judging", None, left=lambda: f"the network is kept, the same command judges it: {out}"):
        judged = duel(improved, first.to(network.device), JUDGES, komi=komi, resign=False, seed=seed)
    low, high = wilson(judged.wins, JUDGES)
    figure = (
        f"won {judged.wins:g} of {JUDGES} games against {opponent}, all to the end, moves drawn as often as expected: "
        f"{judged.wins / JUDGES:.1%}, between {low:.1%} and {high:.1%} with 95% confidence"
    )
    save(replace(improved, card=card | {"figure": figure}), out, half=True)
    checkpoint.unlink(missing_ok=True)
    say(f"{figure}; {picture} shows how: {out}")
