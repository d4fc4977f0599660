"""`convsight speech`: make speech, find its phones, train a recogniser, judge it and use it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer
from rich.table import Table

from convsight.cli import speech_corpus, speech_shift, speech_show
from convsight.cli.options import Seed, TrainingDevice
from convsight.cli.progress import progress, training_progress
from convsight.cli.speech_options import SpeechNetwork
from convsight.cli.terminal import say, show_table
from convsight.errors import InputError
from convsight.files import check_ending, check_writable

if TYPE_CHECKING:
    from io import BufferedReader

    from torch import Tensor

    from convsight.speech.data import Corpus
    from convsight.speech.recognise import Recogniser
    from convsight.speech.score import Score
    from convsight.speech.words import Lexicon, Word

_CONFUSIONS = 10
app = typer.Typer(help="Recognise phones by a network whose filters move along frequency only.", no_args_is_help=True)
app.command()(speech_corpus.synthesise)
app.command()(speech_corpus.align)
app.command()(speech_show.show)
app.command()(speech_shift.shift)
app.command()(speech_shift.experiment)

_CORPUS = "A folder in TIMIT's layout, or of recordings with a .TextGrid each, or a table of file,start,end,phone."
Part = Annotated[str | None, typer.Option(help="Of TIMIT: train, test, or core, the core test set.")]


@app.command()
def train(
    corpora: Annotated[list[Path], typer.Argument(metavar="CORPUS...", help=_CORPUS)],
    out: Annotated[Path, typer.Option(help="Where the network goes.")] = Path("speech.safetensors"),
    start: Annotated[str | None, typer.Option(help="A network to go on from: speech, or a file.")] = None,
    without: Annotated[
        str | None,
        typer.Option(
            help="Speakers to judge by, with commas between. Default: one in ten recordings, which is not learnt from."
        ),
    ] = None,
    part: Part = None,
    slides: Annotated[
        Literal["frequency", "time", "both", "none"],
        typer.Option(help="What the filters move along; all have as many parameters."),
    ] = "frequency",
    pooling: Annotated[int, typer.Option(min=1, max=33, help="The factor of the pooling along frequency.")] = 6,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the recordings.")] = None,
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
    known, held_out = _parted(_read(corpora, part), without)
    say(f"{len(known):,} recordings to learn from ({known.frames / 6000:.0f} minutes), {len(held_out):,} to judge by")
    if start:
        begun = recognise.load_recogniser(start).network
    else:
        begun = recognise.beginning(known, slides, pooling=pooling, seed=seed)
    plan = replace(model.PLAN, epochs=epochs or model.PLAN.epochs)
    checkpoint, started = out.with_suffix(".checkpoint"), perf_counter()
    with training_progress(plan.steps(len(known)), checkpoint) as done:
        learnt = recognise.fit(
            begun, known, plan=plan, seed=seed, device=device, checkpoint=checkpoint,
            settings={"seed": seed, "slides": slides, "pooling": pooling, "start": str(start)},
            on_step=lambda step, loss: done(step + 1, f"loss {loss:.3f}"),
        )  # fmt: skip
    if not is_main_process():
        return
    seconds = perf_counter() - started
    recognise.save_recogniser(learnt, out)
    told = score(learnt, held_out)
    options = {
        "start": start and Path(start).name, "without": without, "part": part, "slides": slides, "pooling": pooling,
        "epochs": plan.epochs, "seed": seed,
    }  # fmt: skip
    given = [f"--{name} {value}" for name, value in options.items() if value is not None]
    card = {
        "data": f"{len(known):,} recordings, {known.frames / 6000:.0f} minutes",
        "figure": _figure(told, held_out),
        "command": f"convsight speech train {' '.join(each.name for each in corpora)} {' '.join(given)}",
        "training": f"{seconds:.0f} s",
    }
    recognise.save_recogniser(learnt, out, card)
    say(f"{_figure(told, held_out)}, after {seconds:.0f} s: {out}")


@app.command()
def evaluate(
    corpus: Annotated[Path, typer.Argument(metavar="CORPUS", help=_CORPUS)],
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
    told = score(opened, known)
    say(_figure(told, known))
    say(f"frames with voiced phones {told.voiced:.1%} wrong, with unvoiced {told.unvoiced:.1%}")
    wrong = told.confusion.clone().fill_diagonal_(0)
    table = Table("phone", "taken for", "frames", "of all of that phone")
    for place in wrong.flatten().argsort(descending=True)[:_CONFUSIONS].tolist():
        row, column = divmod(place, len(opened.phones))
        if count := int(wrong[row, column]):
            part_of = count / int(told.confusion[row].sum())
            table.add_row(opened.phones[row], opened.phones[column], f"{count:,}", f"{part_of:.1%}")
    show_table(table)


@app.command()
def recognise(
    sounds: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Sound files; or - for 16-bit mono samples at 16 kHz on standard input."),
    ],
    network: SpeechNetwork = "speech",
    words: Annotated[Literal["digits"] | None, typer.Option(help="Also say which words these phones make.")] = None,
    form: Annotated[
        Literal["text", "jsonl", "textgrid"], typer.Option("--form", help="A line a phone; JSON objects; or a .TextGrid each.")
    ] = "text",
    out: Annotated[Path, typer.Option(help="The folder for .TextGrid files.")] = Path(),
) -> None:
    """Say the phones of recordings, with their times in seconds, as soon as they are certain.

    Example: convsight speech recognise hello.wav

    Example: arecord -f S16_LE -r 16000 | convsight speech recognise -
    """
    from convsight.speech import audio, data
    from convsight.speech.recognise import load_recogniser
    from convsight.speech.recognise import recognise as recognised
    from convsight.speech.words import LEXICONS

    opened = load_recogniser(network)
    for each in sounds:
        pieces = _standard_input() if each == "-" else audio.blocks(Path(each))
        if words:
            for word in _words(opened, pieces, LEXICONS[words]):
                _say_line(asdict(word), each, form, len(sounds) > 1)
            continue
        found = recognised(opened, pieces)
        if form == "textgrid":
            path = out / f"{'input' if each == '-' else Path(each).stem}.TextGrid"
            data.write_textgrid(list(found), path)
            say(f"phones of {each}: {path}")
            continue
        for segment in found:
            _say_line(asdict(segment), each, form, len(sounds) > 1)


def _words(opened: Recogniser, pieces: Iterable[Tensor], lexicon: Lexicon) -> list[Word]:
    import torch

    from convsight.speech.encode import features
    from convsight.speech.words import words

    whole = torch.cat(list(pieces))
    return words(opened.answers(features(whole)), opened.phones, lexicon)


def _say_line(row: dict[str, float | str], name: str, form: str, several: bool) -> None:
    start, end, what = row.values()
    if form == "jsonl":
        sys.stdout.write(json.dumps({"file": name, **row}) + "\n")
    else:
        sys.stdout.write("\t".join([*([name] if several else []), f"{start:.2f}", f"{end:.2f}", str(what)]) + "\n")
    sys.stdout.flush()


def _standard_input() -> Iterator[Tensor]:
    """16-bit samples as they come; a header of a .wav in front is left out."""
    import torch

    left, begun, read = b"", False, cast("BufferedReader", sys.stdin.buffer).read1
    while block := read(1 << 16):
        block = left + block
        if not begun and block.startswith(b"RIFF") and len(block) > 44:
            block = block[44:]
        begun = True
        whole = len(block) // 2 * 2
        left = block[whole:]
        if whole:
            yield torch.frombuffer(bytearray(block[:whole]), dtype=torch.int16).float() / 2**15


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


def _figure(told: Score, held_out: Corpus) -> str:
    return f"{told.phone_error:.1%} phone errors, {told.frame_error:.1%} of frames wrong, of {len(held_out):,} recordings"
