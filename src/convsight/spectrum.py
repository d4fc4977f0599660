"""Colour pictures stored as spectra, which makes every step change all pixels together, as differences in photographs do."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from convsight.parametrization import Parametrization, Range, Seeds, bounded, colour, drawn

_RADIANS = 20.0  # a unit of a phase


class Fourier(Parametrization):
    """The picture's spectrum, divided by a power of the frequency as in photographs, through a sigmoid into `value_range`.

    `decay`: that power; waves of eight pixels are scaled alike at every one. With `decorrelated`, the three channels are
    principal components of the colours of photographs. Source: Olah, Mordvintsev, Schubert 2017, whose decay is 1.
    """

    scale: Tensor
    colour: Tensor

    def __init__(
        self, spectrum: Tensor, size: tuple[int, int], value_range: Range = (0.0, 1.0), *, decay: float, decorrelated: bool
    ) -> None:
        super().__init__()
        self.size, self.value_range, self.decorrelated = size, value_range, decorrelated
        self.spectrum = nn.Parameter(spectrum.clone())
        self.register_buffer("scale", 2 * (8 * _frequency(size, spectrum.dtype)) ** -decay)
        self.register_buffer("colour", colour(spectrum.dtype, 3))

    def forward(self) -> Tensor:
        spectrum = torch.view_as_complex(self.spectrum) * self.scale
        image = torch.fft.irfft2(spectrum, s=self.size, norm="ortho")
        if self.decorrelated:
            image = torch.einsum("oc,bchw->bohw", self.colour, image)
        return _squashed(image, self.value_range)


class FourierOverlay(Parametrization):
    """A picture and changes to it, of which a step makes long waves larger than short ones, held within `value_range`.

    What is stored is the changes' spectrum divided by a power of the frequency, but as pixels, so that it is as long as the
    picture. Source: ours, the preconditioning of Olah, Mordvintsev, Schubert 2017 around a given picture.
    """

    picture: Tensor
    scale: Tensor

    def __init__(self, picture: Tensor, value_range: Range = (0.0, 1.0), *, decay: float) -> None:
        super().__init__()
        self.value_range = value_range
        self.changes = nn.Parameter(torch.zeros_like(picture, memory_format=torch.contiguous_format))
        self.register_buffer("picture", picture)
        self.register_buffer("scale", (8 * _frequency(_size(picture), picture.dtype)) ** -decay)

    def forward(self) -> Tensor:
        changes = torch.fft.irfft2(torch.fft.rfft2(self.changes) * self.scale, s=_size(self.picture))
        return bounded(self.picture + changes, self.value_range)


class MagnitudeConstrained(Parametrization):
    """The phases of the picture's spectrum, whose magnitudes stay as they are in photographs; `value_range` as in `Fourier`.

    A picture cannot become noise so, only be arranged. Source: Fel et al. 2023, "Unlocking Feature Visualization for
    Deeper Networks with MAgnitude Constrained Optimization" (MaCo), section 3, without its mask.
    """

    magnitude: Tensor
    colour: Tensor

    def __init__(self, phases: Tensor, magnitude: Tensor, size: tuple[int, int], value_range: Range = (0.0, 1.0)) -> None:
        super().__init__()
        self.size, self.value_range = size, value_range
        self.phases = nn.Parameter(phases.clone())
        self.register_buffer("magnitude", magnitude)
        self.register_buffer("colour", colour(phases.dtype, phases.shape[1]))

    def forward(self) -> Tensor:
        spectrum = torch.polar(self.magnitude.expand_as(self.phases), _RADIANS * self.phases)
        image = torch.fft.irfft2(spectrum, s=self.size, norm="ortho")
        return _squashed(torch.einsum("oc,bchw->bohw", self.colour, image), self.value_range)


def fourier(
    shape: tuple[int, int, int],
    batch: int = 1,
    *,
    value_range: Range = (0.0, 1.0),
    decay: float = 1.25,
    decorrelated: bool | None = None,
    deviation: float = 0.01,
    seed: Seeds = 0,
    dtype: torch.dtype = torch.float32,
) -> Fourier:
    """A spectrum for pictures of `shape` (C, H, W), from normal noise.

    `deviation`: the noise's standard deviation in a square picture; in others less, so that they begin as grey as those.

    Zero coefficients are the middle of the value range. Colours are decorrelated by default if there are three channels.
    """
    channels, height, width = shape
    coefficients = (channels, height, width // 2 + 1, 2)
    noise = drawn(torch.randn, coefficients, batch, seed).to(dtype)
    spectrum = deviation * math.sqrt(height * width) / max(height, width) * noise
    if decorrelated is None:
        decorrelated = channels == 3
    made = Fourier(spectrum, (height, width), value_range, decay=decay, decorrelated=decorrelated)
    made.made = f"decay={decay:g}, decorrelated={decorrelated}, deviation={deviation:g}, seed={seed}"
    return made


def fourier_overlay(picture: Tensor, *, value_range: Range = (0.0, 1.0), decay: float = 0.5) -> FourierOverlay:
    """Changes, none at first, to `picture`: (B, C, H, W) float in `value_range`; waves of eight pixels are scaled alike.

    With the default `decay`, L-BFGS brings style transfer to the same loss in half the steps that it takes on pixels.
    """
    made = FourierOverlay(picture.detach(), value_range, decay=decay)
    made.made = f"on a picture, decay={decay:g}"
    return made


def maco(
    shape: tuple[int, int, int],
    batch: int = 1,
    *,
    value_range: Range = (0.0, 1.0),
    decay: float = 1.25,
    contrast: float = 1.5,
    seed: Seeds = 0,
    dtype: torch.dtype = torch.float32,
) -> MagnitudeConstrained:
    """Phases, random at first, for pictures of `shape` (C, H, W), with magnitudes that fall as frequency to the -`decay`.

    `contrast`: the standard deviation of each channel before colours are mixed and the sigmoid. A phase's unit is twenty
    radians, so that the learning rates that suit other parametrizations suit this one.
    """
    channels, height, width = shape
    frequency = _frequency((height, width), dtype)
    magnitude = frequency**-decay
    magnitude[0, 0] = 0.0  # on average grey
    twice = torch.full_like(frequency, 2.0)  # each column stands for two of the whole spectrum, save the first and an even last
    twice[:, 0] = 1.0
    if width % 2 == 0:
        twice[:, -1] = 1.0
    magnitude *= contrast * math.sqrt(height * width / (twice * magnitude**2).sum().item())
    phases = 2 * math.pi / _RADIANS * drawn(torch.rand, (channels, *frequency.shape), batch, seed).to(dtype)
    made = MagnitudeConstrained(phases, magnitude, (height, width), value_range)
    made.made = f"decay={decay:g}, contrast={contrast:g}, seed={seed}"
    return made


def _frequency(size: tuple[int, int], dtype: torch.dtype) -> Tensor:
    """Of each coefficient of half a spectrum, in cycles a pixel; that of the mean counts as the lowest other one."""
    height, width = size
    rows = torch.fft.fftfreq(height, dtype=dtype)[:, None]
    columns = torch.fft.rfftfreq(width, dtype=dtype)
    return torch.sqrt(rows**2 + columns**2).clamp_min(1 / max(height, width))


def _size(picture: Tensor) -> tuple[int, int]:
    return picture.shape[-2], picture.shape[-1]


def _squashed(image: Tensor, value_range: Range) -> Tensor:
    low, high = value_range
    return low + (high - low) * torch.sigmoid(image)
