"""The one error that convsight raises for what its user can put right."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from types import ModuleType


class InputError(ValueError):
    """What the user gave cannot be used; the message is one sentence: what was wrong, where, and what to do."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The names nearest to `name`, as the middle of a sentence; empty if nothing is near.

    >>> did_you_mean("conv3", ["conv1", "conv2", "fc1"])
    '; did you mean "conv2" or "conv1"?'
    """
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    quoted = " or ".join(f'"{each}"' for each in near)
    return f"; did you mean {quoted}?" if near else ""


def first_line(error: BaseException) -> str:
    """What `error` says, in one line, for use within a sentence."""
    return next(iter(str(error).strip().splitlines()), "no message")


def by(lengths: Iterable[object]) -> str:
    """A shape as people write it.

    >>> by((3, 224, 224))
    '3x224x224'
    """
    return "x".join(map(str, lengths))


def extra(module: str, name: str) -> ModuleType:
    """Import `module`, which the optional part `name` of convsight installs. Raises InputError if it is missing."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise InputError(
            f"this needs {module.split('.')[0]}, which is not installed: pip install 'convsight[{name}]'"
        ) from None
