"""`convsight speech`: make speech, find its phones, train a recogniser, judge it and use it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from convsight.cli import speech_corpus, speech_shift, speech_show, speech_training
from convsight.cli.speech_options import SpeechNetwork, Words
from convsight.cli.terminal import say
from convsight.errors import InputError

if TYPE_CHECKING:
    from io import BufferedReader

    from torch import Tensor

    from convsight.speech.recognise import Recogniser
    from convsight.speech.words import Lexicon, Word

app = typer.Typer(help="Recognise phones by a network whose filters move along frequency only.", no_args_is_help=True)
app.command()(speech_corpus.synthesise)
app.command()(speech_corpus.align)
app.command()(speech_training.train)
app.command()(speech_training.evaluate)
app.command()(speech_training.crossvalidate)
app.command()(speech_show.show)
app.command()(speech_shift.shift)
app.command()(speech_shift.experiment)


@app.command()
def recognise(
    sounds: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Sound files; or - for 16-bit mono samples at 16 kHz on standard input."),
    ],
    network: SpeechNetwork = "speech",
    words: Words = None,
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
    from convsight.speech.recognise import check_timed, load_recogniser
    from convsight.speech.recognise import recognise as recognised
    from convsight.speech.segments import Segment
    from convsight.speech.words import LEXICONS, Word

    if form == "textgrid":
        _check_names(sounds, out)
    opened = load_recogniser(network)
    if words:
        check_timed(opened)
    for each in sounds:
        pieces = _standard_input() if each == "-" else audio.blocks(Path(each))
        found = _words(opened, pieces, LEXICONS[words]) if words else recognised(opened, pieces)
        if form != "textgrid":
            for segment in found:
                _say_line(asdict(segment), each, form, len(sounds) > 1)
            continue
        tier = "words" if words else "phones"
        rows = [Segment(row.start, row.end, row.word) if isinstance(row, Word) else row for row in found]
        if not rows:
            raise InputError(f"there are no {tier} in {'what came on standard input' if each == '-' else each}")
        path = _textgrid(each, out)
        data.write_textgrid(rows, path, tier=tier)
        say(f"{tier} of {each}: {path}")


def _textgrid(sound: str, out: Path) -> Path:
    return out / f"{'input' if sound == '-' else Path(sound).stem}.TextGrid"


def _check_names(sounds: list[str], out: Path) -> None:
    before: dict[Path, str] = {}
    for each in sounds:
        path = _textgrid(each, out)
        if path in before:
            raise InputError(f"{before[path]} and {each} would both become {path}; recognise them apart, each with its --out")
        before[path] = each


def _words(opened: Recogniser, pieces: Iterable[Tensor], lexicon: Lexicon) -> list[Word]:
    from convsight.speech.recognise import answered
    from convsight.speech.words import words

    return words(answered(opened, pieces), opened.phones, lexicon)


def _say_line(row: dict[str, float | str], name: str, form: str, several: bool) -> None:
    start, end, what = row.values()
    if form == "jsonl":
        sys.stdout.write(json.dumps({"file": name, **row}) + "\n")
    else:
        sys.stdout.write("\t".join([*([name] if several else []), f"{start:.2f}", f"{end:.2f}", str(what)]) + "\n")
    sys.stdout.flush()


def _standard_input() -> Iterator[Tensor]:
    """16-bit samples as they come; a header of a .wav in front is left out. Raises InputError if it says they are others."""
    import torch

    from convsight.speech.audio import without_header

    stream = cast("BufferedReader", sys.stdin.buffer)
    left = without_header(stream)
    while block := stream.read1(1 << 16):
        block = left + block
        whole = len(block) // 2 * 2
        left = block[whole:]
        if whole:
            yield torch.frombuffer(bytearray(block[:whole]), dtype=torch.int16).float() / 2**15
