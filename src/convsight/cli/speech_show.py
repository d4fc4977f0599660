"""`convsight speech show`: what a phone sounds like to a network, and what a filter looks for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convsight.cli.options import Seed
from convsight.cli.speech_options import SpeechNetwork
from convsight.cli.terminal import say
from convsight.errors import InputError
from convsight.files import check_ending, check_writable
from convsight.pictures import write_png


def show(
    phones: Annotated[str, typer.Option("--phone", help="Phones, commas between.")] = "s,sh,iy,uw,aa,m",
    filters: Annotated[str | None, typer.Option("--filter", help="Filters of the first convolution instead, from 0.")] = None,
    network: SpeechNetwork = "speech",
    corpus: Annotated[
        Path | None, typer.Option(help="Also write the pieces of it that excite the first --filter most.")
    ] = None,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="Where the picture goes: a PNG; sounds go beside it.")] = Path("show.png"),
) -> None:
    """Find the spectrogram in which a network is surest of each phone, by gradient ascent, and make it a sound.

    Example: convsight speech show --phone s,aa

    Example: convsight speech show --filter 3 --corpus recordings/
    """
    from convsight.speech import audio, data, draw, views
    from convsight.speech import show as showing
    from convsight.speech.recognise import load_recogniser

    check_ending(out, ".png")
    check_writable(out)
    opened = load_recogniser(network)
    if filters is None:
        names = [each.strip() for each in phones.split(",")]
        seen = views.phones(opened, names, seed=seed)
        write_png(seen.picture, out)
        for name, energies in zip(names, seen.energies, strict=True):
            audio.write(showing.sound(energies), out.with_name(f"{out.stem}-{name}.wav"))
        say(f"what {', '.join(names)} look like to {opened.network.name}: {out}; as sounds: {out.with_name(out.stem)}-*.wav")
        return
    parts = [each.strip() for each in filters.split(",")]
    if not all(map(str.isdecimal, parts)):
        raise InputError(f'--filter is numbers, commas between, not "{filters}"')
    numbers, known = [int(each) for each in parts], data.load(corpus) if corpus else []
    found = showing.filter_pattern(opened, numbers, seed=seed)
    write_png(draw.patterns(found.input[:, 0].transpose(1, 2), [f"filter {each}" for each in numbers]), out)
    say(f"what {len(numbers)} of the filters answer to most: {out}")
    if known:
        encoded = data.corpus(data.encode(known))
        for rank, (place, frame, answer) in enumerate(showing.exciting(opened, encoded, numbers[0]), start=1):
            piece = showing.piece(audio.read(known[place].path), frame)
            path = out.with_name(f"{out.stem}-{rank}.wav")
            audio.write(piece, path)
            spoken = opened.phones[int(encoded.labels[place][frame])]
            say(f"{answer:.2f}  {spoken}  {known[place].path}, at {frame / 100:.2f} s: {path}")
