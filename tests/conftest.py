from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)


@pytest.fixture
def convsight() -> Run:
    """Run the command line as a user does, in a process of its own."""

    def run(*arguments: object, **more: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "convsight", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **more)

    return run
