from __future__ import annotations

import pytest

from convsight.cli.progress import progress


def test_remarks_are_shown_as_they_are(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Names of axes and layers stand in them, with what rich takes for markup."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress("measuring", 2) as done:
        done(1, "[/]time")
    assert "[/]time" in capsys.readouterr().err
