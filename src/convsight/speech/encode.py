"""A sound to a spectrogram: log energies of mel bands, every ten milliseconds, and how fast they change.

Computed as Kaldi does, without dither, and within 0.001 of it wherever a band is no more than 78 dB below the loudest of its
frame; below that both are rounding. Source: Povey et al. 2011, "The Kaldi speech recognition toolkit"; for the three maps
Abdel-Hamid et al. 2014, "Convolutional neural networks for speech recognition", section III-A.
"""

from __future__ import annotations

from functools import cached_property

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import Tensor

from convsight.speech.audio import RATE

MELS = 40
STEP, LENGTH = RATE // 100, RATE // 40  # samples
FRAMES_A_SECOND = 100
REACH = 4  # frames before and after one that the change of its change depends on
_POINTS = 512
_LOWEST, _HIGHEST = 20.0, RATE / 2
_WARPED_BELOW = 4800.0  # Hz
_PREEMPHASIS = 0.97
_SCALE = 2.0**15  # of 16-bit samples
_BLOCK = 64  # frames: always one shape, so that a frame's numbers don't depend on what comes with it
_FIRST = torch.tensor([0.0, 0.0, -2.0, -1.0, 0.0, 1.0, 2.0, 0.0, 0.0]) / 10  # the slope over two frames each way
_SECOND = torch.tensor([4.0, 4.0, 1.0, -4.0, -10.0, -4.0, 1.0, 4.0, 4.0]) / 100  # the slope of that


