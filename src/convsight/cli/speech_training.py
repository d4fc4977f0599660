"""`convsight speech train`, `evaluate` and `crossvalidate`: networks that learn phones, and how well they do."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from convsight.cli.options import Seed, TrainingDevice
from convsight.cli.progress import progress, training_progress
from convsight.cli.speech_options import (
    CORPUS,
    POOLING,
    BothWays,
    Centred,
    Ctc,
    Epochs,
    Limited,
    Part,
    Pooling,
    Slides,
    SpeechNetwork,
    Start,
    Words,
)
from convsight.cli.terminal import say, show_table
from convsight.errors import InputError
from convsight.files import check_ending, check_writable, write_lines

if TYPE_CHECKING:
    from convsight.speech.data import Corpus
    from convsight.speech.recognise import Recogniser
    from convsight.speech.score import Score

_CONFUSIONS = 10
_DEFAULTS = {"slides": "frequency", "pooling": POOLING, "limited": False, "both_ways": False, "centred": False}


def train(
    corpora: Annotated[list[Path], typer.Argument(metavar="CORPUS...", help=CORPUS)],
    out: Annotated[Path, typer.Option(help="Where the network goes.")] = Path("speech.safetensors"),
    start: Start = None,
    without: Annotated[
        str | None,
        typer.Option(
            help="Speakers to judge by, with commas between. Default: one in ten recordings, which is not learnt from."
        ),
    ] = None,
    part: Part = None,
    slides: Slides = "frequency",
    pooling: Pooling = POOLING,
    limited: Limited = False,
    both_ways: BothWays = False,
    centred: Centred = False,
    ctc: Ctc = False,
    epochs: Epochs = None,
    seed: Seed = 0,
    device: TrainingDevice = None,
) -> None:
    """Learn to recognise phones from recordings with phone times; interrupted and started again, it goes on where it was.

    Example: convsight speech train timit/ --part train

    Example: convsight speech train digits/ --start speech --without george,theo
    """
    from convsight.speech import model, recognise
    from convsight.speech.score import score
    from convsight.training import is_main_process

    check_ending(out, ".safetensors")
    check_writable(out)
    chosen = {"slides": slides, "pooling": pooling, "limited": limited, "both_ways": both_ways, "centred": centred}
    begin = _begins(start, chosen, seed=seed)
    known, held_out = _parted(_read(corpora, part), without)
    say(f"{len(known):,} recordings to learn from ({known.frames / 6000:.0f} minutes), {len(held_out):,} to judge by")
    begun = begin(known)
    if heard := sorted({*begun.speakers} & {*_named(without, held_out)} if without else []):
        say(f"{start} has learnt from {', '.join(heard)} before: it will be judged by voices that it knows")
    plan = replace(model.PLAN, epochs=epochs or model.PLAN.epochs)
    checkpoint, started = out.with_suffix(".checkpoint"), perf_counter()
    with training_progress(plan.steps(len(known)), checkpoint) as done:
        learnt = recognise.fit(
            begun, known, ctc=ctc, plan=plan, seed=seed, device=device, checkpoint=checkpoint,
            on_step=lambda step, loss: done(step + 1, f"loss {loss:.3f}"),
        )  # fmt: skip
    if not is_main_process():
        return
    seconds = perf_counter() - started
    recognise.save_recogniser(learnt, out)
    told = score(learnt, held_out)
    named = {} if start else {name: each for name, each in chosen.items() if each != _DEFAULTS[name]}
    options = {
        "start": start and Path(start).name, "without": without, "part": part, **named, "ctc": ctc or None,
        "epochs": plan.epochs, "seed": seed,
    }  # fmt: skip
    given = [_as_typed(name, value) for name, value in options.items() if value is not None]
    card = {
        "data": f"{len(known):,} recordings, {known.frames / 6000:.0f} minutes",
        "figure": _figure(told, held_out, learnt),
        "command": f"convsight speech train {' '.join(each.name for each in corpora)} {' '.join(given)}",
        "training": f"{seconds:.0f} s",
    }
    recognise.save_recogniser(learnt, out, card)
    say(f"{_figure(told, held_out, learnt)}, after {seconds:.0f} s: {out}")


def evaluate(
    corpus: Annotated[Path, typer.Argument(metavar="CORPUS", help=CORPUS)],
    network: SpeechNetwork = "speech",
    part: Part = None,
    speakers: Annotated[str | None, typer.Option(help="Only these, with commas between.")] = None,
) -> None:
    """Say how many phones and frames a network hears wrongly, and which phones it takes for which.

    Example: convsight speech evaluate timit/ --part core --network mine.safetensors
    """
    from convsight.speech.recognise import load_recogniser
    from convsight.speech.score import score

    opened = load_recogniser(network)
    known = _read([corpus], part)
    known = known.of(_named(speakers, known)) if speakers else known
    if heard := sorted({*opened.speakers} & {*known.speakers}):
        say(f"{network} has learnt from {', '.join(heard)}: other voices will be heard less well")
    told = score(opened, known)
    say(_figure(told, known, opened))
    if not opened.timed:
        return
    say(f"frames with voiced phones {told.voiced:.1%} wrong, with unvoiced {told.unvoiced:.1%}")
    wrong = told.confusion.clone().fill_diagonal_(0)
    table = Table("phone", "taken for", "frames", "of all of that phone")
    for place in wrong.flatten().argsort(descending=True)[:_CONFUSIONS].tolist():
        row, column = divmod(place, len(opened.phones))
        if count := int(wrong[row, column]):
            part_of = count / int(told.confusion[row].sum())
            table.add_row(opened.phones[row], opened.phones[column], f"{count:,}", f"{part_of:.1%}")
    show_table(table)


def crossvalidate(
    corpora: Annotated[list[Path], typer.Argument(metavar="CORPUS...", help=CORPUS)],
    out: Annotated[Path, typer.Option(help="The table, in Markdown; each line is written when it is known.")] = Path(
        "speakers.md"
    ),
    words: Words = None,
    start: Start = None,
    slides: Slides = "frequency",
    pooling: Pooling = POOLING,
    limited: Limited = False,
    both_ways: BothWays = False,
    centred: Centred = False,
    epochs: Epochs = None,
    seed: Seed = 0,
    device: TrainingDevice = None,
) -> None:
    """Leave each speaker out in turn, learn the others, and say how well the one who was never heard is heard.

    Example: convsight speech crossvalidate digits/ --words digits --both-ways --centred
    """
    from convsight.speech import crossvalidation, model, recognise
    from convsight.speech.words import LEXICONS

    check_writable(out)
    chosen = {"slides": slides, "pooling": pooling, "limited": limited, "both_ways": both_ways, "centred": centred}
    begin = _begins(start, chosen, seed=seed)
    known = _read(corpora, None)
    if heard := sorted({*begin(known).speakers} & {*known.speakers}):
        raise InputError(f"{start} has learnt from {', '.join(heard)}, who could not be left out; begin from another network")
    plan = replace(model.PLAN, epochs=epochs or model.PLAN.epochs)
    steps = sum(plan.steps(len(known) - own) for own in Counter(known.speakers).values())
    heads = ["left out", "recordings", "phone errors", "frames wrong", *([f"{words} right"] if words else [])]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    counted = itertools.count(1)
    rows: list[list[float]] = []
    with progress("training", steps, left=lambda: f"the lines so far are in {out}" if rows else "no line was done") as done:

        def learn(speaker: str, others: Corpus) -> Recogniser:
            return recognise.fit(
                begin(others), others, plan=plan, seed=seed, device=device,
                on_step=lambda _step, loss: done(next(counted), f"without {speaker}, loss {loss:.3f}"),
            )  # fmt: skip

        for fold in crossvalidation.folds(known, learn, lexicon=LEXICONS[words] if words else None):
            figures = [fold.score.phone_error, fold.score.frame_error, *([] if fold.right is None else [fold.right])]
            rows.append(figures)
            lines.append(_line(fold.speaker, f"{fold.count:,}", figures))
            say(lines[-1])
            write_lines(out, lines)
    means = [sum(each) / len(rows) for each in zip(*rows, strict=True)]
    write_lines(out, [*lines, _line("mean", f"{len(known):,}", means)])
    say(f"{means[0]:.1%} phone errors, silence not counted, of speakers never heard: {out}")


def _begins(start: str | None, chosen: Mapping[str, Any], *, seed: int) -> Callable[[Corpus], Recogniser]:
    """What makes the recogniser that a training begins with."""
    from convsight.speech import model, recognise

    if start:
        opened = recognise.load_recogniser(start)
        if other := next((name for name in chosen if chosen[name] != _DEFAULTS[name]), None):
            raise InputError(f"--start says what the network is; leave --{other.replace('_', '-')} away")
        return lambda _known: opened
    declared = model.recogniser(**chosen)
    return lambda known: recognise.beginning(declared, known, seed=seed)


def _as_typed(name: str, value: object) -> str:
    option = f"--{name.replace('_', '-')}"
    return option if value is True else f"{option} {value}"


def _line(name: str, count: str, figures: list[float]) -> str:
    return f"| {' | '.join([name, count, *(f'{each:.1%}' for each in figures)])} |"


def _read(corpora: list[Path], part: str | None) -> Corpus:
    from convsight.speech import data

    utterances = [utterance for each in corpora for utterance in data.load(each, part=part)]
    rows = []
    with progress("reading", len(utterances)) as done:
        for number, row in enumerate(data.encode(utterances), start=1):
            rows.append(row)
            done(number, row[2])
    return data.corpus(rows)


def _parted(known: Corpus, without: str | None) -> tuple[Corpus, Corpus]:
    from convsight.speech.data import corpus

    if without:
        names = _named(without, known)
        parts = known.of(names, others=True), known.of(names)
    else:
        rows = list(zip(known.features, known.labels, known.speakers, strict=True))
        parts = corpus(row for place, row in enumerate(rows) if place % 10), corpus(rows[::10])
    if not len(parts[0]) or not len(parts[1]):
        raise InputError("there must be recordings to learn from, and others to judge by")
    return parts


def _named(names: str, known: Corpus) -> list[str]:
    wanted = [each.strip() for each in names.split(",")]
    if unknown := sorted(set(wanted) - set(known.speakers)):
        raise InputError(f'no speaker "{unknown[0]}"; there are {", ".join(sorted(set(known.speakers)))}')
    return wanted


def _figure(told: Score, held_out: Corpus, judged: Recogniser) -> str:
    frames = f", {told.frame_error:.1%} of frames wrong" if judged.timed else ""
    return f"{told.phone_error:.1%} phone errors{frames}, of {len(held_out):,} recordings"
