"""What a filter looks for and what a phone sounds like to a network: found by gradient ascent, or among real sounds."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from convsight.errors import InputError, did_you_mean
from convsight.network import Network
from convsight.objectives import Activations, Objective, neuron
from convsight.optimizers import adam
from convsight.parametrization import Parametrization
from convsight.spectrum import fourier
from convsight.speech.audio import RATE
from convsight.speech.data import Corpus
from convsight.speech.encode import LENGTH, REACH, STEP, LogMel, changes_inside
from convsight.speech.recognise import Recogniser, filters_of, frames_of
from convsight.visualization import Visualization
from convsight.visualize import visualize

QUIET, LOUD = 6.0, 24.0  # of log energies that are drawn
FRAMES = 41  # of a phone, with what is around it
_POINTS, _ROUNDS = 512, 60


class Energies(Parametrization):
    """Log energies, smooth along both axes, with their changes, as a network for speech takes them: (B, 3, mels, T)."""

    def __init__(self, batch: int, mels: int, frames: int, *, seed: int = 0) -> None:
        super().__init__()
        self.made = f"{frames} frames, seed {seed}"
        self.smooth = fourier((1, mels, frames + 2 * REACH), batch, value_range=(QUIET, LOUD), decay=2.0, seed=seed)

    def forward(self) -> Tensor:
        return torch.stack([changes_inside(each[0].T) for each in self.smooth()])


def filter_pattern(recogniser: Recogniser, numbers: list[int], *, steps: int = 128, seed: int = 0) -> Visualization:
    """The window, (B, 3, mels, window), that excites each of the first convolution's filters most, at its middle place.

    Raises InputError as `visualize` does, or `filters_of`.
    """
    filters_of(recogniser.network)
    whole = recogniser.network
    seen = Network(frames_of(whole).window, whole.input, name=whole.name)
    start = Energies(len(numbers), *whole.input.shape[1:], seed=seed)
    return visualize(seen, neuron("conv1", numbers), start, steps=steps, optimizer=adam(0.05), seed=seed)


def phone_pattern(recogniser: Recogniser, names: list[str], *, steps: int = 256, seed: int = 0) -> Visualization:
    """The spectrogram, (B, 3, mels, FRAMES), in whose middle the network is surest of each of these phones.

    Raises InputError if it knows no such phone.
    """
    network = recogniser.network
    for each in names:
        if each not in recogniser.phones:
            raise InputError(f'{network.name} knows no phone "{each}"{did_you_mean(each, recogniser.phones)}')
    numbers = torch.tensor([recogniser.phones.index(each) for each in names])

    def score(activations: Activations) -> Tensor:
        answers = activations["output"].float()[:, FRAMES // 3 : 2 * FRAMES // 3]
        own = answers.gather(2, numbers.to(answers.device)[:, None, None].expand(-1, answers.shape[1], 1))[..., 0]
        return (own - answers.mean(2)).mean(1)

    objective = Objective({"output": None}, score, f"phone({', '.join(names)})", len(names))
    start = Energies(len(names), network.input.shape[1], FRAMES, seed=seed)
    return visualize(network, objective, start, steps=steps, optimizer=adam(0.05), seed=seed, precision=torch.float32)


@torch.no_grad()
def exciting(recogniser: Recogniser, corpus: Corpus, number: int, *, count: int = 5) -> list[tuple[int, int, float]]:
    """Where filter `number` answers most in `corpus`: the utterance's place, the window's middle frame, the answer.

    One window of an utterance. Raises InputError if there is no such filter, or as `filters_of` does.
    """
    network, frames, filters = recogniser.network, frames_of(recogniser.network), filters_of(recogniser.network)
    if not 0 <= number < filters.out_channels:
        raise InputError(f"there are {filters.out_channels} filters, from 0; there is no {number}")
    found = []
    for place, features in enumerate(corpus.features):
        windows = frames.windows(frames.edged(network.input.normalise(features[None])))
        answers = filters(windows)[:, number].flatten(1).amax(1)
        found.append((place, int(answers.argmax()), float(answers.max())))
    return sorted(found, key=lambda row: -row[2])[:count]


def piece(samples: Tensor, frame: int, *, seconds: float = 0.3) -> Tensor:
    """What of `samples`, (N,), lies around a frame."""
    middle, reach = frame * STEP + LENGTH // 2, int(seconds / 2 * RATE)
    return samples[max(0, middle - reach) : middle + reach]


def sound(energies: Tensor, *, seed: int = 0) -> Tensor:
    """A sound with these log energies, (T, mels): (160 T + 240,) in [-1, 1], as loud as fits.

    Bands become frequencies by least squares, and phases are sought that agree with one another.
    Source: Griffin and Lim 1984, "Signal estimation from modified short-time Fourier transform"; Perraudin et al. 2013 for
    the momentum.
    """
    bands = LogMel(energies.shape[1]).bands
    power = (energies.exp() @ torch.linalg.pinv(bands)).clamp_min(0)
    magnitude = power.sqrt().T  # (257, T)
    window = torch.hann_window(_POINTS)
    phase = 2 * torch.pi * torch.rand(magnitude.shape, generator=torch.Generator().manual_seed(seed))
    guess = torch.polar(magnitude, phase)
    before = torch.zeros_like(guess)
    length = STEP * energies.shape[0]
    for _ in range(_ROUNDS):
        samples = torch.istft(guess, _POINTS, STEP, window=window, length=length)
        again = torch.stft(samples, _POINTS, STEP, window=window, return_complex=True, pad_mode="constant")
        again = again[:, : magnitude.shape[1]]
        ahead = again + 0.99 * (again - before)
        guess, before = magnitude * ahead / ahead.abs().clamp_min(1e-9), again
    samples = torch.istft(guess, _POINTS, STEP, window=window, length=length)
    late = nn.functional.pad(samples, (LENGTH // 2, LENGTH // 2 - STEP))  # torch counts frames from their middles
    return _deemphasised(late)


def _deemphasised(samples: Tensor) -> Tensor:
    """Without the emphasis that `LogMel` gives to high frequencies, and as loud as fits."""
    taps = 0.97 ** torch.arange(512, dtype=torch.float32).flip(0)
    flat = nn.functional.conv1d(nn.functional.pad(samples, (511, 0))[None, None], taps[None, None])[0, 0]
    return 0.9 * flat / flat.abs().max().clamp_min(1e-9)
