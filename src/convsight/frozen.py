"""A module held still: within a block its parameters are constants, and afterwards it is exactly as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from torch import Tensor, nn

Held = dict[str, Tensor | None]


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Within the block, `module` is in evaluation mode, its parameters are constants, its buffers copies.

    So nothing that happens there, a pass or its gradient, changes the module: afterwards it has its own parameters and
    buffers again, and its modes. A tensor that several places share is shared within the block too.
    """
    held: list[Held] = [cast("Held", each) for owner in module.modules() for each in (owner._parameters, owner._buffers)]
    before = [dict(each) for each in held]
    training = [each for each in module.modules() if each.training]
    stand_ins: dict[int, Tensor] = {}
    try:
        for each in training:
            each.training = False  # not eval(), which a module may override to change its weights
        for tensors in held:
            for name, tensor in tensors.items():
                if tensor is not None:
                    constant = tensor.detach() if isinstance(tensor, nn.Parameter) else tensor.detach().clone()
                    tensors[name] = stand_ins.setdefault(id(tensor), constant)
        yield
    finally:
        for tensors, original in zip(held, before, strict=True):
            tensors.clear()
            tensors.update(original)
        for each in training:
            each.training = True
