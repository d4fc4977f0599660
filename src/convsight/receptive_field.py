"""How many input pixels a unit of each layer can see, for any network of torch's standard operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from convsight.frozen import frozen

# Functions by name, without the underscores of methods in place or of operators: relu_ is relu, __iadd__ is iadd.
_CONVOLUTIONS = {"conv2d"}
_POOLS = {"max_pool2d", "max_pool2d_with_indices", "avg_pool2d", "lp_pool2d"}
_ADAPTIVE = {"adaptive_avg_pool2d", "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices"}
_ONE_BY_ONE = {
    "relu", "relu6", "leaky_relu", "prelu", "rrelu", "elu", "selu", "celu", "gelu", "silu", "mish", "hardswish",
    "hardsigmoid", "hardtanh", "sigmoid", "logsigmoid", "tanh", "hardshrink", "softshrink", "tanhshrink", "softplus",
    "softsign", "threshold", "dropout", "dropout2d", "alpha_dropout", "feature_alpha_dropout", "batch_norm",
    "local_response_norm", "add", "iadd", "radd", "sub", "isub", "rsub", "mul", "imul", "rmul", "multiply", "div", "idiv",
    "truediv", "itruediv", "rtruediv", "true_divide", "neg", "abs", "exp", "log", "log1p", "sqrt", "rsqrt", "square", "pow",
    "ipow", "reciprocal", "erf", "sin", "cos", "clamp", "clamp_min", "clamp_max", "clip", "maximum", "minimum", "where",
    "lerp", "addcmul", "addcdiv", "clone", "contiguous", "detach", "to", "type", "float", "half", "bfloat16", "double",
    "type_as", "requires_grad", "masked_fill",
}  # fmt: skip
_REDUCING = {"mean", "sum", "amax", "amin", "std", "var", "logsumexp", "norm", "softmax", "log_softmax", "softmin", "normalize"}
_WHOLE_MAPS = {"instance_norm", "group_norm"}
_RESHAPING = {"view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "permute", "transpose", "channel_shuffle"}
_ALONG_CHANNELS = {"cat", "concat", "concatenate", "chunk", "split", "tensor_split"}


@dataclass(frozen=True)
class Field:
    """What one unit sees, in input pixels: rows, columns, and the step between neighbouring units.

    `start`: the first row and column that the first unit sees, below zero where there is padding. `places`: how many units
    there are, down and across. `flat`: they are no longer the last two dimensions.
    """

    size: tuple[int, int]
    step: tuple[int, int]
    start: tuple[int, int]
    places: tuple[int, int]
    flat: bool = False


class _Follow(TorchFunctionMode):
    """Carries a `Field` with every tensor that comes from the input, through each operation in turn; None if unknown."""

    def __init__(self, given: Tensor) -> None:
        super().__init__()
        self.limit = (given.shape[-2], given.shape[-1])
        self.fields: dict[int, Field | None] = {id(given): Field((1, 1), (1, 1), (0, 0), self.limit)}
        self.alive: list[Tensor] = [given]  # so that no id is used twice

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        before = {id(each): self.fields[id(each)] for each in _tensors((args, kwargs)) if id(each) in self.fields}
        shapes = [each.shape for each in _tensors((args, kwargs)) if id(each) in self.fields]
        result = func(*args, **kwargs)
        if getattr(func, "__name__", "") == "__setitem__" and id(args[0]) in self.fields:
            self.fields[id(args[0])] = None
        for output in _tensors(result) if before else ():
            self.fields[id(output)] = self._field(func, list(before.values()), shapes[0], output, args, kwargs)
            self.alive.append(output)
        return result

    def _field(
        self, func: Any, inputs: list[Field | None], shape: torch.Size, output: Tensor, args: Any, kwargs: Any
    ) -> Field | None:
        known = [each for each in inputs if each is not None]
        if len(known) < len(inputs):
            return None
        before = _joined(known, self.limit)
        if before is None:
            return None
        if before.size == self.limit:
            return before  # whatever comes, no unit can see more
        name = getattr(func, "__name__", "").strip("_")
        given = dict(enumerate(args)) | kwargs
        places = (output.shape[-2], output.shape[-1]) if output.dim() >= 2 else (1, 1)
        if before.flat:
            return self._merged(before) if name in ("linear", "matmul") else before if name in _ONE_BY_ONE else None
        if name in _CONVOLUTIONS or name in _POOLS:
            return self._slid(before, places, *_window(name, given), padding=_padding(name, given))
        if name in _ADAPTIVE:
            return self._adapted(before, places)
        if name in _WHOLE_MAPS or (
            name == "layer_norm" and output.dim() == 4 and len(_either(given, 1, "normalized_shape")) > 1
        ):
            return replace(before, size=self._merged(before).size)
        if name in _REDUCING:
            return self._reduced(before, shape, output, _either(given, 1, "dim"))
        if name in _RESHAPING:
            return _reshaped(before, name, shape, output, given)
        same = output.shape[-2:] == shape[-2:] and len(output.shape) == len(shape)
        if name in _ALONG_CHANNELS:
            return before if same else None
        if name == "pad":
            left, _, top, _ = (*_either(given, 1, "pad"), 0, 0, 0)[:4]
            shifted = replace(_moved(before, (top, left)), places=places)
            return shifted if _either(given, 2, "mode") in (None, "constant") else None
        return before if name in _ONE_BY_ONE and same else None

    def _merged(self, before: Field) -> Field:
        """The field of a unit that sees all places at once."""
        return self._slid(replace(before, flat=True), (1, 1), before.places, (1, 1), (1, 1))

    def _slid(
        self, before: Field, places: tuple[int, int], *window: tuple[int, int], padding: tuple[int, int] = (0, 0)
    ) -> Field:
        """A window of (kernel, stride, dilation), each (rows, columns)."""
        rows, columns = (
            (min(limit, size + (kernel - 1) * dilation * step), step * stride)
            for limit, size, step, kernel, stride, dilation in zip(self.limit, before.size, before.step, *window, strict=True)
        )
        start = _moved(before, padding).start
        return replace(before, size=(rows[0], columns[0]), step=(rows[1], columns[1]), start=start, places=places)

    def _adapted(self, before: Field, places: tuple[int, int]) -> Field | None:
        if any(there % wanted for there, wanted in zip(before.places, places, strict=True)):
            return None  # windows of several lengths
        kernel = (before.places[0] // places[0], before.places[1] // places[1])
        return self._slid(before, places, kernel, kernel, (1, 1))

    def _reduced(self, before: Field, shape: torch.Size, output: Tensor, dims: Any) -> Field | None:
        if dims is None:
            return self._merged(before)
        reduced = {each % len(shape) for each in (dims if isinstance(dims, list | tuple) else [dims])}
        down, across = len(shape) - 2 in reduced, len(shape) - 1 in reduced
        size = self._merged(before).size
        seen = (size[0] if down else before.size[0], size[1] if across else before.size[1])
        if output.dim() == len(shape):  # each place stays, or is kept as one
            return replace(before, size=seen, places=(output.shape[-2], output.shape[-1]))
        if down == across:
            return replace(before, size=seen, places=(1, 1), flat=True) if down else before
        return None


def receptive_fields(module: nn.Module, given: Tensor) -> dict[str, Field | None]:
    """What of the input `given` (1, C, H, W) one unit of each layer can depend on, by layer name.

    Never more than all of it, (H, W). None behind an operation that moves things in a way that isn't known here. A layer that
    is called several times counts at its first call.
    """
    fields: dict[str, Field | None] = {}
    follow = _Follow(given)

    def note(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            fields.setdefault(name, follow.fields.get(id(output)))

        return hook

    handles = [each.register_forward_hook(note(name)) for name, each in module.named_modules() if name]
    try:
        with torch.no_grad(), frozen(module), follow:
            module(given)
    finally:
        for handle in handles:
            handle.remove()
    return fields


def _joined(known: list[Field], limit: tuple[int, int]) -> Field | None:
    """The field of what several inputs make together, place by place; None if they move at different rates."""
    if any(each.size == limit for each in known):
        return replace(max(known, key=lambda each: each.places[0] * each.places[1]), size=limit)
    if len({(each.step, each.places) for each in known}) > 1:
        return None
    starts = [min(each.start[axis] for each in known) for axis in (0, 1)]
    ends = [max(each.start[axis] + each.size[axis] for each in known) for axis in (0, 1)]
    down, across = (min(most, end - start) for most, start, end in zip(limit, starts, ends, strict=True))
    return replace(known[0], size=(down, across), start=(starts[0], starts[1]))


def _moved(field: Field, padding: tuple[int, int]) -> Field:
    """Each unit where one was that many places before."""
    rows, columns = (begin - pad * step for begin, pad, step in zip(field.start, padding, field.step, strict=True))
    return replace(field, start=(rows, columns))


def _padding(name: str, given: Mapping[Any, Any]) -> tuple[int, int]:
    """Rows and columns of zeros before the first, of a convolution or pooling."""
    place = {"conv2d": 4, "lp_pool2d": None}.get(name, 3)
    padding = 0 if place is None else _either(given, place, "padding") or 0
    if padding == "valid":
        return (0, 0)
    if padding == "same":
        kernel, _, dilation = _window(name, given)
        return ((kernel[0] - 1) * dilation[0] // 2, (kernel[1] - 1) * dilation[1] // 2)
    return _pair(padding)


def _window(name: str, given: Mapping[Any, Any]) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Kernel, stride and dilation of a convolution (input, weight, bias, stride, padding, dilation) or pooling."""
    if name in _CONVOLUTIONS:
        kernel = _pair(tuple(_either(given, 1, "weight").shape[-2:]))
        stride, dilation = _either(given, 3, "stride") or 1, _either(given, 5, "dilation") or 1
    else:
        norm = name == "lp_pool2d"  # its second argument is the norm
        kernel = _pair(_either(given, 1 + norm, "kernel_size"))
        stride = _either(given, 2 + norm, "stride") or kernel
        dilation = (_either(given, 4, "dilation") or 1) if name.startswith("max") else 1
    return kernel, _pair(stride), _pair(dilation)


def _reshaped(before: Field, name: str, shape: torch.Size, output: Tensor, given: Mapping[Any, Any]) -> Field | None:
    """Other dimensions may change as they like; places may all go into one dimension, the last, and stay there."""
    if name in ("permute", "transpose"):
        order = list(range(len(shape)))
        dims = [each for key, each in given.items() if key != 0 and key != "input"]
        dims = [each % len(shape) for each in (dims[0] if isinstance(dims[0], list | tuple) else dims)]
        if name == "transpose":
            order[dims[0]], order[dims[1]] = order[dims[1]], order[dims[0]]
        else:
            order = dims
        return before if order[-2:] == [len(shape) - 2, len(shape) - 1] else None
    if output.dim() >= 2 and output.shape[-2:] == shape[-2:]:
        return before
    return replace(before, flat=True) if output.dim() == 2 and output.shape[0] == shape[0] else None


def _either(given: Mapping[Any, Any], place: int, name: str) -> Any:
    return given.get(place, given.get(name))


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
