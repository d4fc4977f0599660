"""The words of commands of the Go Text Protocol, read."""

from __future__ import annotations

import re

from convsight.go.rules import BLACK, WHITE

COLOURS = {"b": BLACK, "black": BLACK, "w": WHITE, "white": WHITE}


class RefusedError(Exception):
    """What a command is answered with behind a question mark."""


def colour_of(word: str) -> int:
    """BLACK or WHITE, as GTP writes them. Raises RefusedError for other words."""
    if word.lower() not in COLOURS:
        raise RefusedError("invalid color or coordinate")
    return COLOURS[word.lower()]


def whole(word: str) -> int:
    """A whole number. Raises RefusedError if it is none."""
    if not re.fullmatch(r"-?[0-9]{1,9}", word):
        raise RefusedError(f"{ascii(word)[1:-1]} is no whole number")
    return int(word)
