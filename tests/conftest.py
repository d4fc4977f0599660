from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from convsight import cli


@dataclass(frozen=True)
class Done:
    """What a command left: its exit status, and what it wrote to the terminal."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)


@pytest.fixture
def convsight(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line as a user does, within this process."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "path", ["", *sys.path])

    def run(*arguments: object) -> Done:
        for name in ("mymodels", "theirs"):
            sys.modules.pop(name, None)
        monkeypatch.setattr(sys, "argv", ["convsight", *map(str, arguments)])
        capsys.readouterr()
        try:
            cli.main()
            status = 0
        except SystemExit as ended:
            status = int(ended.code or 0)
        return Done(status, *capsys.readouterr())

    return run
