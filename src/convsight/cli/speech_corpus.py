"""`convsight speech synthesise` and `convsight speech align`: recordings with the times of their phones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from convsight.cli.options import Seed
from convsight.cli.progress import progress
from convsight.cli.terminal import say
from convsight.errors import InputError
from convsight.files import check_writable


def synthesise(
    out: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the corpus goes: a folder a voice.")],
    count: Annotated[int, typer.Option(min=1, help="How many sentences, or words.")] = 100,
    language: Annotated[Literal["english", "mandarin"], typer.Option(help="What is spoken.")] = "english",
    voices: Annotated[Literal["all", "men", "women"], typer.Option(help="Whose voices speak, in turn.")] = "all",
    text: Annotated[
        Path | None, typer.Option(help="Sentences of your own, a line each. Default: a grammar makes them.")
    ] = None,
    alone: Annotated[bool, typer.Option("--words", help="Words alone, half of them digits, instead.")] = False,
    clean: Annotated[bool, typer.Option("--clean", help="Without noise, as loud as it comes.")] = False,
    telephone: Annotated[bool, typer.Option("--telephone", help="Nothing above 4 kHz, in every other one.")] = False,
    seed: Seed = 0,
) -> None:
    """Make a corpus of sentences with exact phone times, spoken by espeak-ng: .flac and .TextGrid.

    Example: convsight speech synthesise men/ --voices men --count 1000

    Example: convsight speech synthesise words/ --words --telephone --count 8000

    Example: convsight speech synthesise beijing/ --language mandarin
    """
    from convsight.speech import audio, data, espeak, sentences, synthesis

    if text and alone:
        raise InputError("--text says what is spoken; leave --words away")
    check_writable(out / "0000.flac")
    men, women = espeak.voices("male"), espeak.voices("female")
    whose = {"all": men + women, "men": men, "women": women}[voices]
    made = sentences.words if alone else sentences.sentences
    texts = _lines(text, count) if text else made(count, seed=seed, language=language)
    with progress("speaking", len(texts), left=lambda: f"what was spoken is in {out}") as done:
        for number, (sentence, voice) in enumerate(synthesis.spread_over(texts, whose)):
            samples, segments = synthesis.utterance(
                sentence,
                voice,
                seed=seed * 1_000_003 + number,
                language=language,
                clean=clean,
                telephone=telephone and sum(divmod(number, len(whose))) % 2 == 1,
            )
            path = out / voice / f"{number:04}.flac"
            audio.write(samples, path)
            data.write_textgrid(segments, path.with_suffix(".TextGrid"))
            done(number + 1, voice)
    say(f"{len(texts):,} {'words' if alone else 'sentences'} by {min(len(texts), len(whose))} voices: {out}")


def align(
    sounds: Annotated[Path, typer.Argument(metavar="WAVS", help="A folder of recordings.")],
    transcripts: Annotated[
        Path, typer.Argument(help="A table (.csv, .tsv) with the columns file and text, or a folder with a .txt for each.")
    ],
    network: Annotated[
        str | None,
        typer.Option(help="Say when by a network, speech or a file, which telephone speech or your own suits better."),
    ] = None,
) -> None:
    """Find when each phone is spoken in recordings with an English transcript; a .TextGrid is put beside each recording.

    Example: convsight speech align recordings/ transcripts.csv

    Example: convsight speech align telephone/ transcripts.csv --network speech
    """
    from convsight.speech import audio, data
    from convsight.speech.align import align as aligned
    from convsight.speech.recognise import load_recogniser
    from convsight.speech.retime import retimed

    hears = load_recogniser(network) if network else None
    texts = _transcripts(transcripts)
    paths = {name: _recording(sounds, name) for name in texts}
    failed: list[InputError] = []
    with progress("aligning", len(texts), left=lambda: f"what was aligned is in {sounds}") as done:
        for number, (name, text) in enumerate(texts.items(), start=1):
            try:
                samples = audio.read(paths[name])
                found = aligned(samples, text, str(paths[name]))
                if hears:
                    found = retimed(hears, samples, found)
                data.write_textgrid(found, paths[name].with_suffix(".TextGrid"))
            except InputError as error:
                failed.append(error)
            done(number, name)
    say(f"{len(texts) - len(failed):,} of {len(texts):,} recordings have their phones beside them, in {sounds}")
    if failed:
        raise InputError(f"{failed[0]}{f' ({len(failed) - 1:,} more could not be aligned)' if failed[1:] else ''}")


def _lines(path: Path, count: int) -> list[str]:
    try:
        found = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}") from None
    if not found:
        raise InputError(f"{path} has no sentences")
    return [found[place % len(found)] for place in range(count)]


def _transcripts(source: Path) -> dict[str, str]:
    from convsight.speech.data import table

    if source.is_dir():
        found = {each.stem: each.read_text(encoding="utf-8", errors="replace") for each in sorted(source.glob("*.txt"))}
    elif source.is_file():
        rows = table(source)
        if rows and not {"file", "text"} <= rows[0].keys():
            raise InputError(f"{source} needs the columns file and text; it has {', '.join(map(str, rows[0]))}")
        found = {row["file"]: row["text"] or "" for row in rows}
    else:
        raise InputError(f"there is no file or folder {source}")
    if not found:
        raise InputError(f"{source} holds no transcripts")
    return found


def _recording(folder: Path, name: str) -> Path:
    from convsight.speech.data import SOUNDS

    candidates = [folder / name, *(folder / f"{name}{ending}" for ending in SOUNDS)]
    for each in candidates:
        if each.is_file() and each.suffix.lower() in SOUNDS:
            return each
    raise InputError(f"there is a transcript of {name}, but no recording of it in {folder}")
