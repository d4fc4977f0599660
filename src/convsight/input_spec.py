"""What a network takes: the shape of its input, the range of its values, and how they are normalised."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, prod

from torch import Tensor

from convsight.errors import InputError, by

_MOST_NUMBERS = 2**28


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

    def __post_init__(self) -> None:
        """Raises InputError if the numbers make no sense together."""
        if len(self.shape) != 3 or not all(isinstance(each, int) and each >= 1 for each in self.shape):
            raise InputError(f"the shape of an input is (channels, height, width), not {self.shape}")
        if prod(self.shape) > _MOST_NUMBERS:
            raise InputError(f"an input of {by(self.shape)} has more than {_MOST_NUMBERS:,} numbers")
        low, high = self.value_range
        if not (isfinite(high - low) and low < high):
            raise InputError(f"the value range of an input goes from a number to a larger one, not {self.value_range}")
        for name, each in (("mean", self.mean), ("std", self.std)):
            if len(each) not in (1, self.shape[0]) or not all(map(isfinite, each)) or (name == "std" and 0 in each):
                raise InputError(f"the {name} of an input is one number, or {self.shape[0]}, not {each}")

    def scaled(self, picture: Tensor) -> Tensor:
        """`picture` in [0, 1] to the value range."""
        low, high = self.value_range
        return low + (high - low) * picture

    def normalise(self, given: Tensor) -> Tensor:
        """(B, C, H, W) in the value range to what the module takes."""
        mean, std = (given.new_tensor(each).view(1, -1, 1, 1) for each in (self.mean, self.std))
        return (given - mean) / std
