"""Sections that were made once are kept in the user's cache folder, so that an interrupted tour goes on where it was."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import torch
from platformdirs import user_cache_path

from convsight.errors import InputError
from convsight.files import written_whole
from convsight.tour.page import Answer, Picture, Section, Sound

PACKAGE = Path(__file__).parents[1]
_OUTSIDE = ("cli", "tour", "studio")  # they make no networks and no pictures


def circumstances(name: str, seed: int, device: str) -> dict[str, str]:
    """All that the section `topic.function` depends on, as text: code, weights, seed, device, torch, and its threads.

    What is fetched is checked against `published.py`, so the code's digest stands for it.
    """
    topic = PACKAGE / "tour" / f"{name.partition('.')[0]}.py"
    return {
        "code": _digest(), "topic": hashlib.sha256(topic.read_bytes()).hexdigest(), "seed": str(seed), "device": device,
        "torch": torch.__version__, "threads": str(torch.get_num_threads()),
    }  # fmt: skip


def keep(name: str, made: Section, made_with: Mapping[str, str]) -> None:
    """Write `made` where `kept` finds it, in place of one made otherwise; where nothing can be written, nothing is kept."""
    with suppress(InputError), written_whole(_path(name)) as temporary:
        temporary.write_text(json.dumps({"made_with": made_with, "section": asdict(made)}, default=_as_text), encoding="utf-8")


def kept(name: str, made_with: Mapping[str, str]) -> Section | None:
    """The section `name` if it was made with just this; None if it wasn't, or the file is no longer what was written."""
    try:
        content = json.loads(_path(name).read_text(encoding="utf-8"))
        return _section(**content["section"]) if content["made_with"] == made_with else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _section(
    picture: dict[str, Any], table: list[list[str]], sounds: list[dict[str, Any]], answer: dict[str, Any] | None, **texts: str
) -> Section:
    return Section(
        **texts,
        picture=Picture(**picture | {"png": b64decode(picture["png"])}),
        table=tuple(map(tuple, table)),
        sounds=tuple(Sound(b64decode(each["wav"]), each["name"]) for each in sounds),
        answer=Answer(**answer) if answer else None,
    )


def _path(name: str) -> Path:
    return user_cache_path("convsight") / "tour" / f"{name}.json"


def _as_text(content: bytes) -> str:
    return b64encode(content).decode()


@cache
def _digest() -> str:
    """SHA-256 of the package's code and the weights that ship, without what only shows them."""
    total = hashlib.sha256()
    for path in sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.safetensors")]):
        place = path.relative_to(PACKAGE)
        if place.parts[0] not in _OUTSIDE:
            total.update(place.as_posix().encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
