"""espeak-ng as a library: sentences spoken by its voices, with the time of every phoneme."""

from __future__ import annotations

import _ctypes
import ctypes
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from convsight.errors import InputError, extra

_RETRIEVE, _WITH_PHONEMES = 1, 1  # how it is initialised: sound to a callback, and an event a phoneme
_UTF8 = 1
_PHONEME = 7  # the kind of event
_RATE, _PITCH, _RANGE = 1, 3, 4  # numbers of parameters


class _Name(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("kind", ctypes.c_int), ("unique", ctypes.c_uint), ("text_position", ctypes.c_int), ("length", ctypes.c_int),
        ("milliseconds", ctypes.c_int), ("sample", ctypes.c_int), ("user", ctypes.c_void_p), ("name", _Name),
    )  # fmt: skip


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True)
class Spoken:
    """`samples`: (N,) float in [-1, 1] at `rate` a second; `phonemes`: each as espeak-ng writes it, and where it begins."""

    samples: Tensor
    rate: int
    phonemes: tuple[tuple[int, str], ...]


@cache
def voices(gender: str) -> tuple[str, ...]:
    """The names of the variants that say they are "male" or "female", without those that whisper, croak or are machines."""
    folder = _variants()
    odd = re.compile("robot|whisper|croak|demonic|anxious", re.IGNORECASE)
    said = re.compile(rf"^gender\s+{gender}\b", re.MULTILINE)
    found = (each.name for each in folder.iterdir() if not odd.search(each.name))
    return tuple(sorted(each for each in found if said.search((folder / each).read_text(errors="replace"))))


def speak(text: str, voice: str = "", *, language: str = "en-us", rate: int = 175, pitch: int = 50, spread: int = 50) -> Spoken:
    """`text` spoken by a variant of the language's voice, at `rate` words a minute, `pitch` and its `spread` from 0 to 99.

    Raises InputError if there is no such voice, or nothing comes of the text.
    """
    if not text.strip():
        raise InputError("espeak-ng says nothing for an empty text")
    name = f"{language}+{voice}" if voice else language
    parts: list[Any] = []
    phonemes: list[tuple[int, str]] = []

    def receive(samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            parts.append(np.ctypeslib.as_array(samples, (count,)).copy())
        for event in _until_the_last(events):
            if event.kind == _PHONEME:
                phonemes.append((event.sample, _string(event)))
        return 0

    with _library() as (library, sample_rate):
        if (voice and not (_variants() / voice).is_file()) or library.espeak_SetVoiceByName(name.encode()):
            raise InputError(f'espeak-ng has no voice "{name}"')
        for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, spread)):
            library.espeak_SetParameter(parameter, value, 0)
        callback = _Callback(receive)
        library.espeak_SetSynthCallback(callback)
        given = text.encode() + b"\0"
        library.espeak_Synth(given, len(given), 0, 0, 0, _UTF8, None, None)
        library.espeak_Synchronize()
    if not parts or all(label.startswith("_") for _, label in phonemes):
        raise InputError(f'espeak-ng says nothing for "{text}"')
    samples = torch.from_numpy(np.concatenate(parts).astype(np.float32) / 2**15)
    return Spoken(samples, sample_rate, tuple(phonemes))


def _variants() -> Path:
    return Path(extra("espeakng_loader", "speech").get_data_path()) / "voices" / "!v"


def _until_the_last(events: Any) -> Iterator[_Event]:
    place = 0
    while events[place].kind:
        yield events[place]
        place += 1


def _string(event: _Event) -> str:
    return ctypes.string_at(ctypes.addressof(event.name), 8).partition(b"\0")[0].decode()


@contextmanager
def _library() -> Iterator[tuple[Any, int]]:
    """The library, loaded anew, so that nothing is left in it of what was said before; and its rate."""
    loader = extra("espeakng_loader", "speech")
    library = ctypes.CDLL(loader.get_library_path())
    try:
        rate = library.espeak_Initialize(_RETRIEVE, 0, loader.get_data_path().encode(), _WITH_PHONEMES)
        library.espeak_ng_SetRandSeed(0)  # of its noise; else the clock is
        if rate <= 0:
            raise InputError("espeak-ng can't read its data; install espeakng-loader anew")
        yield library, rate
    finally:
        library.espeak_Terminate()
        unload = getattr(_ctypes, "dlclose" if hasattr(_ctypes, "dlclose") else "FreeLibrary")
        unload(library._handle)
