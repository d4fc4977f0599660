"""A network as convsight sees it: a torch module, what it takes, and what its outputs are called.

`load` opens the networks that ship, files that `save` wrote, and the user's own modules.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.resources import files
from operator import attrgetter
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from convsight.activations import check_readable, own_dtype
from convsight.architecture import Architecture, build
from convsight.errors import InputError, by, did_you_mean, first_line
from convsight.files import written_whole
from convsight.input_spec import InputSpec
from convsight.receptive_field import Field, receptive_fields
from convsight.state_dict import fill, read_state_dict

SHIPPED = ("digits", "go", "go_rl", "go9", "go9_rl", "speech", "text")
_PRETRAINED = "convsight.image.pretrained"  # by name only: the core imports no application
PRETRAINED = ("vgg16", "efficientnet_lite0", "efficientnet_lite2")
_COLLECTIONS = ("torchvision", "timm")
_ENCODER = "encoder."


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

    def unit(self, label: str) -> int:
        """The output whose label is `label`, or alone has it in its name, whatever the case; or the number it is.

        Raises InputError if there is none, or several have it in their name.
        """
        if not self.labels:
            raise InputError(f"{self.name} has no classes; efficientnet_lite0 has")
        wanted = label.strip().lower()
        if wanted.isdecimal() and len(wanted) < 10 and int(wanted) < len(self.labels):
            return int(wanted)
        names = [each.lower() for each in self.labels]
        found = [index for index, each in enumerate(names) if each == wanted]
        found = found or [index for index, each in enumerate(names) if wanted and wanted in each]
        if not found:
            raise InputError(f'{self.name} has no class "{label}"{did_you_mean(wanted, names)}')
        if len(found) > 1:
            several = ", ".join(f"{self.labels[index]} ({index})" for index in found[:8])
            raise InputError(
                f'"{label}" is in the names of {len(found)} classes: {several}{", ..." if found[8:] else ""}; give one'
            )
        return found[0]

    def at(self, size: int) -> Network:
        """The same network for pictures of `size` x `size`, if its module takes them."""
        return replace(self, input=replace(self.input, shape=(self.input.shape[0], size, size)))

    def to(self, device: torch.device | str) -> Network:
        """The same network with its module on `device`. Raises InputError if there is no such device."""
        try:
            if torch.device(device).type == "meta":
                raise RuntimeError("nothing can be computed there")
            return replace(self, module=self.module.to(device))
        except (RuntimeError, AssertionError, ImportError, AttributeError) as error:  # each kind of device has its own
            raise InputError(f'cannot use the device "{device}": {first_line(error)}') from None

    def layers(self) -> list[Layer]:
        """Every layer that one forward pass calls, in the order of `named_modules()`, found by running one."""
        shapes: dict[str, tuple[int, ...]] = {}
        modules = {name: each for name, each in self.module.named_modules() if name}
        middle = sum(self.input.value_range) / 2
        given = self.input.normalise(torch.full((1, *self.input.shape), middle, device=self.device)).to(own_dtype(self.module))

        def note(name: str) -> Callable[[nn.Module, object, object], None]:
            def hook(_module: nn.Module, _inputs: object, output: object) -> None:
                if isinstance(output, Tensor):
                    shapes.setdefault(name, tuple(output.shape[1:]))

            return hook

        handles = [each.register_forward_hook(note(name)) for name, each in modules.items()]
        try:
            check_readable(self.module)
            fields = receptive_fields(self.module, given)
        except InputError:
            raise
        except Exception as error:  # whatever the user's own module raises
            problem = f"{type(error).__name__} {first_line(error)}"
            raise InputError(
                f"{self.name} cannot take an input of {by(self.input.shape)}, channels x height x width: {problem}"
            ) from error
        finally:
            for handle in handles:
                handle.remove()
        return [
            Layer(
                name, type(modules[name]).__name__, shapes[name], _size(fields.get(name)),
                sum(each.numel() for each in modules[name].parameters()),
            )
            for name in modules
            if name in shapes
        ]  # fmt: skip


def _size(field: Field | None) -> tuple[int, int] | None:
    return None if field is None else field.size


def load(spec: str, *, weights: str | Path | None = None, shape: Sequence[int] | None = None) -> Network:
    """Open a network by `spec`.

    That is the name of one that ships, `digits`, or is fetched when first asked for, such as `vgg16`; `torchvision:NAME` or
    `torchvision:NAME:WEIGHTS`; `timm:NAME`; a `.safetensors` file that `save` wrote; or `package.module:factory`. A factory is
    called without arguments and returns a `Network`, or a torch module; a module's input is then `shape` (C, H, W) with
    values in [0, 1]. `weights`: a state dict for it, as safetensors or written by `torch.save`.
    Raises InputError if anything of this doesn't exist or doesn't fit.
    """
    collection, _, name = spec.partition(":")
    elsewhere = spec in PRETRAINED or (collection in _COLLECTIONS and name)
    if ":" in spec and not elsewhere and not spec.endswith(".safetensors"):
        return _from_factory(spec, weights, shape)
    if weights is not None or shape is not None:
        raise InputError(f"{spec} brings its own weights and shape; give others only for package.module:factory")
    if spec.endswith(".safetensors"):
        return _from_file(Path(spec), Path(spec).stem)[0]
    if spec in SHIPPED:
        return _from_file(shipped(spec), spec)[0]
    if elsewhere:
        pretrained = importlib.import_module(_PRETRAINED)
        opened: Network = getattr(pretrained, spec)() if spec in PRETRAINED else getattr(pretrained, collection)(name)
        return opened
    known = (*SHIPPED, *PRETRAINED)
    raise InputError(
        f'no network "{spec}"{did_you_mean(spec, known)}; give {", ".join(known)}, torchvision:NAME, timm:NAME, a .safetensors '
        "file of convsight, or package.module:factory"
    )


def shipped(name: str) -> Path:
    """The file of weights called `name` that comes with convsight."""
    return Path(str(files("convsight") / "weights" / f"{name}.safetensors"))


def save(
    network: Network,
    path: str | Path,
    encoder: Mapping[str, Tensor] | None = None,
    settings: Mapping[str, object] | None = None,
    *,
    half: bool = False,
) -> None:
    """Write weights and declaration to one safetensors file, from which `load` rebuilds the network without code.

    `encoder` and `settings`, plain enough for JSON: what an application needs besides to make the input, and
    `load_with_encoder` gives back. `half`: store weights as float16, half as large; `load` makes them float32 again.
    Raises InputError if the network has no `architecture`, or `path` cannot be written.
    """
    if network.architecture is None:
        raise InputError(f"{network.name} has no declared architecture, so a file could not rebuild it")
    header = {
        "architecture": network.architecture.to_dict(),
        "input": asdict(network.input),
        "labels": list(network.labels),
        "card": dict(network.card),
        "encoder": dict(settings or {}),
    }
    weights = network.module.state_dict()
    if half:
        weights = {name: each.half() if each.dtype == torch.float32 else each for name, each in weights.items()}
    all_tensors = weights | {f"{_ENCODER}{name}": each for name, each in (encoder or {}).items()}
    tensors = {name: each.detach().cpu().contiguous() for name, each in all_tensors.items()}
    with written_whole(path) as temporary:
        save_file(tensors, temporary, metadata={"convsight": json.dumps(header)})


def load_with_encoder(spec: str) -> tuple[Network, dict[str, Tensor], dict[str, Any]]:
    """A network that ships or that `save` wrote, and the `encoder` and `settings` it was saved with.

    Raises InputError as `load` does.
    """
    if spec not in SHIPPED and not spec.endswith(".safetensors"):
        raise InputError(f'"{spec}" is no .safetensors file of convsight')
    return _from_file(shipped(spec) if spec in SHIPPED else Path(spec), Path(spec).stem)


def _from_file(path: Path, name: str) -> tuple[Network, dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as opened:
            header = json.loads((opened.metadata() or {})["convsight"])
            tensors = {each: opened.get_tensor(each) for each in opened.keys()}  # noqa: SIM118 (it is no dict)
        given = {key: tuple(each) if isinstance(each, list) else each for key, each in header["input"].items()}
        architecture = Architecture.from_dict(header["architecture"])
        labels, card = tuple(map(str, header["labels"])), dict(header["card"])
        settings = dict(header.get("encoder", {}))
        encoder = {each: tensors.pop(each) for each in list(tensors) if each.startswith(_ENCODER)}
        tensors = {each: tensor.float() if tensor.dtype == torch.float16 else tensor for each, tensor in tensors.items()}
        with torch.device("meta"):  # no memory is taken before the file's own tensors are known to fit
            module = build(architecture)
        network = Network(module, InputSpec(**given), labels, name, card, architecture)
        if labels and len(labels) != architecture.outputs:
            raise ValueError(f"{len(labels)} labels for {architecture.outputs} outputs")
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is no complete safetensors file: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RuntimeError) as error:
        if isinstance(error, KeyError) and error.args == ("convsight",):
            raise InputError(f"{path} holds bare weights, no network of convsight; give it as --weights FILE") from None
        raise InputError(f"the header of {path} describes no network: {first_line(error)}") from None
    fill(network.module, tensors, path, assign=True)
    network.module.eval()
    return network, {each.removeprefix(_ENCODER): tensor for each, tensor in encoder.items()}, settings


def _from_factory(spec: str, weights: str | Path | None, shape: Sequence[int] | None) -> Network:
    module_name, _, factory_name = spec.partition(":")
    if module_name.endswith(".py") or not all(
        part.isidentifier() for part in (*module_name.split("."), *factory_name.split("."))
    ):
        better = f"; write {module_name.removesuffix('.py')}:{factory_name}" if module_name.endswith(".py") else ""
        raise InputError(f'"{spec}" should be written package.module:factory, for example mymodels:net{better}')
    if "" not in sys.path:
        sys.path.insert(0, "")  # a module beside the user, as `python -m` finds it
    try:
        imported = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise InputError(f'cannot import "{module_name}" of {spec} from here or the installed packages: {error}') from None
    except SyntaxError as error:
        raise InputError(f'the module "{module_name}" is no valid Python: {error}') from None
    except Exception as error:  # whatever the user's own code raises
        raise InputError(f'importing "{module_name}" failed with {type(error).__name__}: {first_line(error)}') from error
    try:
        factory = attrgetter(factory_name)(imported)
    except AttributeError:
        raise InputError(f'the module "{module_name}" has no "{factory_name}"') from None
    try:
        made = factory()
    except (Exception, SystemExit) as error:  # whatever the user's own code raises
        raise InputError(f"{spec} failed with {type(error).__name__}: {first_line(error)}") from error
    if isinstance(made, Network):
        network = made
    elif isinstance(made, nn.Module):
        if shape is None:
            raise InputError(f"say what {spec} takes: --shape CHANNELSxHEIGHTxWIDTH, for example --shape 3x224x224")
        channels, height, width = shape
        card = {"factory": spec} | ({} if weights is None else {"weights": str(weights)})
        network = Network(made, InputSpec((channels, height, width)), name=factory_name, card=card)
    else:
        raise InputError(f"{spec} returned a {type(made).__name__}, not a torch.nn.Module or a convsight Network")
    if weights is not None:
        fill(network.module, read_state_dict(weights), weights)
    return network
