"""Speech, row L10."""

from __future__ import annotations

import io
import wave

import torch
from torch import Tensor

from convsight.pictures import png
from convsight.speech import espeak, show, synthesis, views
from convsight.speech.audio import RATE
from convsight.speech.recognise import load_recogniser, recognise
from convsight.tour.page import Answer, Picture, Section, Sound

NETWORKS = ("speech",)
MAN, WOMAN, GREETING = "m1", "f2", "你好"
PHONES = ["s", "sh", "iy", "uw", "aa", "m"]
OPEN = 'from convsight.speech import recognise, views; hears = recognise.load_recogniser("speech")'
MEASURED = (
    ("filters slide along", "pooling", "men, other sentences", "women", "voiced frames", "unvoiced"),
    ("frequency", "12", "4.2%", "12.3%", "15.7%", "9.2%"),
    ("frequency", "6", "1.5%", "23.2%", "31.5%", "6.4%"),
    ("frequency", "3", "1.2%", "30.7%", "41.1%", "4.7%"),
    ("frequency", "1", "1.0%", "39.0%", "51.7%", "4.3%"),
    ("frequency, time", "6, 3", "2.2%", "25.6%", "33.8%", "7.9%"),
    ("time", "3", "1.5%", "38.0%", "48.9%", "5.8%"),
    ("neither: fully connected", "", "1.5%", "37.6%", "48.4%", "6.2%"),
)  # benchmarks/speech_shift.md


def shifted(_seed: int, _device: str) -> Section:
    """The shift between two voices, and what it does to networks."""
    recogniser = load_recogniser("speech")
    seen = views.shift(recogniser, GREETING, man=MAN, woman=WOMAN)
    answering = seen.movements[~seen.movements.isnan()]
    said = [(each, espeak.speak(GREETING, each, language="cmn")) for each in (MAN, WOMAN)]
    return Section(
        title="What differs between a man's and a woman's voice?",
        asked="One greeting by two voices: where does each filter answer?",
        picture=Picture(
            png(seen.picture),
            "Two spectrograms of one greeting, and how many filters answer how much higher in the second",
            f"convsight speech shift {GREETING} --man {MAN} --woman {WOMAN}",
            f'{OPEN}; views.shift(hears, "{GREETING}", man="{MAN}", woman="{WOMAN}")',
            smooth=True,
        ),
        finding=f"Of {len(answering)} filters, {int((answering > 0).sum())} give the same answer higher up in the woman's "
        f"saying, by {float(answering.median()):.0f} of 40 mel bands at the median. Networks that learnt 1,000 sentences by 20 "
        "men's voices, tried on 16 women's, all of the synthesiser espeak-ng; phone errors, and frames wrong, means of three "
        "trainings. Unvoiced sounds hardly shift, and hardly suffer:",
        table=MEASURED,
        sounds=tuple(
            Sound(_wav(synthesis.resampled(spoken.samples, spoken.rate, RATE)), f"{GREETING}, {name}")
            for (_, spoken), name in zip(said, ("a man", "a woman"), strict=True)
        ),
        answer=Answer(
            "in part",
            "Filters that slide along frequency help: of networks that learnt men's voices only, those that have them err in "
            "23.2% of women's phones, fully connected ones in 37.6% (synthetic voices). But a shift is not all that differs: "
            "of other sentences by men it is 1.5%, and pooling far enough for women (12.3%) costs men (4.2%). Sliding along "
            "time, too, is of no further help before an LSTM: 25.6%. Nor is it without one: in windows of 15 frames small "
            "networks do better by it (by 2.7% ± 2.1% to 3.7% ± 0.5%), but not surely whole ones, and convsight fit has "
            "filters span time with four of five seeds.",
        ),
        introduction="A spectrogram is a picture: time across, frequency up, dark where there is sound. The same word stands "
        "higher or lower with each speaker: a woman's shorter throat moves all of it up. So the filters slide along frequency "
        "and pooling along frequency takes the shift up, while each filter spans its window of time whole: what follows what "
        "is left to an LSTM.",
    )


def looked_like(_seed: int, _device: str) -> Section:
    """What phones look like to the network, as spectrograms and sounds."""
    recogniser = load_recogniser("speech")
    seen = views.phones(recogniser, PHONES)
    sounds = [show.sound(each) for each in seen.energies]
    heard = [
        phone in [each.phone for each in recognise(recogniser, [sound])] for phone, sound in zip(PHONES, sounds, strict=True)
    ]
    middle = seen.energies.shape[1] // 2
    power = seen.energies[:, middle - 2 : middle + 3].exp().mean(1)
    bands = (power * torch.arange(power.shape[1])).sum(1) / power.sum(1)
    lying = [f"{phone} {band:.0f}" for phone, band in zip(PHONES, bands.tolist(), strict=True)]
    return Section(
        title="What does a phone look like to the network?",
        asked="The network is fixed, the spectrogram is the parameter: what makes it surest of each phone?",
        picture=Picture(
            png(seen.picture),
            "Six spectrograms, found by gradient ascent",
            f"convsight speech show --phone {','.join(PHONES)}",
            f"{OPEN}; views.phones(hears, {PHONES})",
            smooth=True,
        ),
        finding=f"Where the energy lies in the middle of each, in bands from 0, low, to 39: {', '.join(lying)}. The hisses are "
        "high, as they are when spoken; the nasal, low when spoken, is high, too: what makes a network surest needn't look "
        f"like speech. Yet made sounds again, by Griffin and Lim's method, it hears the phone in {sum(heard)} of these six.",
        sounds=tuple(
            Sound(_wav(sound), f"{phone}, as the network imagines it") for phone, sound in zip(PHONES, sounds, strict=True)
        ),
    )


def _wav(samples: Tensor) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples.clamp(-1, 1) * (2**15 - 1)).short().numpy().tobytes())
    return content.getvalue()
