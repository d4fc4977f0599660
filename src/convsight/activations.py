"""Read what named layers of a network put out, and leave the network exactly as it was.

A layer's name is the one that `module.named_modules()` gives it, such as `features.14`. Two names are reserved:
`input`, what the network is given, and `output`, what it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import Tensor, nn
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter
from torch.utils.hooks import RemovableHandle

from convsight.errors import InputError, did_you_mean
from convsight.frozen import frozen
from convsight.precision import autocast, channels_last, prepare

INPUT, OUTPUT = "input", "output"

Units = frozenset[int] | None
Reader = Callable[[Tensor], dict[str, Tensor]]


class _EverythingRead(Exception):  # noqa: N818 (it is no error)
    """Leaves the forward pass early: all layers asked for have been read."""


@contextmanager
def read(
    module: nn.Module,
    layers: Collection[str] | Mapping[str, Units],
    *,
    precision: torch.dtype | None = None,
    as_computed: bool = False,
) -> Iterator[Reader]:
    """A function from an input to the activations of `layers`, by name, for use inside the block.

    The forward pass stops as soon as all `layers` have been read; a layer that is called several times in a pass is read
    at its first call. Without `precision`, activations are exactly those of the network's own pass. With it, the pass
    runs as fast as it can in float32 or bfloat16: in another memory format, so sums are taken in another order; and if
    `layers` maps a layer to the units that are wanted, instead of None, the others may come undefined (NaN), since of
    the deepest layer only what is wanted is computed. Activations come as the network's own dtype, or float32 if
    `precision` is bfloat16; with `as_computed`, as bfloat16 then, which saves memory.

    Within the block `module` is frozen: its parameters never get gradients. Afterwards it is as it was: mode, hooks,
    requires_grad, dtype, memory format.

    Raises InputError if a layer doesn't exist, isn't reached, or puts out something else than one tensor, and for a
    module whose layers are out of reach (DataParallel, torch.jit, torch.compile, lazy ones before their first batch).
    """
    check_readable(module)
    known = [name for name, _ in module.named_modules(remove_duplicate=False) if name]
    for layer in layers:
        if layer not in known and layer not in (INPUT, OUTPUT):
            raise InputError(f'no layer "{layer}" in this network{did_you_mean(layer, [*known, OUTPUT])}')
    with frozen(module):
        yield _Reader(module, layers if isinstance(layers, Mapping) else dict.fromkeys(layers), precision, as_computed)


def own_dtype(module: nn.Module) -> torch.dtype:
    """The type of `module`'s first floating-point parameter; float32 if it has none."""
    return next((each.dtype for each in module.parameters() if each.is_floating_point()), torch.float32)


