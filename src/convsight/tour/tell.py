"""Rows of the lecture told: each section by its topic's module, or as an earlier run made it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from types import ModuleType

from convsight.errors import InputError
from convsight.network import load
from convsight.tour.kept import circumstances, keep, kept
from convsight.tour.lecture import Row
from convsight.tour.page import Chapter, Section


def tell(row: Row, seed: int, device: str, *, again: bool, on_section: Callable[[Section, bool], None]) -> Chapter:
    """The chapter of `row`, computed on `device`. `on_section(section, whether an earlier run made it)` is called for each.

    With `again`, what an earlier run made is made anew. A section for which networks or packages are missing is left
    out, and the chapter says why.
    """
    sections, missing = [], ""
    for name in row.sections:
        made_with = circumstances(name, seed, device)
        section = None if again else kept(name, made_with)
        known = section is not None
        if section is None:
            try:
                section = _made(name, seed, device)
            except InputError as error:
                missing = str(error)
                continue
            keep(name, section, made_with)
        sections.append(section)
        on_section(section, known)
    return Chapter(row, tuple(sections), missing)


def _made(name: str, seed: int, device: str) -> Section:
    topic, _, function = name.partition(".")
    module = _topic(topic)
    if isinstance(module, InputError):
        raise module
    section: Section = getattr(module, function)(seed, device)
    return section


@cache
def _topic(name: str) -> ModuleType | InputError:
    """The topic's module once its networks are there, or why they aren't; asked once, for a missing index takes its time."""
    try:
        module = import_module(f"convsight.tour.{name}")
        for each in module.NETWORKS:
            load(each)
    except InputError as error:
        return error
    return module
