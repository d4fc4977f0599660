"""Sound files: any that libsndfile reads, one channel, 16,000 samples a second; and written whole."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from convsight.errors import InputError, extra
from convsight.files import check_ending, written_whole

RATE = 16_000
_PCM, _EXTENSIBLE = 1, 0xFFFE  # how a .wav's header says that samples are whole numbers
_COMPRESSED = (b"fLaC", b"OggS", b"ID3\x03", b"ID3\x04")
_WANTED = "give 16-bit mono samples, 16,000 a second, as arecord -f S16_LE -r 16000 does, or name the file"
_BLOCK = 10 * RATE
_LOUDEST = 100.0  # that a sample may be; more are whole numbers in a file for parts of one


def read(path: Path) -> Tensor:
    """The sound in `path`: (N,) float in [-1, 1], the mean of its channels, resampled to 16 kHz.

    Raises InputError as `blocks` does.
    """
    return torch.cat(list(blocks(path)))


def blocks(path: Path) -> Iterator[Tensor]:
    """The same, ten seconds at a time, so that long files do not fill the memory.

    Raises InputError if there is no such file, it is no sound, it is cut off or compressed with shorten, it is empty, or a
    sample is not finite or far too large.
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
                if (loudest := np.abs(mono).max(initial=0)) > _LOUDEST:
                    raise InputError(f"{path}: a sample is {loudest:,.0f}, and sound lies between -1 and 1; scale it first")
                last = read >= file.frames
                yield torch.from_numpy(mono if resample is None else resample.resample_chunk(mono, last=last))
        except soundfile.LibsndfileError as error:
            raise InputError(f"{path} can't be read to its end: {error.error_string}") from None
        if read < file.frames:
            raise InputError(f"{path} is cut off: it has {read:,} of {file.frames:,} samples")
        if read == 0:
            raise InputError(f"{path} holds no sound")


def without_header(stream: BinaryIO) -> bytes:
    """Read what stands before the 16-bit samples of a `stream`, and give the first of these; a .wav's header, or nothing.

    Raises InputError if it says that the samples are not 16-bit, mono, 16,000 a second, or is that of a compressed file.
    """
    head = stream.read(12)
    if head[:4] in _COMPRESSED:
        raise InputError(f"standard input is a compressed file; {_WANTED}")
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return head
    while len(chunk := stream.read(8)) == 8 and chunk[:4] != b"data":
        size = int.from_bytes(chunk[4:], "little")
        content = stream.read(size + size % 2)
        if chunk[:4] == b"fmt " and len(content) >= 16:
            coded, channels, rate, _, _, bits = struct.unpack("<HHIIHH", content[:16])
            if (coded, channels, rate, bits) not in ((each, 1, RATE, 16) for each in (_PCM, _EXTENSIBLE)):
                raise InputError(f"standard input is a .wav of {channels} x {bits} bits, {rate:,} a second; {_WANTED}")
    return b""


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
