"""Real image networks with trained weights: from our assets, and from torchvision and timm."""

from __future__ import annotations

import math
from collections import OrderedDict
from pickle import UnpicklingError
from typing import Literal

import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import Tensor, nn

from convsight import assets
from convsight.errors import InputError, did_you_mean, extra, first_line
from convsight.input_spec import InputSpec
from convsight.network import Network
from convsight.published import ASSETS
from convsight.state_dict import fill

Pooling = Literal["max", "average"]


def vgg16(*, pooling: Pooling = "max") -> Network:
    """The 13 convolutions of VGG16, `conv1_1` to `conv5_3`, and its five poolings; for pictures of any size from 32x32.

    `pooling`: "average" is what style transfer uses (Gatys et al. 2016, section 2). Source: Simonyan, Zisserman 2015,
    table 1, column D.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels = 3
    for block, (depth, width) in enumerate(((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)), start=1):
        for number in range(1, depth + 1):
            layers[f"conv{block}_{number}"] = nn.Conv2d(channels, width, 3, padding=1)
            layers[f"relu{block}_{number}"] = nn.ReLU(inplace=True)
            channels = width
        layers[f"pool{block}"] = nn.MaxPool2d(2) if pooling == "max" else nn.AvgPool2d(2)
    module = nn.Sequential(layers)
    mean = (123.68 / 255, 116.779 / 255, 103.939 / 255)
    return _filled(module, "vgg16", InputSpec((3, 224, 224), mean=mean, std=(1 / 255,)), ())


def efficientnet_lite0() -> Network:
    """EfficientNet-Lite0, which tells 1,000 classes of ImageNet apart in pictures of 224x224."""
    return _efficientnet_lite("efficientnet_lite0", width=1.0, depth=1.0, size=224)


def efficientnet_lite2() -> Network:
    """EfficientNet-Lite2, which tells 1,000 classes of ImageNet apart in pictures of 260x260."""
    return _efficientnet_lite("efficientnet_lite2", width=1.1, depth=1.2, size=260)


def torchvision(name: str) -> Network:
    """A classifier of torchvision by `NAME` or `NAME:WEIGHTS`, by default its best weights, which torchvision downloads.

    Raises InputError if there is no such network or weights, or they cannot be downloaded.
    """
    from torchvision import models

    name, _, wanted = name.partition(":")
    try:
        every = models.get_model_weights(name)
    except ValueError:
        raise InputError(f'torchvision has no network "{name}"{did_you_mean(name, models.list_models())}') from None
    known = [each.name for each in every]
    if wanted and wanted not in known:
        raise InputError(f'torchvision has no weights "{wanted}" for {name}; it has {", ".join(known)}')
    weights = every[wanted] if wanted else every.DEFAULT
    try:
        tensors = weights.get_state_dict(progress=True, check_hash=True, weights_only=True)
    except (OSError, RuntimeError, UnpicklingError) as error:
        raise InputError(f"cannot get the weights of torchvision:{name}: {first_line(error)}") from None
    inception = {"init_weights": False, "transform_input": True, "aux_logits": True}
    options = inception if name in ("googlenet", "inception_v3") else {}
    module = models.get_model(name, weights=None, **options)
    fill(module, tensors, weights.url)
    preset = weights.transforms()
    size = preset.crop_size[0]
    specification = InputSpec((3, size, size), mean=tuple(preset.mean), std=tuple(preset.std))
    return Network(module.eval(), specification, tuple(weights.meta["categories"]), name, {"file": weights.url})


def timm(name: str) -> Network:
    """A classifier of timm by name, such as `resnet18.a1_in1k`, with its weights, which timm downloads.

    Raises InputError if timm isn't installed, has no such network, or its weights cannot be downloaded.
    """
    library = extra("timm", "timm")
    if name.split(".")[0] not in library.list_models():
        raise InputError(f'timm has no network "{name}"{did_you_mean(name, library.list_models())}')
    try:
        module = library.create_model(name, pretrained=True)
    except Exception as error:  # the hub's own, of many kinds
        raise InputError(f"cannot get the weights of timm:{name}: {type(error).__name__} {first_line(error)}") from None
    given = library.data.resolve_model_data_config(module)
    specification = InputSpec(tuple(given["input_size"]), mean=tuple(given["mean"]), std=tuple(given["std"]))
    labels = imagenet_labels() if getattr(module, "num_classes", 0) == 1000 else ()
    return Network(module.eval(), specification, labels, name.split(".")[0], {"file": f"timm {name}"})


def imagenet_labels() -> tuple[str, ...]:
    """The names of ImageNet's 1,000 classes, as torchvision carries them."""
    from torchvision.models import ResNet18_Weights

    return tuple(ResNet18_Weights.IMAGENET1K_V1.meta["categories"])


