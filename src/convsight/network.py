"""A network as convsight sees it: a torch module, what it takes, and what its outputs are called.

`load` opens the networks that ship, files that `save` wrote, and the user's own modules.
"""

from __future__ import annotations

import importlib
import json
import pickle
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from convsight.activations import OUTPUT, read
from convsight.architecture import Architecture, build
from convsight.errors import InputError, did_you_mean
from convsight.files import written_whole
from convsight.receptive_field import receptive_fields

SHIPPED = ("digits",)


@dataclass(frozen=True)
class InputSpec:
    """What a network takes: (B, *shape), float within `value_range`, then normalised to (x - mean) / std by channel.

    `shape`: (C, H, W). `axes`: what H and W are. `mean` and `std` are in units of the value range; one number serves
    all channels.
    """

    shape: tuple[int, int, int]
    value_range: tuple[float, float] = (0.0, 1.0)
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    axes: tuple[str, str] = ("height", "width")

    def normalise(self, given: Tensor) -> Tensor:
        """(B, C, H, W) in the value range to what the module takes."""
        mean, std = (given.new_tensor(each).view(1, -1, 1, 1) for each in (self.mean, self.std))
        return (given - mean) / std


@dataclass(frozen=True)
class Layer:
    """A row of `Network.layers()`: `shape` is of one sample's output, `receptive_field` in input pixels (rows, columns)."""

    name: str
    kind: str
    shape: tuple[int, ...]
    receptive_field: tuple[int, int] | None
    parameters: int


@dataclass(frozen=True)
class Network:
    """`module` takes (B, C, H, W) after `input.normalise`; `labels` name its outputs; `card` says where it comes from."""

    module: nn.Module
    input: InputSpec
    labels: tuple[str, ...] = ()
    name: str = "network"
    card: Mapping[str, str] = field(default_factory=dict)
    architecture: Architecture | None = None

    def __call__(self, given: Tensor) -> Tensor:
        """The output for (B, C, H, W) in the value range, with whatever mode and gradient setting is on."""
        output: Tensor = self.module(self.input.normalise(given))
        return output

    @property
    def device(self) -> torch.device:
        return next((each.device for each in self.module.parameters()), torch.device("cpu"))

    def to(self, device: torch.device | str) -> Network:
        """The same network with its module on `device`. Raises InputError if there is no such device."""
        try:
            return replace(self, module=self.module.to(device))
        except (RuntimeError, AssertionError) as error:
            raise InputError(f'cannot use the device "{device}": {str(error).splitlines()[0]}') from None

    def layers(self) -> list[Layer]:
        """Every layer that one forward pass calls, in the order of `named_modules()`, found by running one."""
        shapes: dict[str, tuple[int, ...]] = {}
        modules = {name: each for name, each in self.module.named_modules() if name}
        middle = sum(self.input.value_range) / 2
        dtype = next((each.dtype for each in self.module.parameters() if each.is_floating_point()), torch.float32)
        given = self.input.normalise(torch.full((1, *self.input.shape), middle, device=self.device)).to(dtype)

        def note(name: str) -> Callable[[nn.Module, object, object], None]:
            def hook(_module: nn.Module, _inputs: object, output: object) -> None:
                if isinstance(output, Tensor):
                    shapes.setdefault(name, tuple(output.shape[1:]))

            return hook

        handles = [each.register_forward_hook(note(name)) for name, each in modules.items()]
        try:
            with read(self.module, [OUTPUT]):
                fields = receptive_fields(self.module, given)
        except RuntimeError as error:
            size = "x".join(map(str, self.input.shape))
            raise InputError(f"{self.name} cannot take an input of {size}: {str(error).splitlines()[0]}") from None
        finally:
            for handle in handles:
                handle.remove()
        return [
            Layer(
                name, type(modules[name]).__name__, shapes[name], fields.get(name),
                sum(each.numel() for each in modules[name].parameters()),
            )
            for name in modules
            if name in shapes
        ]  # fmt: skip


def load(spec: str, *, weights: str | Path | None = None, shape: Sequence[int] | None = None) -> Network:
    """Open a network by `spec`: a shipped one's name, a `.safetensors` file that `save` wrote, or `package.module:factory`.

    A factory is called without arguments and returns a `Network`, or a torch module; a module's input is then `shape`
    (C, H, W) with values in [0, 1]. `weights`: a state dict for it, as safetensors or written by `torch.save`.
    Raises InputError if anything of this doesn't exist or doesn't fit.
    """
    if ":" in spec and not spec.endswith(".safetensors"):
        return _from_factory(spec, weights, shape)
    if weights is not None or shape is not None:
        raise InputError(f"{spec} brings its own weights and shape; give others only for package.module:factory")
    if spec.endswith(".safetensors"):
        return _from_file(Path(spec), Path(spec).stem)
    if spec in SHIPPED:
        return _from_file(shipped(spec), spec)
    raise InputError(
        f'no network "{spec}"{did_you_mean(spec, SHIPPED)}; give {", ".join(SHIPPED)}, a .safetensors file of convsight, '
        "or package.module:factory"
    )


