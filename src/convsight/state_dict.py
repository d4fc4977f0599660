"""Weights from a file into a module, without running anything that the file brings."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from convsight.errors import InputError, by, first_line


def read_state_dict(path: str | Path) -> dict[str, Tensor]:
    """The tensors by name in a safetensors file, or in one that `torch.save` wrote; of a checkpoint, its `state_dict`.

    Raises InputError if there is no such file, it is damaged, would run code, or holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of unusual pickles, which are then read or refused
            loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise InputError(
            f"{path} would run code when opened, so it is refused; save only its weights, torch.save(module.state_dict(), FILE)"
        ) from None
    except Exception as error:  # what a damaged file makes the reader raise is not bounded
        problem = f"{type(error).__name__} {first_line(error)}"
        raise InputError(f"{path} holds no weights that can be read: {problem}") from None
    if isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, dict) or not all(isinstance(each, Tensor) for each in loaded.values()):
        raise InputError(f"{path} holds no state dict (tensors by name); save one with torch.save(module.state_dict(), FILE)")
    return loaded


def fill(module: nn.Module, tensors: Mapping[str, Tensor], path: str | Path, *, assign: bool = False) -> None:
    """Put `tensors`, which came from `path`, into `module`; with `assign` in place of its own, which may be `meta`.

    Raises InputError, which names the tensors, if they don't fit.
    """
    expected = module.state_dict()
    problems = [f"{name} is missing" for name in expected if name not in tensors]
    problems += [f"{name} is not in the network" for name in tensors if name not in expected]
    problems += [
        f"{name} is {by(tensors[name].shape) or 'a number'} instead of {by(expected[name].shape) or 'a number'}"
        for name in expected
        if name in tensors and tensors[name].shape != expected[name].shape
    ]
    problems += [
        f"{name} is {'sparse' if each.is_sparse else str(each.dtype).removeprefix('torch.')}"
        for name, each in tensors.items()
        if each.is_sparse or each.is_complex() or each.is_quantized or each.is_meta
    ]
    if problems:
        more = f", and {len(problems) - 4} more" if len(problems) > 4 else ""
        raise InputError(f"the weights of {path} don't fit the network: {', '.join(problems[:4])}{more}")
    module.load_state_dict(dict(tensors), assign=assign)
