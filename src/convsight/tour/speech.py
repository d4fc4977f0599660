"""Chapter 4: speech, row L10."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator

from torch import Tensor

from convsight.pictures import png
from convsight.speech import espeak, score, synthesis, views
from convsight.speech.audio import RATE
from convsight.speech.phones import SILENCE
from convsight.speech.recognise import Recogniser, load_recogniser
from convsight.tour.page import Picture, Section, Sound

TITLE = "4. Speech"
SECTIONS = 2
NETWORKS = ("speech",)
MAN, WOMAN, GREETING = "m1", "f2", "你好"
SENTENCE = "The big yellow bird sings."
OPEN = 'from convsight.speech import audio, recognise, views; hears = recognise.load_recogniser("speech")'
MEASURED = (
    ("filters slide along", "pooling", "men, other sentences", "women", "voiced frames", "unvoiced"),
    ("frequency", "6", "1.0%", "23.7%", "33.3%", "6.2%"),
    ("frequency", "3", "1.0%", "29.6%", "40.1%", "5.3%"),
    ("frequency", "1", "0.6%", "36.4%", "48.7%", "4.8%"),
    ("both", "6", "1.8%", "25.1%", "35.2%", "7.6%"),
    ("time", "3", "1.0%", "35.9%", "47.1%", "6.4%"),
    ("neither: fully connected", "", "1.1%", "35.3%", "46.9%", "6.1%"),
)  # benchmarks/speech_shift.md


def introduction() -> str:
    """What changes when the picture is a spectrogram."""
    return (
        "A spectrogram is a picture: time across, frequency up, dark where there is sound. What is said stands at the same "
        "place for nobody: a woman's shorter throat moves all of it up. So the filters slide along frequency and pooling "
        "along frequency takes the shift up, while each filter spans its window of time whole: what follows what is left to "
        "an LSTM."
    )


def sections(_seed: int, _device: str) -> Iterator[Section]:
    """The shift between two voices, what it does to networks, and a sentence heard."""
    recogniser = load_recogniser("speech")
    yield _shifted(recogniser)
    yield _heard(recogniser)


def _shifted(recogniser: Recogniser) -> Section:
    seen = views.shift(recogniser, GREETING, man=MAN, woman=WOMAN)
    answering = seen.movements[~seen.movements.isnan()]
    said = [(each, espeak.speak(GREETING, each, language="cmn")) for each in (MAN, WOMAN)]
    return Section(
        row="L10",
        title="What differs between a man's and a woman's voice?",
        claim="The same by a man and a woman differs by a shift along frequency; a filter that slides there hears both.",
        picture=Picture(
            png(seen.picture),
            "Two spectrograms of one greeting, and how many filters answer how much higher in the second",
            f"convsight speech shift {GREETING} --man {MAN} --woman {WOMAN}",
            f'{OPEN}; views.shift(hears, "{GREETING}", man="{MAN}", woman="{WOMAN}")',
            smooth=True,
        ),
        finding=f"Of {len(answering)} filters, {int((answering > 0).sum())} give the same answer higher up in the woman's "
        f"saying, by {float(answering.median()):.0f} of 40 mel bands at the median. Networks that learnt 1,000 sentences by 20 "
        "men, tried on 16 women; phone errors, and frames wrong, means of three trainings. Unvoiced sounds hardly shift, "
        "and hardly suffer:",
        table=MEASURED,
        sounds=tuple(
            Sound(_wav(synthesis.resampled(spoken.samples, spoken.rate, RATE)), f"{GREETING}, {name}")
            for (_, spoken), name in zip(said, ("a man", "a woman"), strict=True)
        ),
    )


def _heard(recogniser: Recogniser) -> Section:
    samples, segments = synthesis.utterance(SENTENCE, WOMAN, seed=0)
    seen = views.heard(recogniser, samples)
    spoken, heard = ([each.phone for each in some if each.phone != SILENCE] for some in (segments, seen.segments))
    return Section(
        row="L10",
        title="What does the network hear?",
        claim="Convolution for frequency, a recurrent network for time, and out come phones.",
        picture=Picture(
            png(seen.picture),
            "A spectrogram with the recognised phones under it",
            "convsight speech recognise sentence.wav",
            f'from pathlib import Path; {OPEN}; views.heard(hears, audio.read(Path("sentence.wav")))',
            smooth=True,
        ),
        finding=f"Heard: {' '.join(heard)}. Said: {' '.join(spoken)}. That is {score.phone_error([spoken], [heard]):.0%} phone "
        "errors, for a voice of espeak-ng whose other sentences it has learnt.",
        sounds=(Sound(_wav(samples), SENTENCE),),
    )


def _wav(samples: Tensor) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples.clamp(-1, 1) * (2**15 - 1)).short().numpy().tobytes())
    return content.getvalue()
