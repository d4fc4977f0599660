"""`convsight speech shift`: the lecture's argument for filters along frequency, looked at and measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsight.cli.options import TrainingDevice
from convsight.cli.speech_options import SpeechNetwork
from convsight.cli.terminal import say
from convsight.errors import InputError
from convsight.files import check_ending, check_writable, write_lines
from convsight.pictures import write_png

if TYPE_CHECKING:
    from convsight.speech.model import Slides
    from convsight.speech.shift import Result

_SIBLINGS: tuple[Slides, ...] = ("none", "time", "both")  # of the one that slides along frequency


def shift(
    text: Annotated[str, typer.Argument(help="What is said, in Mandarin.")] = "你好",
    man: Annotated[str, typer.Option(help="A man's voice of espeak-ng.")] = "m1",
    woman: Annotated[str, typer.Option(help="A woman's.")] = "f2",
    network: SpeechNetwork = "speech",
    out: Annotated[Path, typer.Option(help="Where the picture goes: a PNG.")] = Path("shift.png"),
) -> None:
    """Draw a man and a woman saying the same, and by how many mel bands each filter's answer moves between them.

    Example: convsight speech shift

    Example: convsight speech shift 你好 --man m1 --woman m3
    """
    from convsight.speech import views
    from convsight.speech.recognise import load_recogniser

    check_ending(out, ".png")
    check_writable(out)
    seen = views.shift(load_recogniser(network), text, man=man, woman=woman)
    answering = seen.movements[~seen.movements.isnan()]
    if not len(answering):
        raise InputError(f"no filter of {network} answers to {text}")
    write_png(seen.picture, out)
    median, higher = float(answering.median()), float((answering > 0).double().mean())
    say(
        f"{len(answering)} filters answer, at the median {median:+.0f} mel bands from where they answer to {man}; "
        f"{higher:.0%} of them higher: {out}"
    )


def experiment(
    count: Annotated[int, typer.Option("--sentences", min=40, help="How many sentences are learnt.")] = 1_000,
    seeds: Annotated[int, typer.Option(min=1, help="How many times each network is trained.")] = 3,
    pooling: Annotated[str, typer.Option(help="Factors of pooling along frequency, commas between.")] = "6",
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the sentences.")] = 12,
    out: Annotated[Path, typer.Option(help="The table, in Markdown; each line is written when it is known.")] = Path(
        "shift.md"
    ),
    device: TrainingDevice = None,
) -> None:
    """Train networks on men's voices and try them on women's: filters along frequency, along time, both, and none.

    Example: convsight speech experiment --device cuda

    Example: convsight speech experiment --pooling 1,2,3,6,9,12 --seeds 1
    """
    from dataclasses import replace

    from convsight.cli.progress import progress
    from convsight.speech import shift as shifts

    check_writable(out)
    factors = _factors(pooling)
    siblings: list[tuple[Slides, int]] = [("frequency", each) for each in factors]
    siblings += [(each, factors[-1]) for each in _SIBLINGS]
    plan = replace(shifts.PLAN, epochs=epochs)
    warps = [f"warped {each:g}" for each in shifts.WARPS if each != 1]
    heads = ["slides along", "pooling", "seed", "men, other sentences", "women", "women, voiced frames", "unvoiced", *warps]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    steps = plan.steps(count)
    with progress("training", len(siblings) * seeds * steps, left=lambda: f"the lines so far are in {out}") as done:

        def told(name: str, number: int) -> Callable[[int, float], None]:
            return lambda step, loss: done(number * steps + step + 1, f"{name}, loss {loss:.3f}")

        found = shifts.experiment(siblings, count=count, seeds=range(seeds), plan=plan, device=device, on_network=told)
        for result in found:
            lines.append(_line(result))
            say(lines[-1])
            write_lines(out, lines)
    say(f"Phone error rates, silence not counted, and frames wrong: {out}")


def _line(result: Result) -> str:
    known, other = result.known, result.other
    figures = [known.phone_error, other.phone_error, other.voiced, other.unvoiced]
    figures += [each.phone_error for warp, each in result.warped.items() if warp != 1]
    cells = [result.slides, str(result.pooling), str(result.seed), *(f"{each:.1%}" for each in figures)]
    return f"| {' | '.join(cells)} |"


def _factors(text: str) -> list[int]:
    parts = [each.strip() for each in text.split(",")]
    if not all(each.isdecimal() and 1 <= int(each) <= 33 for each in parts):
        raise InputError(f'--pooling is factors from 1 to 33, commas between, not "{text}"')
    return [int(each) for each in parts]
