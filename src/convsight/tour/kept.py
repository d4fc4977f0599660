"""Sections that were made once are kept in the user's cache folder, so that an interrupted tour goes on where it was."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import torch
from platformdirs import user_cache_path

from convsight.errors import InputError
from convsight.files import written_whole
from convsight.tour.page import Answer, Original, Picture, Section, Sound

PACKAGE = Path(__file__).parents[1]
_OUTSIDE = ("cli", "tour")  # they make no networks and no pictures
_KINDS = ("*.py", "*.safetensors", "*.sgf")


def circumstances(name: str, seed: int, device: str) -> dict[str, str]:
    """All that the section `topic.function` depends on, as text: code, weights, the example game, seed, device, torch, and its
    threads.

    What is fetched is checked against `published.py`, so the code's digest stands for it.
    """
    topic = [PACKAGE / "tour" / f"{each}.py" for each in (name.partition(".")[0], "measures")]
    return {
        "code": _package(), "topic": _digest(topic), "seed": str(seed), "device": device,
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
    picture: dict[str, Any], table: list[list[str]], originals: list[dict[str, Any]], sounds: list[dict[str, Any]],
    answer: dict[str, Any] | None, **texts: str,
) -> Section:  # fmt: skip
    return Section(
        **texts,
        picture=Picture(**picture | {"png": b64decode(picture["png"])}),
        table=tuple(map(tuple, table)),
        originals=tuple(Original(b64decode(each["png"]), each["name"]) for each in originals),
        sounds=tuple(Sound(b64decode(each["wav"]), each["name"]) for each in sounds),
        answer=Answer(**answer) if answer else None,
    )


def _path(name: str) -> Path:
    return user_cache_path("convsight") / "tour" / f"{name}.json"


def _as_text(content: bytes) -> str:
    return b64encode(content).decode()


@cache
def _package() -> str:
    """The digest of the package's code, the weights that ship and the example game, without what only shows them."""
    paths = sorted(path for kind in _KINDS for path in PACKAGE.rglob(kind))
    return _digest([each for each in paths if each.relative_to(PACKAGE).parts[0] not in _OUTSIDE])


def _digest(paths: Iterable[Path]) -> str:
    """SHA-256 of what is in the files, and of where in the package they lie."""
    total = hashlib.sha256()
    for path in paths:
        total.update(path.relative_to(PACKAGE).as_posix().encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