class EfficientNetLite(nn.Module):
    """Source: Tan, Le 2019, table 1, without squeeze-and-excitation, with ReLU6 (EfficientNet-Lite).

    Batch normalisation is folded into the convolutions. Padding is TensorFlow's "same".
    """

    def __init__(self, *, width: float, depth: float, classes: int = 1000) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, stride=2)
        blocks: list[nn.Module] = []
        channels = 32
        stages = (
            (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
            (1, 3, 1, 6, 320),
        )  # fmt: skip
        for index, (repeats, kernel, stride, expansion, filters) in enumerate(stages):
            filters = _rounded(filters * width)
            if index not in (0, len(stages) - 1):
                repeats = math.ceil(repeats * depth)
            for number in range(repeats):
                blocks.append(Block(channels, filters, kernel, stride if number == 0 else 1, expansion))
                channels = filters
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Conv2d(channels, 1280, 1)
        self.classifier = nn.Linear(1280, classes)

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, classes)."""
        features = self.blocks(F.relu6(_same(self.stem, picture)))
        pooled = F.relu6(self.head(features)).mean((2, 3))
        logits: Tensor = self.classifier(pooled)
        return logits


class Block(nn.Module):
    """Expand the channels, filter each by itself, project back; add the input if shapes allow. Source: Sandler et al. 2018."""

    def __init__(self, channels: int, filters: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = channels * expansion
        self.expand = nn.Conv2d(channels, wide, 1) if expansion > 1 else None
        padding = kernel // 2 if stride == 1 else 0
        self.depthwise = nn.Conv2d(wide, wide, kernel, stride=stride, padding=padding, groups=wide)
        self.project = nn.Conv2d(wide, filters, 1)
        self.adds = stride == 1 and channels == filters

    def forward(self, given: Tensor) -> Tensor:
        """(B, channels, H, W) to (B, filters, H / stride, W / stride)."""
        wide = given if self.expand is None else F.relu6(self.expand(given))
        made: Tensor = self.project(F.relu6(_same(self.depthwise, wide)))
        return made + given if self.adds else made


def _same(convolution: nn.Conv2d, given: Tensor) -> Tensor:
    """`convolution`, with TensorFlow's padding "same" if it has a stride: ceil(n / stride) places, an odd zero at the end."""
    (kernel, _), (stride, _) = convolution.kernel_size, convolution.stride
    if stride > 1:
        down, across = (max((math.ceil(n / stride) - 1) * stride + kernel - n, 0) for n in given.shape[-2:])
        given = F.pad(given, (across // 2, across - across // 2, down // 2, down - down // 2))
    convolved: Tensor = convolution(given)
    return convolved


def _rounded(width: float) -> int:
    """To a multiple of eight, at most a tenth less."""
    rounded = max(8, int(width + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * width else rounded + 8


def _efficientnet_lite(name: str, *, width: float, depth: float, size: int) -> Network:
    specification = InputSpec((3, size, size), mean=(127 / 255,), std=(128 / 255,))
    return _filled(EfficientNetLite(width=width, depth=depth), name, specification, imagenet_labels())


def _filled(module: nn.Module, name: str, specification: InputSpec, labels: tuple[str, ...]) -> Network:
    fill(module, assets.tensors(name), assets.path(name))
    asset = ASSETS[name]
    card = {"data": asset.origin, "licence": asset.licence, "file": f"{asset.members[0].path} in {asset.wheel}"}
    return Network(module.eval(), specification, labels, name, card)