class LogMel:
    """Log energies of `mels` bands. With `warp` 1.1 they are those of a vocal tract whose resonances lie 10% higher."""

    def __init__(self, mels: int = MELS, *, warp: float = 1.0) -> None:
        self.mels = mels
        self.warp = warp

    @cached_property
    def bands(self) -> Tensor:
        """(257, mels): what each frequency adds to each band; triangles, equally spaced in mel."""
        low, high = _mel(torch.tensor([_LOWEST, _HIGHEST], dtype=torch.float64))
        edges = low + (high - low) * torch.linspace(0, 1, self.mels + 2, dtype=torch.float64)
        frequencies = torch.arange(_POINTS // 2, dtype=torch.float64) * RATE / _POINTS
        places = _mel(_warped(frequencies, self.warp))[:, None]
        left, centre, right = edges[:-2], edges[1:-1], edges[2:]
        triangles = torch.minimum((places - left) / (centre - left), (right - places) / (right - centre)).clamp_min(0)
        return F.pad(triangles, (0, 0, 0, 1)).float()

    @cached_property
    def window(self) -> Tensor:
        """(400,): a Hann window to the power of 0.85."""
        return torch.hann_window(LENGTH, periodic=False, dtype=torch.float64).pow(0.85).float()

    def __call__(self, samples: Tensor) -> Tensor:
        """(N,) in [-1, 1] to (T, mels): a frame of 25 ms every 10 ms, none beyond the end; one at least.

        Frame t is of the samples from 160 t to 160 t + 400.
        """
        samples = F.pad(samples, (0, max(0, LENGTH - len(samples))))
        frames = samples.unfold(0, LENGTH, STEP)
        blocks = [self._block(F.pad(each, (0, 0, 0, _BLOCK - len(each)))) for each in torch.split(frames, _BLOCK)]
        return torch.cat(blocks)[: len(frames)]

    def _block(self, frames: Tensor) -> Tensor:
        frames = frames.float() * _SCALE
        frames = frames - frames.mean(1, keepdim=True)
        before = torch.cat([frames[:, :1], frames[:, :-1]], 1)
        power: Tensor = torch.fft.rfft((frames - _PREEMPHASIS * before) * self.window, _POINTS).abs().square()
        energies: Tensor = power @ self.bands
        return energies.clamp_min(torch.finfo(torch.float32).eps).log()


def features(samples: Tensor, log_mel: LogMel | None = None) -> Tensor:
    """(N,) in [-1, 1] to (3, mels, T): log energies, their change, and the change of that. Edges are repeated."""
    return with_changes((log_mel or LogMel())(samples))


def with_changes(energies: Tensor) -> Tensor:
    """(T, mels) to (3, mels, T): the energies, and their first and second regression over two frames each way."""
    return changes_inside(_repeated(energies, REACH, REACH))


def band_heard(warp: float, mels: int = MELS) -> Tensor:
    """(mels,): at which place among the bands is what a vocal tract with resonances `warp` times as high moves to each."""
    low, high = _mel(torch.tensor([_LOWEST, _HIGHEST]))
    centres = low + (high - low) * torch.arange(1, mels + 1) / (mels + 1)
    frequencies = 700.0 * ((centres / 1127.0).exp() - 1.0)
    places: Tensor = (_mel(_warped(frequencies, 1 / warp)) - low) * (mels + 1) / (high - low) - 1
    return places.clamp(0, mels - 1)


class FeatureStream:
    """`features` of a sound that comes in pieces of any length: the same numbers to the bit, as soon as they are certain."""

    def __init__(self, log_mel: LogMel | None = None) -> None:
        self._log_mel = log_mel or LogMel()
        self._samples = torch.zeros(0)
        self._energies = torch.zeros(0, self._log_mel.mels)
        self._begun = False

    def push(self, samples: Tensor) -> Tensor:
        """The frames (3, mels, n), n from 0, that `samples` (N,) make certain."""
        self._samples = torch.cat([self._samples, samples])
        ready = max(0, (len(self._samples) - LENGTH) // STEP + 1)
        if ready == 0:
            return torch.zeros(3, self._log_mel.mels, 0)
        return self._known(self._log_mel(self._samples[: (ready - 1) * STEP + LENGTH]), self._samples[ready * STEP :])

    def finish(self) -> Tensor:
        """The frames (3, mels, n) that waited for what would come after them."""
        if not self._begun:
            if not len(self._samples):
                return torch.zeros(3, self._log_mel.mels, 0)
            first = self._known(self._log_mel(self._samples), torch.zeros(0))
            return torch.cat([first, self.finish()], 2)
        return changes_inside(_repeated(self._energies, 0, REACH))

    def _known(self, energies: Tensor, left: Tensor) -> Tensor:
        if not self._begun:
            energies = _repeated(energies, REACH, 0)
            self._begun = True
        whole = torch.cat([self._energies, energies])
        self._samples, self._energies = left, whole[-2 * REACH :]
        return changes_inside(whole)


def changes_inside(energies: Tensor) -> Tensor:
    """(T + 8, mels) to (3, mels, T): `with_changes` of the frames whose neighbours are all there."""
    count = max(0, len(energies) - 2 * REACH)
    shifted = [energies[place : place + count] for place in range(2 * REACH + 1)]
    maps = [shifted[REACH], *(sum(map(torch.mul, taps, shifted), torch.zeros(())) for taps in (_FIRST, _SECOND))]
    return torch.stack(maps).transpose(1, 2)


def _repeated(energies: Tensor, before: int, after: int) -> Tensor:
    return torch.cat([energies[:1].expand(before, -1), energies, energies[-1:].expand(after, -1)])


def _mel(frequency: Tensor) -> Tensor:
    return 1127.0 * (1.0 + frequency / 700.0).log()


def _warped(frequency: Tensor, warp: float) -> Tensor:
    """Where `frequency` is heard; half the rate stays. Source: Jaitly and Hinton 2013, "Vocal tract length perturbation"."""
    bend = _WARPED_BELOW * min(warp, 1.0) / warp
    slope = (_HIGHEST - _WARPED_BELOW * min(warp, 1.0)) / (_HIGHEST - bend)
    return torch.where(frequency <= bend, warp * frequency, _HIGHEST - slope * (_HIGHEST - frequency))
