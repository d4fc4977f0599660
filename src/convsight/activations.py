"""Read what named layers of a network put out, and leave the network exactly as it was.

A layer's name is the one that `module.named_modules()` gives it, such as `features.14`. Two names are reserved:
`input`, what the network is given, and `output`, what it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter

from convsight.errors import InputError, did_you_mean
from convsight.precision import autocast, channels_last, constants, prepared

INPUT, OUTPUT = "input", "output"

Units = frozenset[int] | None
Reader = Callable[[Tensor], dict[str, Tensor]]


class _EverythingRead(Exception):  # noqa: N818 (it is no error)
    """Leaves the forward pass early: all layers asked for have been read, the deepest one last; it is the argument."""


@contextmanager
def read(
    module: nn.Module, layers: Collection[str] | Mapping[str, Units], *, precision: torch.dtype | None = None
) -> Iterator[Reader]:
    """A function from an input to the activations of `layers`, by name, for use inside the block.

    The forward pass stops as soon as all `layers` have been read; a layer that is called several times in a pass is read
    at its first call. Without `precision`, activations are exactly those of the network's own pass. With it, the pass
    runs as fast as it can in float32 or bfloat16: in another memory format, so sums are taken in another order; and if
    `layers` maps a layer to the units that are wanted, instead of None, the others may come as zeros, since of the
    deepest layer only what is wanted is computed. Activations come as the network's own dtype, or float32 if `precision`
    is bfloat16.

    Parameters are given to the network as constants, so they never get gradients; `module` is in evaluation mode
    within the block, and afterwards as it was: mode, hooks, requires_grad, dtype, memory format.

    Raises InputError if a layer doesn't exist, isn't reached, or puts out something else than one tensor, and for a
    module whose layers are out of reach (DataParallel, torch.jit, torch.compile, lazy ones before their first batch).
    """
    _check_readable(module)
    modules = {name: each for name, each in module.named_modules(remove_duplicate=False) if name}
    for layer in layers:
        if layer not in modules and layer not in (INPUT, OUTPUT):
            raise InputError(f'no layer "{layer}" in this network{did_you_mean(layer, [*modules, OUTPUT])}')
    inside = [layer for layer in layers if layer in modules and layer not in (INPUT, OUTPUT)]
    stop_early = OUTPUT not in layers
    weights = constants(module)
    called: dict[str, nn.Module] = {}
    own_dtype = next((each.dtype for each in weights.values() if each.is_floating_point()), torch.float32)
    dtype = torch.float32 if precision == torch.bfloat16 else own_dtype
    found: dict[str, Tensor] = {}
    few: _FewUnits | None = None
    own_format = precision is None

    def keep(layer: str) -> Callable[[nn.Module, object, object], object]:
        def hook(_module: nn.Module, _inputs: object, activation: object) -> object:
            if layer in found:
                return None
            found[layer] = _one_tensor(activation, layer)
            if stop_early and len(found) == len(inside):
                raise _EverythingRead(layer)
            return found[layer].clone()  # what comes next may change it in place

        return hook

    def note(name: str) -> Callable[[nn.Module, object], None]:
        def hook(used: nn.Module, _inputs: object) -> None:
            called[name] = used

        return hook

    def pass_through(given: Tensor) -> object:
        nonlocal own_format
        with autocast(given.device, precision):
            if not own_format:
                try:
                    return functional_call(module, weights, (channels_last(given),))
                except RuntimeError as error:
                    if "view size is not compatible" not in str(error):
                        raise
                    found.clear()
                    own_format = True  # this network's code relies on how its tensors lie in memory
            return functional_call(module, weights, (given if precision is None else given.contiguous(),))

    def activations_of(given: Tensor) -> dict[str, Tensor]:
        nonlocal few
        found.clear()
        deepest: str = ""
        activations = {}
        if inside or OUTPUT in layers:
            hooks = [modules[layer].register_forward_hook(keep(layer)) for layer in inside]
            first_pass = not called
            if first_pass:
                hooks += [each.register_forward_pre_hook(note(name)) for name, each in module.named_modules()]
            try:
                output = pass_through(given.to(own_dtype))
                if OUTPUT in layers:
                    activations[OUTPUT] = _one_tensor(output, OUTPUT).to(dtype)
            except _EverythingRead as read_all:
                (deepest,) = read_all.args
            finally:
                for handle in hooks:
                    handle.remove()
            if first_pass and precision is not None:  # only now is it known which weights are used, and worth preparing
                for name, each in called.items():
                    ready = prepared(name, each, precision, own_format=own_format)
                    weights.update({own: ready[own] for own in ready.keys() & weights.keys()})  # a shared one has one name
                wanted = layers.get(deepest) if isinstance(layers, Mapping) else None
                if wanted is not None and _per_unit(modules[deepest], found[deepest]):
                    few = _few_units(deepest, module, weights, sorted(wanted))
            elif few is not None:
                found[few.layer] = few.among_all(found[few.layer])
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
        for each in training:
            each.training = False  # not eval(), which a module may override to change its weights
        yield activations_of
    finally:
        for each in training:
            each.training = True


@dataclass(frozen=True)
class _FewUnits:
    """That `layer` now computes `units` alone, of `all_units`."""

    layer: str
    units: Tensor
    all_units: int

    def among_all(self, activation: Tensor) -> Tensor:
        """(B, units, ...) to (B, all_units, ...), the others zero."""
        shape = (len(activation), self.all_units, *activation.shape[2:])
        return activation.new_zeros(shape).index_copy(1, self.units, activation)


def _check_readable(module: nn.Module) -> None:
    kind = type(module).__name__
    if isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
        raise InputError(f"the layers of a {kind} are out of reach; give the module inside it, its .module")
    if hasattr(module, "_orig_mod"):
        raise InputError("the layers of a compiled module are out of reach; give the module as it was before torch.compile")
    if isinstance(module, torch.jit.ScriptModule):
        raise InputError("the layers of a torch.jit module are out of reach; give the module that it was made from")
    if any(
        isinstance(each, UninitializedParameter | UninitializedBuffer) for each in (*module.parameters(), *module.buffers())
    ):
        raise InputError(f"{kind} has lazy layers without weights yet; run one batch through it first")


def _per_unit(module: nn.Module, activation: Tensor) -> bool:
    """Whether each unit, dimension 1 of `activation`, depends on its own row of weights alone."""
    if module._forward_hooks or module._forward_pre_hooks:
        return False  # the user's, who may mix units
    return (type(module) is nn.Linear and activation.dim() == 2) or (type(module) is nn.Conv2d and module.groups == 1)


def _few_units(layer: str, module: nn.Module, weights: dict[str, Tensor], wanted: list[int]) -> _FewUnits | None:
    """Cut the weights of `layer` down to its units `wanted`, unless others share them."""
    own = module.get_submodule(layer)
    names = [f"{layer}.{name}" for name, _ in own.named_parameters()]
    sharing = sum(each is getattr(own, "weight", None) for _, each in module.named_parameters(remove_duplicate=False))
    if sharing != 1 or not all(name in weights for name in names):
        return None
    all_units = len(weights[names[0]])
    if not wanted or wanted[-1] >= all_units or len(wanted) == all_units:
        return None
    units = torch.tensor(wanted, device=weights[names[0]].device)
    weights.update({name: channels_last(weights[name][units]) for name in names})
    return _FewUnits(layer, units, all_units)


def _one_tensor(activation: object, layer: str) -> Tensor:
    if not isinstance(activation, Tensor):
        raise InputError(f'layer "{layer}" puts out a {type(activation).__name__}, not one tensor; read a layer inside it')
    return activation