class _Reader:
    """What `read` gives: each call is one forward pass, its hooks set before and removed after."""

    def __init__(
        self, module: nn.Module, layers: Mapping[str, Units], precision: torch.dtype | None, as_computed: bool
    ) -> None:
        self.module, self.layers, self.precision = module, layers, precision
        modules = dict(module.named_modules(remove_duplicate=False))
        self.inside = {layer: modules[layer] for layer in layers if layer not in (INPUT, OUTPUT)}
        self.prepared = precision is None
        self.own_format = precision is None
        self.own_dtype = own_dtype(module)
        reduced = precision == torch.bfloat16
        self.dtype = None if reduced and as_computed else torch.float32 if reduced else self.own_dtype
        self.found: dict[str, Tensor] = {}
        self.versions: dict[str, int] = {}
        self.changed: set[str] = set()

    def __call__(self, given: Tensor) -> dict[str, Tensor]:
        self.found.clear()
        self.versions.clear()
        called: list[nn.Module] = []
        hooks = [each for layer, own in self.inside.items() for each in self._hooks(layer, own)]
        if not self.prepared:

            def note(used: nn.Module, _inputs: object) -> None:
                called.append(used)

            hooks += [each.register_forward_pre_hook(note) for each in self.module.modules()]
        try:
            if self.inside or OUTPUT in self.layers:
                output = self._pass(given.to(self.own_dtype))
                if OUTPUT in self.layers:
                    self.found[OUTPUT] = _one_tensor(output, OUTPUT)
        except _EverythingRead:
            pass
        finally:
            for handle in hooks:
                handle.remove()
        if not self.prepared:  # only now is it known which weights are used, and worth preparing
            assert self.precision is not None
            for each in called:
                prepare(each, self.precision, own_format=self.own_format)
            self.prepared = True
        changed = {layer for layer, version in self.versions.items() if self.found[layer]._version != version}
        if changed:  # by what came next, in place
            self.changed |= changed
            return self(given)
        activations = {layer: self._converted(each) for layer, each in self.found.items()}
        for layer in self.inside:
            if layer not in activations:
                raise InputError(f'the network never calls its layer "{layer}", so there is nothing to read there')
        if INPUT in self.layers:
            activations[INPUT] = given
        self.found.clear()
        return activations

    def _pass(self, given: Tensor) -> object:
        with autocast(given.device, self.precision):
            if not self.own_format:
                try:
                    return self.module(channels_last(given))
                except RuntimeError as error:
                    if "view size is not compatible" not in str(error):
                        raise
                    self.found.clear()
                    self.own_format = True  # this network's code relies on how its tensors lie in memory
            return self.module(given if self.precision is None else given.contiguous())

    def _hooks(self, layer: str, own: nn.Module) -> list[RemovableHandle]:
        def keep(_module: nn.Module, _inputs: object, activation: object) -> object:
            if layer in self.found:
                return None
            activation = _one_tensor(activation, layer)
            kept = self._converted(activation)
            self._found(layer, kept)
            if layer in self.changed and kept is activation:
                return activation.clone()
            self.versions[layer] = kept._version
            return None

        units = self.layers[layer]
        if not units or self.precision is None or OUTPUT in self.layers or own._forward_hooks:  # the user's may mix units
            return [own.register_forward_hook(keep)]

        def few(module: nn.Module, inputs: tuple[object, ...]) -> None:
            if layer not in self.found and len(self.found) == len(self.inside) - 1 and len(inputs) == 1:
                activation = _of_units(module, inputs[0], units)
                if activation is not None:
                    self._found(layer, activation)

        return [own.register_forward_hook(keep), own.register_forward_pre_hook(few)]

    def _converted(self, activation: Tensor) -> Tensor:
        return activation if self.dtype is None else activation.to(self.dtype)

    def _found(self, layer: str, activation: Tensor) -> None:
        self.found[layer] = activation
        if OUTPUT not in self.layers and len(self.found) == len(self.inside):
            raise _EverythingRead


def _of_units(module: nn.Module, given: object, units: frozenset[int]) -> Tensor | None:
    """The output of a convolution or fully connected layer with only `units` of it computed, the others NaN.

    None if `module` is neither, `given` no batch for it, or nothing would be saved.
    """
    fitting = {nn.Conv2d: 4, nn.Linear: 2}.get(type(module))
    if not isinstance(given, Tensor) or given.dim() != fitting:
        return None
    assert isinstance(module, nn.Conv2d | nn.Linear)
    wanted, available = sorted(units), len(module.weight)
    if wanted[0] < 0 or wanted[-1] >= available or len(wanted) == available:
        return None
    chosen = torch.tensor(wanted, device=given.device)
    weight, bias = channels_last(module.weight[chosen]), None if module.bias is None else module.bias[chosen]
    if isinstance(module, nn.Linear):
        computed = F.linear(given, weight, bias)
    elif module.groups == 1:
        computed = module._conv_forward(given, weight, bias)
    else:
        return None
    every = computed.new_full((len(given), available, *computed.shape[2:]), torch.nan)
    return every.index_copy(1, chosen, computed)


def check_readable(module: nn.Module) -> None:
    """Raise InputError if the layers of `module` are out of reach, with what to do."""
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


def _one_tensor(activation: object, layer: str) -> Tensor:
    if not isinstance(activation, Tensor):
        raise InputError(f'layer "{layer}" puts out a {type(activation).__name__}, not one tensor; read a layer inside it')
    return activation
