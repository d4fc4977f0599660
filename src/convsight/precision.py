"""Where bfloat16 pays, and the network's weights in the form that runs fastest.

The optimised input and the scores are float32 always; only what happens inside the network may be bfloat16.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import cast

import torch
from torch import Tensor, nn


def best_device() -> str:
    """`cuda` or `mps` if there is one, else `cpu`."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def fastest(device: torch.device | str) -> torch.dtype:
    """bfloat16 if `device` multiplies it natively (AMX or AVX512-BF16, or an NVIDIA GPU from Ampere on), else float32."""
    device = torch.device(device)
    if device.type == "cuda":
        native = torch.cuda.get_device_capability(device) >= (8, 0)
    elif device.type == "cpu":
        native = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    else:
        native = False
    return torch.bfloat16 if native else torch.float32


def autocast(device: torch.device | str, dtype: torch.dtype | None) -> AbstractContextManager[object]:
    """Run matrix products and convolutions in `dtype`; nothing changes if that is float32 or None."""
    kind = torch.device(device).type
    return torch.autocast(kind, torch.bfloat16, enabled=dtype == torch.bfloat16, cache_enabled=False)


def prepare(module: nn.Module, dtype: torch.dtype, *, own_format: bool = False) -> None:
    """Put the parameters of `module` itself into the form that convolutions and products read fastest; it must be frozen.

    Filters become channels-last, unless `own_format`; with `dtype` bfloat16, float32 weights of convolutions and fully
    connected layers are converted once here, instead of at every step.
    """
    own = cast("dict[str, Tensor | None]", module._parameters)
    for name, weight in own.items():
        if weight is None:
            continue
        product = name == "weight" and isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d)
        if product and dtype == torch.bfloat16 and weight.dtype == torch.float32:
            weight = weight.to(torch.bfloat16)
        own[name] = weight if own_format else channels_last(weight)


def channels_last(tensor: Tensor) -> Tensor:
    """`tensor` (B, C, H, W) with its channels adjacent in memory; other shapes come back as they are."""
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor
