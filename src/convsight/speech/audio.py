"""Sound files: any that libsndfile reads, one channel, 16,000 samples a second; and written whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from convsight.errors import InputError, extra
from convsight.files import check_ending, written_whole

RATE = 16_000
_BLOCK = 10 * RATE


def read(path: Path) -> Tensor:
    """The sound in `path`: (N,) float in [-1, 1], the mean of its channels, resampled to 16 kHz.

    Raises InputError as `blocks` does.
    """
    return torch.cat(list(blocks(path)))


def blocks(path: Path) -> Iterator[Tensor]:
    """The same, ten seconds at a time, so that long files do not fill the memory.

    Raises InputError if there is no such file, it is no sound, it is cut off or compressed with shorten, it is empty, or a
    sample is not finite.
    """
    soundfile, soxr = extra("soundfile", "speech"), extra("soxr", "speech")
    with _opened(soundfile, path) as file:
        resample = None if file.samplerate == RATE else soxr.ResampleStream(file.samplerate, RATE, 1, dtype="float32")
        read = 0
        try:
            for block in file.blocks(_BLOCK, dtype="float32", always_2d=True):
                read += len(block)
                mono = block.mean(1)
                if not np.isfinite(mono).all():
                    raise InputError(f"{path}: a sample is infinite or undefined")
                last = read >= file.frames
                yield torch.from_numpy(mono if resample is None else resample.resample_chunk(mono, last=last))
        except soundfile.LibsndfileError as error:
            raise InputError(f"{path} can't be read to its end: {error.error_string}") from None
        if read < file.frames:
            raise InputError(f"{path} is cut off: it has {read:,} of {file.frames:,} samples")
        if read == 0:
            raise InputError(f"{path} holds no sound")


def write(samples: Tensor, path: Path) -> None:
    """`samples` (N,) in [-1, 1] at 16 kHz as 16-bit .wav or .flac; what is louder is cut. Raises InputError if it can't be."""
    soundfile = extra("soundfile", "speech")
    check_ending(path, ".wav", ".flac")
    with written_whole(path) as temporary:
        soundfile.write(temporary, samples.clamp(-1, 1).numpy(), RATE, subtype="PCM_16")


def _opened(soundfile: Any, path: Path) -> Any:
    try:
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    if head.startswith(b"NIST_1A") and b"shorten" in head:
        raise InputError(f"{path} is compressed with shorten; unpack it first, with sph2pipe -f wav")
    try:
        return soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        raise InputError(f"{path} is no sound file that can be read: {error.error_string}") from None
