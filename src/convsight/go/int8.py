"""What a policy network answers, worked out in 8-bit integers: on a CPU twice as fast as in bfloat16.

Source: Jacob et al. 2018, "Quantization and training of neural networks for efficient integer-arithmetic-only inference",
section 2: weights are integers times a factor a filter, activations integers times a factor a layer.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from convsight.errors import InputError
from convsight.go.model import answers
from convsight.network import Network
from convsight.precision import autocast, fastest

_LARGEST, _OF_WEIGHTS = 255, 127
_EVERY = 24  # calls, after which ranges are read anew
_BOARDS = 64  # that ranges are read from
_MOST, _ROOM = 0.98, 1.3  # the range holds so many of these boards, and that much more


class Integers:
    """`network` in integers: convolutions that ReLU follows, but for what comes after the last of them.

    The ranges of activations follow the boards that it is asked for. Boards on which an activation is beyond its range are
    worked out anew in floating point.
    """

    def __init__(self, network: Network) -> None:
        """Of a network for which `possible` holds, whose weights won't change."""
        layers = list(cast(nn.Sequential, network.module))
        self.network = network
        self.convolutions = _leading(layers)
        self.rest = nn.Sequential(*layers[2 * len(self.convolutions) :])
        self.calls = 0
        self.packed: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []  # weights as oneDNN wants them, factors, zeros, biases
        self.factors: list[float] = []  # of the activations before each convolution, and after the last

    @torch.no_grad()
    def __call__(self, positions: Tensor) -> Tensor:
        """(B, points) float32 before softmax, of `positions` (B, 48 or its planes, size, size) uint8, zeros and ones.

        Raises InputError if its weights lead to what is not finite.
        """
        positions = positions[:, : self.network.input.shape[0]]
        if self.calls % _EVERY == 0:
            self._read_ranges(positions)
        self.calls += 1
        given = positions.contiguous(memory_format=torch.channels_last)
        beyond = torch.zeros(len(given), dtype=torch.bool)
        for place, (convolution, packed) in enumerate(zip(self.convolutions, self.packed, strict=True)):
            last = place == len(self.packed) - 1
            given = torch.ops.onednn.qconv2d_pointwise(
                given, self.factors[place], 0, *packed, convolution.stride,
                convolution.padding, convolution.dilation, convolution.groups, 1.0 if last else self.factors[place + 1], 0,
                torch.float32 if last else torch.uint8, "relu", [], "",
            )  # fmt: skip
            if not last:
                beyond |= given.permute(0, 2, 3, 1).reshape(len(given), -1).amax(1) == _LARGEST
        found = cast(Tensor, self.rest(given))
        if beyond.any():
            found[beyond] = answers(self.network, positions[beyond])
        return found

    def _read_ranges(self, positions: Tensor) -> None:
        given = positions[:: max(1, len(positions) // _BOARDS)].float().contiguous(memory_format=torch.channels_last)
        self.factors = [1.0]
        for convolution in self.convolutions:
            with autocast("cpu", fastest("cpu")):
                given = convolution(given).relu()
            largest = given.flatten(1).amax(1).float()
            if not largest.isfinite().all():
                raise InputError(f"the answers of {self.network.name} became infinite or undefined; learn at a smaller rate")
            self.factors.append(max(_ROOM * float(torch.quantile(largest, _MOST)), 1e-6) / _LARGEST)
        self.packed = [
            _packed(convolution, factor) for convolution, factor in zip(self.convolutions, self.factors[:-1], strict=True)
        ]


def possible(network: Network) -> bool:
    """Whether this machine multiplies 8-bit integers natively (VNNI, or AMX), and `network` is on it and of such a form."""
    vnni = getattr(torch.cpu, "_is_vnni_supported", bool)()  # torch's own affair, so it may go
    onednn = torch.backends.mkldnn.is_available() and hasattr(torch.ops.onednn, "qconv2d_pointwise")  # type: ignore[no-untyped-call]
    plain = set(network.input.mean) == {0.0} and set(network.input.std) == {1.0}
    ordered = isinstance(network.module, nn.Sequential) and len(_leading(list(network.module))) > 1
    return vnni and onednn and plain and ordered and network.device.type == "cpu"


def _leading(layers: list[nn.Module]) -> list[nn.Conv2d]:
    """The convolutions that begin a network, each with ReLU after it."""
    found = []
    for first, second in zip(layers[::2], layers[1::2], strict=False):
        if not isinstance(first, nn.Conv2d) or not isinstance(second, nn.ReLU):
            break
        if first.padding_mode != "zeros" or isinstance(first.padding, str):
            break
        found.append(first)
    return found


def _packed(convolution: nn.Conv2d, factor: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    weight = convolution.weight.float()
    factors = weight.abs().amax((1, 2, 3)).clamp_min(1e-12) / _OF_WEIGHTS
    zeros = torch.zeros(len(weight), dtype=torch.int64)
    integers = (weight / factors[:, None, None, None]).round().to(torch.int8)
    stride, padding, dilation = convolution.stride, convolution.padding, convolution.dilation
    packed = torch.ops.onednn.qconv_prepack(integers, factors, factor, 0, stride, padding, dilation, convolution.groups, None)
    return packed, factors, zeros, zeros.float() if convolution.bias is None else convolution.bias.float()