def shipped(name: str) -> Path:
    """The file of weights called `name` that comes with convsight."""
    return Path(str(files("convsight") / "weights" / f"{name}.safetensors"))


def save(network: Network, path: str | Path) -> None:
    """Write weights and declaration to one safetensors file, from which `load` rebuilds the network without code.

    Raises InputError if the network has no `architecture`, or `path` cannot be written.
    """
    if network.architecture is None:
        raise InputError(f"{network.name} has no declared architecture, so a file could not rebuild it")
    header = {
        "architecture": network.architecture.to_dict(),
        "input": asdict(network.input),
        "labels": list(network.labels),
        "card": dict(network.card),
    }
    tensors = {name: each.detach().cpu().contiguous() for name, each in network.module.state_dict().items()}
    with written_whole(path) as temporary:
        save_file(tensors, temporary, metadata={"convsight": json.dumps(header)})


def _from_file(path: Path, name: str) -> Network:
    try:
        with safe_open(path, framework="pt") as opened:
            header = json.loads((opened.metadata() or {})["convsight"])
            tensors = {each: opened.get_tensor(each) for each in opened.keys()}  # noqa: SIM118 (it is no dict)
        given = {key: tuple(each) if isinstance(each, list) else each for key, each in header["input"].items()}
        architecture = Architecture.from_dict(header["architecture"])
        network = Network(
            build(architecture), InputSpec(**given), tuple(header["labels"]), name, header["card"], architecture
        )  # fmt: skip
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is no complete safetensors file: {error}") from None
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        if isinstance(error, KeyError) and error.args == ("convsight",):
            raise InputError(f"{path} holds bare weights, no network of convsight; give it as --weights FILE") from None
        raise InputError(f"the header of {path} describes no network: {error!r}") from None
    _fill(network.module, tensors, path)
    return network


def _from_factory(spec: str, weights: str | Path | None, shape: Sequence[int] | None) -> Network:
    module_name, _, factory_name = spec.partition(":")
    if "" not in sys.path:
        sys.path.insert(0, "")  # a module beside the user, as `python -m` finds it
    try:
        factory = getattr(importlib.import_module(module_name), factory_name)
    except ModuleNotFoundError as error:
        raise InputError(f'cannot import "{module_name}" of {spec}: {error}') from None
    except AttributeError:
        raise InputError(f'the module "{module_name}" has no "{factory_name}"') from None
    except SyntaxError as error:
        raise InputError(f'the module "{module_name}" is no valid Python: {error}') from None
    try:
        made = factory()
    except Exception as error:  # whatever the user's own code raises
        raise InputError(f"{spec} failed with {type(error).__name__}: {error}") from error
    if isinstance(made, Network):
        network = made
    elif isinstance(made, nn.Module):
        if shape is None:
            raise InputError(f"say what {spec} takes: --shape CHANNELSxHEIGHTxWIDTH, for example --shape 3x224x224")
        channels, height, width = shape
        network = Network(made, InputSpec((channels, height, width)), name=factory_name)
    else:
        raise InputError(f"{spec} returned a {type(made).__name__}, not a torch.nn.Module or a convsight Network")
    if weights is not None:
        _fill(network.module, _state_dict(Path(weights)), Path(weights))
    return network


def _state_dict(path: Path) -> dict[str, Tensor]:
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
        problem = str(error).partition("\n")[0]
        raise InputError(f"{path} holds no weights that can be read: {type(error).__name__} {problem}") from None
    if isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, dict) or not all(isinstance(each, Tensor) for each in loaded.values()):
        raise InputError(f"{path} holds no state dict (tensors by name); save one with torch.save(module.state_dict(), FILE)")
    return loaded


def _fill(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    expected = module.state_dict()
    problems = [f"{name} is missing" for name in expected if name not in tensors]
    problems += [f"{name} is not in the network" for name in tensors if name not in expected]
    problems += [
        f"{name} is {_by(tensors[name])} instead of {_by(expected[name])}"
        for name in expected
        if name in tensors and tensors[name].shape != expected[name].shape
    ]
    if problems:
        more = f", and {len(problems) - 4} more" if len(problems) > 4 else ""
        raise InputError(f"the weights of {path} don't fit the network: {', '.join(problems[:4])}{more}")
    module.load_state_dict(dict(tensors))


def _by(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a number"
