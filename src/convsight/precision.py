"""Where bfloat16 pays, and the network's weights in the form that runs fastest.

The optimised input and the scores are float32 always; only what happens inside the network may be bfloat16.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

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


def constants(module: nn.Module) -> dict[str, Tensor]:
    """The parameters of `module` by name, without gradient, sharing its memory, and copies of its buffers."""
    buffers = {name: each.detach().clone() for name, each in module.named_buffers()}
    return {name: each.detach() for name, each in module.named_parameters()} | buffers


def prepared(name: str, module: nn.Module, dtype: torch.dtype, *, own_format: bool = False) -> dict[str, Tensor]:
    """The own parameters of the submodule called `name`, as convolutions and products read them fastest, copied if need be.

    Filters become channels-last, unless `own_format`; with `dtype` bfloat16, float32 weights of convolutions and fully
    connected layers are converted once here, instead of at every step.
    """
    weights = {}
    for own, parameter in module.named_parameters(recurse=False):
        weight = parameter.detach()
        product = own == "weight" and isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d)
        if product and dtype == torch.bfloat16 and weight.dtype == torch.float32:
            weight = weight.to(torch.bfloat16)
        weights[f"{name}.{own}" if name else own] = weight if own_format else channels_last(weight)
    return weights


def channels_last(tensor: Tensor) -> Tensor:
    """`tensor` (B, C, H, W) with its channels adjacent in memory; other shapes come back as they are."""
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor
