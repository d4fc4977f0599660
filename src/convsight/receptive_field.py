"""How many input pixels a unit of each layer can see, for any network of torch's standard operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

_WINDOWED: Mapping[Any, bool] = {  # function: does its window move by its own size unless told otherwise?
    torch.conv2d: False,
    F.conv2d: False,
    F.max_pool2d: True,
    F.max_pool2d_with_indices: True,
    torch.max_pool2d: True,
    F.avg_pool2d: True,
}
_CONVOLUTION_ARGUMENTS = ("input", "weight", "bias", "stride", "padding", "dilation")
_POOLING_ARGUMENTS = ("input", "kernel_size", "stride", "padding", "dilation")
_WHOLE = {F.linear, torch.matmul, torch.bmm, F.scaled_dot_product_attention, F.layer_norm, torch.mean, Tensor.mean}
_WHOLE |= {torch.flatten, Tensor.flatten, F.adaptive_avg_pool2d, F.adaptive_max_pool2d}


@dataclass(frozen=True)
class _Field:
    """What one unit sees, in input pixels: rows, columns, and the step between neighbouring units."""

    size: tuple[int, int]
    step: tuple[int, int]


class _Follow(TorchFunctionMode):
    """Carries a `_Field` with every tensor that comes from the input, through each operation in turn."""

    def __init__(self, given: Tensor) -> None:
        super().__init__()
        self.height, self.width = given.shape[-2:]
        self.fields: dict[int, _Field | None] = {id(given): _Field((1, 1), (1, 1))}
        self.alive: list[Tensor] = [given]  # so that no id is used twice

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        inputs = [each for each in _tensors((args, kwargs or {})) if id(each) in self.fields]
        for output in _tensors(result) if inputs else ():
            self.fields[id(output)] = self._field(func, inputs, output, args, kwargs or {})
            self.alive.append(output)
        return result

    def _field(self, func: Any, inputs: list[Tensor], output: Tensor, args: Any, kwargs: Any) -> _Field | None:
        seen = [self.fields[id(each)] for each in inputs]
        known = [each for each in seen if each is not None]
        if len(known) < len(seen):
            return None
        before = _Field(
            (max(each.size[0] for each in known), max(each.size[1] for each in known)),
            (max(each.step[0] for each in known), max(each.step[1] for each in known)),
        )
        if func in _WINDOWED:
            return self._slide(before, func, args, kwargs)
        if func in _WHOLE:
            maps = [each.shape[-2:] for each in inputs if each.dim() == 4]
            return self._all_of(before, maps[0]) if maps else before
        same_places = all(each.shape[-2:] == output.shape[-2:] or each.numel() == 1 for each in inputs)
        return before if same_places or before.size == (self.height, self.width) else None

    def _all_of(self, before: _Field, positions: tuple[int, ...]) -> _Field:
        rows = min(self.height, before.size[0] + (positions[0] - 1) * before.step[0])
        columns = min(self.width, before.size[1] + (positions[1] - 1) * before.step[1])
        return _Field((rows, columns), before.step)

    def _slide(self, before: _Field, func: Any, args: Any, kwargs: Any) -> _Field:
        names = _POOLING_ARGUMENTS if _WINDOWED[func] else _CONVOLUTION_ARGUMENTS
        given = dict(zip(names, args, strict=False)) | dict(kwargs)
        kernel = _pair(given["kernel_size"]) if _WINDOWED[func] else _pair(given["weight"].shape[-2:])
        stride = _pair(given.get("stride") or (kernel if _WINDOWED[func] else 1))
        if func is F.avg_pool2d:
            given.pop("dilation", None)  # its fifth argument is another
        dilation = _pair(given.get("dilation", 1))
        size = tuple(
            min(limit, size + (reach - 1) * spread * step)
            for limit, size, reach, spread, step in zip(
                (self.height, self.width), before.size, kernel, dilation, before.step, strict=True
            )
        )
        return _Field((size[0], size[1]), (before.step[0] * stride[0], before.step[1] * stride[1]))


def receptive_fields(module: nn.Module, given: Tensor) -> dict[str, tuple[int, int] | None]:
    """Rows and columns of the input `given` (1, C, H, W) that one unit of each layer can depend on, by layer name.

    Never more than (H, W). None where an operation moves things in a way that isn't known here. A layer that is called
    several times counts at its first call.
    """
    fields: dict[str, tuple[int, int] | None] = {}
    follow = _Follow(given)

    def note(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            field = follow.fields.get(id(output))
            fields.setdefault(name, field.size if field else None)

        return hook

    handles = [each.register_forward_hook(note(name)) for name, each in module.named_modules() if name]
    try:
        with torch.no_grad(), follow:
            module(given)
    finally:
        for handle in handles:
            handle.remove()
    return fields


def _tensors(nested: Any) -> list[Tensor]:
    if isinstance(nested, Tensor):
        return [nested]
    if isinstance(nested, Mapping):
        nested = list(nested.values())
    if isinstance(nested, list | tuple):
        return [tensor for each in nested for tensor in _tensors(each)]
    return []


def _pair(size: Any) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[-1])
