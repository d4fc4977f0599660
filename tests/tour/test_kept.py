from __future__ import annotations

import os
from pathlib import Path

import pytest

from convsight.tour import kept as module
from convsight.tour.kept import circumstances, keep, kept
from convsight.tour.page import Answer, Original, Picture, Section, Sound

MADE = Section(
    "Title", "What is asked", Picture(b"\x89PNG\xff", "A picture", "convsight see", "visualize()", smooth=True), "你好: found",
    table=(("a", "b"), ("1", "2")), originals=(Original(b"\x89PNG", "A flower"),), sounds=(Sound(b"RIFF\x00", "ni hao"),),
    answer=Answer("in part", "1.5%"),
)  # fmt: skip
WITH = {"seed": "0"}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_a_section_comes_back_as_it_was_for_the_same_circumstances_only() -> None:
    assert kept("digits.bare", WITH) is None
    keep("digits.bare", MADE, WITH)
    assert kept("digits.bare", WITH) == MADE
    assert kept("digits.bare", {"seed": "1"}) is None
    assert kept("digits.neurons", WITH) is None


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"made_with": {"seed": "0"}, "section": {}}', b"\xff"])
def test_a_damaged_file_is_none(tmp_path: Path, content: bytes) -> None:
    keep("digits.bare", MADE, WITH)
    (path,) = tmp_path.rglob("digits.bare.json")
    path.write_bytes(content)
    assert kept("digits.bare", WITH) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    keep("digits.bare", MADE, WITH)
    assert kept("digits.bare", WITH) is None


def test_seed_device_and_topic_each_make_other_circumstances() -> None:
    given = [("digits.bare", 0, "cpu"), ("digits.bare", 1, "cpu"), ("digits.bare", 0, "cuda"), ("go.filters", 0, "cpu")]
    assert len({tuple(circumstances(*each).items()) for each in given}) == 4
    assert circumstances("digits.bare", 0, "cpu") == circumstances("digits.neurons", 0, "cpu")


def test_what_a_section_is_made_with_changes_it_and_what_only_shows_it_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PACKAGE", tmp_path)
    makes = ("precision.py", "go/example.sgf", "weights/go.safetensors", "tour/digits.py", "tour/measures.py")
    shows = ("cli/tour.py", "tour/page.py", "tour/go.py", "weights/go.md", "go/__pycache__/rules.nbi")
    for each in makes + shows:
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / each).write_text("as it was")

    def asked() -> dict[str, str]:
        module._package.cache_clear()
        return circumstances("digits.bare", 0, "cpu")

    try:
        before = asked()
        for each in shows:
            (tmp_path / each).write_text("changed")
        assert asked() == before
        for each in makes:
            (tmp_path / each).write_text("changed")
            assert asked() != before, each
            (tmp_path / each).write_text("as it was")
        assert asked() == before
    finally:
        module._package.cache_clear()
