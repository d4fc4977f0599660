"""Read what named layers of a network put out, and leave the network exactly as it was.

A layer's name is the one that `module.named_modules()` gives it, such as `features.14`. Two names are reserved:
`input`, what the network is given, and `output`, what it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.func import functional_call

from convsight.errors import InputError, did_you_mean
from convsight.precision import autocast, channels_last, prepared_weights

INPUT, OUTPUT = "input", "output"

Reader = Callable[[Tensor], dict[str, Tensor]]


class _EverythingRead(Exception):  # noqa: N818 (it is no error)
    """Leaves the forward pass early: all layers asked for have been read."""


@contextmanager
def read(module: nn.Module, layers: Collection[str], *, precision: torch.dtype = torch.float32) -> Iterator[Reader]:
    """A function from an input to the activations of `layers`, by name, for use inside the block.

    The forward pass stops as soon as all `layers` have been read. A layer that is called several times in a pass is
    read at its first call. Activations come as the network's own dtype, or float32 if `precision` is bfloat16.
    Parameters are given to the network as constants, so they never get gradients; `module` is in evaluation mode
    within the block, and afterwards as it was: mode, hooks, requires_grad, dtype, memory format.

    Raises InputError if a layer doesn't exist, isn't reached, or puts out something else than one tensor.
    """
    modules = {name: each for name, each in module.named_modules() if name}
    for layer in layers:
        if layer not in modules and layer not in (INPUT, OUTPUT):
            raise InputError(f'no layer "{layer}" in this network{did_you_mean(layer, [*modules, OUTPUT])}')
    inside = [layer for layer in layers if layer in modules and layer not in (INPUT, OUTPUT)]
    stop_early = OUTPUT not in layers
    weights = prepared_weights(module, precision)
    own_dtype = next((each.dtype for each in weights.values() if each.is_floating_point()), torch.float32)
    dtype = torch.float32 if precision == torch.bfloat16 else own_dtype
    found: dict[str, Tensor] = {}

    def keep(layer: str) -> Callable[[nn.Module, object, object], object]:
        def hook(_module: nn.Module, _inputs: object, activation: object) -> object:
            if layer in found:
                return None
            found[layer] = _one_tensor(activation, layer)
            if stop_early and len(found) == len(inside):
                raise _EverythingRead
            return found[layer].clone()  # what comes next may change it in place

        return hook

    def activations_of(given: Tensor) -> dict[str, Tensor]:
        found.clear()
        activations = {}
        if inside or OUTPUT in layers:
            hooks = [modules[layer].register_forward_hook(keep(layer)) for layer in inside]
            try:
                with autocast(given.device, precision):
                    output = functional_call(module, weights, (channels_last(given.to(own_dtype)),))
                if OUTPUT in layers:
                    activations[OUTPUT] = _one_tensor(output, OUTPUT).to(dtype)
            except _EverythingRead:
                pass
            finally:
                for handle in hooks:
                    handle.remove()
        for layer in inside:
            if layer not in found:
                raise InputError(f'the network never calls its layer "{layer}", so there is nothing to read there')
            activations[layer] = found[layer].to(dtype)
        if INPUT in layers:
            activations[INPUT] = given
        found.clear()
        return activations

    training = [each for each in module.modules() if each.training]
    try:
        module.eval()
        yield activations_of
    finally:
        for each in training:
            each.training = True


def _one_tensor(activation: object, layer: str) -> Tensor:
    if not isinstance(activation, Tensor):
        raise InputError(f'layer "{layer}" puts out a {type(activation).__name__}, not one tensor; read a layer inside it')
    return activation
