from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
import soundfile
import torch

from convsight.cli import speech_options
from convsight.speech import audio, model, recognise, synthesis
from convsight.speech.data import read_textgrid
from convsight.speech.phones import PHONES
from convsight.speech.words import LEXICONS
from tests.conftest import Run


@pytest.fixture
def network() -> str:
    small = model.untrained(model.recogniser(filters=8), seed=0, mean=(15.0, 0.0, 0.0), std=(3.4, 0.8, 0.3))
    recogniser = recognise.Recogniser(small, torch.zeros(len(PHONES), len(PHONES)))
    recognise.save_recogniser(recogniser, Path("small.safetensors"))
    return "small.safetensors"


def test_a_corpus_is_made_learnt_judged_and_recognised(convsight: Run) -> None:
    made = convsight("speech", "synthesise", "corpus", "--count", 20, "--voices", "men")
    assert made.returncode == 0 and "20 sentences by 20 voices: corpus" in made.stdout
    assert len(list(Path("corpus").rglob("*.flac"))) == len(list(Path("corpus").rglob("*.TextGrid"))) == 20
    learnt = convsight("speech", "train", "corpus", "--epochs", 1, "--slides", "none", "--out", "mine.safetensors")
    assert learnt.returncode == 0 and "18 recordings to learn from" in learnt.stdout and "2 to judge by" in learnt.stdout
    card = recognise.load_recogniser("mine.safetensors").network.card
    assert card["command"].startswith("convsight speech train corpus --slides none --epochs 1")
    judged = convsight("speech", "evaluate", "corpus", "--network", "mine.safetensors", "--speakers", "m1,m2")
    assert judged.returncode == 0 and "of 2 recordings" in judged.stdout and "taken for" in judged.stdout
    heard = convsight("speech", "recognise", next(Path("corpus").rglob("*.flac")), "--network", "mine.safetensors")
    assert heard.returncode == 0
    for line in heard.stdout.splitlines():
        start, end, phone = line.split("\t")
        assert float(start) < float(end) and phone in PHONES
    on = convsight(
        "speech", "train", "corpus", "--start", "mine.safetensors", "--epochs", 1, "--without", "m1", "--out", "b.safetensors"
    )
    assert on.returncode == 0 and "19 recordings to learn from" in on.stdout


def test_a_corpus_is_made_in_mandarin(convsight: Run) -> None:
    made = convsight("speech", "synthesise", "corpus", "--language", "mandarin", "--count", 3, "--voices", "women")
    assert made.returncode == 0 and "3 sentences by 3 voices: corpus" in made.stdout
    judged = convsight("speech", "evaluate", "corpus")
    assert judged.returncode == 0 and "of 3 recordings" in judged.stdout
    Path("said.txt").write_text("我爱 you\n")
    refused = convsight("speech", "synthesise", "other", "--language", "mandarin", "--text", "said.txt", "--count", 1)
    assert refused.returncode == 2 and "for another language" in refused.stderr and not Path("other").exists()


def test_each_speaker_is_left_out_in_turn(convsight: Run) -> None:
    Path("said.txt").write_text("seven\nthree\nnine two\n")
    convsight("speech", "synthesise", "corpus", "--text", "said.txt", "--count", 3, "--voices", "men")
    alone = convsight("speech", "synthesise", "words", "--words", "--telephone", "--count", 4)
    assert alone.returncode == 0 and "4 words by 4 voices: words" in alone.stdout
    done = convsight("speech", "crossvalidate", "corpus", "--epochs", 1, "--words", "digits", "--both-ways", "--centred")
    assert done.returncode == 0 and "phone errors, silence not counted, of speakers never heard: speakers.md" in done.stdout
    lines = Path("speakers.md").read_text().splitlines()
    assert lines[0] == "| left out | recordings | phone errors | frames wrong | digits right |"
    speakers = sorted(each.name for each in Path("corpus").iterdir())
    assert [line.split(" | ")[0].strip("| ") for line in lines[2:]] == [*speakers, "mean"]
    on = convsight("speech", "crossvalidate", "corpus", "--start", "speech", "--both-ways")
    assert on.returncode == 2 and "--start says what the network is; leave --both-ways away" in on.stderr
    alone = convsight("speech", "crossvalidate", next(Path("corpus").iterdir()))
    assert alone.returncode == 2 and "two speakers at least" in alone.stderr
    convsight("speech", "train", "corpus", "--epochs", 1, "--slides", "none")
    known = convsight("speech", "crossvalidate", "corpus", "--start", "speech.safetensors")
    assert known.returncode == 2 and f"has learnt from {speakers[1]}, " in known.stderr


def test_what_the_options_offer_is_what_there_is() -> None:
    assert speech_options.POOLING == model.POOLING
    assert get_args(get_args(speech_options.Slides)[0]) == get_args(model.Slides)
    assert set(get_args(get_args(get_args(speech_options.Words)[0])[0])) == set(LEXICONS)


def test_recordings_are_aligned_beside_themselves(convsight: Run) -> None:
    Path("wavs").mkdir()
    for name, text in (("a", "seven"), ("b", "three")):
        audio.write(synthesis.utterance(text, "m1", seed=0)[0], Path(f"wavs/{name}.wav"))
    Path("said.csv").write_text("file,text\na.wav,seven\nb.wav,Three!\n")
    done = convsight("speech", "align", "wavs", "said.csv")
    assert done.returncode == 0 and "2 of 2 recordings" in done.stdout
    assert "TH" in Path("wavs/b.TextGrid").read_text().upper()
    Path("said.csv").write_text("file,text\na.wav,seven\nc.wav,three\n")
    assert "a transcript of c.wav, but no recording of it" in convsight("speech", "align", "wavs", "said.csv").stderr
    Path("said.csv").write_text("name,words\na.wav,seven\n")
    assert "needs the columns file and text; it has name, words" in convsight("speech", "align", "wavs", "said.csv").stderr
    Path("said.csv").write_text("file,text\na.wav,xqzzy\nb.wav,three\n")
    done = convsight("speech", "align", "wavs", "said.csv")
    assert done.returncode == 2 and "1 of 2 recordings" in done.stdout and 'has no "xqzzy"' in done.stderr


def test_forms(convsight: Run, network: str) -> None:
    samples, _ = synthesis.utterance("a good day", "f1", seed=0)
    for name in ("one", "two"):
        audio.write(samples, Path(f"{name}.wav"))
    lines = convsight("speech", "recognise", "one.wav", "two.wav", "--network", network, "--form", "jsonl").stdout.splitlines()
    rows = [json.loads(line) for line in lines]
    assert {row["file"] for row in rows} == {"one.wav", "two.wav"} and {*rows[0]} == {"file", "start", "end", "phone"}
    done = convsight("speech", "recognise", "one.wav", "--network", network, "--form", "textgrid", "--out", "labels")
    assert done.returncode == 0 and Path("labels/one.TextGrid").exists()
    words = convsight("speech", "recognise", "one.wav", "--network", network, "--words", "digits")
    assert words.returncode == 0
    spoken = synthesis.utterance("seven three", "m1", seed=0)[0]
    audio.write(spoken, Path("digits.wav"))
    done = convsight("speech", "recognise", "digits.wav", "--words", "digits", "--form", "textgrid")
    assert done.stdout.startswith("words of digits.wav: digits.TextGrid")
    assert [each.phone for each in read_textgrid(Path("digits.TextGrid"), "words") if each.phone] == ["seven", "three"]


@pytest.mark.parametrize("arguments", [["--words", "digits"], ["--form", "textgrid"], []])
def test_nothing_on_standard_input(convsight: Run, network: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO())))
    done = convsight("speech", "recognise", "-", "--network", network, *arguments)
    if "textgrid" in arguments:
        assert done.returncode == 2 and "there are no phones in what came on standard input" in done.stderr
    else:
        assert done.returncode == 0 and done.stdout == ""


def test_standard_input_is_heard_as_the_file_is(convsight: Run, network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    samples, _ = synthesis.utterance("a good day", "f1", seed=0)
    audio.write(samples, Path("one.wav"))
    expected = convsight("speech", "recognise", "one.wav", "--network", network).stdout
    raw = soundfile.read("one.wav", dtype="int16")[0].tobytes()
    for content in (raw, Path("one.wav").read_bytes()):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))
        assert convsight("speech", "recognise", "-", "--network", network).stdout == expected


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"samplerate": 44_100, "subtype": "PCM_16"}, "a .wav of 1 x 16 bits, 44,100 a second; give 16-bit mono samples"),
        ({"samplerate": 16_000, "subtype": "FLOAT"}, "a .wav of 1 x 32 bits, 16,000 a second"),
        ({"samplerate": 16_000, "subtype": "PCM_16", "format": "FLAC"}, "standard input is a compressed file"),
    ],
)
def test_other_samples_on_standard_input_are_refused(
    convsight: Run, network: str, form: dict[str, Any], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(content := io.BytesIO(), torch.randn(8_000).mul(0.1).numpy(), **{"format": "WAV", **form})
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content.getvalue()))))
    done = convsight("speech", "recognise", "-", "--network", network)
    assert done.returncode == 2 and problem in done.stderr and done.stdout == ""


def test_what_stands_before_the_samples_on_standard_input_is_no_sound(
    convsight: Run, network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ffmpeg writes to a pipe: a chunk about itself, and a length that isn't known."""
    audio.write(synthesis.utterance("a good day", "f1", seed=0)[0], Path("one.wav"))
    expected = convsight("speech", "recognise", "one.wav", "--network", network).stdout
    content = Path("one.wav").read_bytes()
    said = b"LIST" + (25).to_bytes(4, "little") + bytes(26)
    given = content[:36] + said + b"data" + b"\xff" * 4 + content[44:]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(given))))
    assert convsight("speech", "recognise", "-", "--network", network).stdout == expected


def test_the_shift_is_drawn(convsight: Run, network: str) -> None:
    done = convsight("speech", "shift", "--network", network)
    assert done.returncode == 0 and "filters answer" in done.stdout and Path("shift.png").stat().st_size > 5_000


def test_phones_and_filters_are_shown_with_sounds(convsight: Run, network: str) -> None:
    done = convsight("speech", "show", "--phone", "s,aa", "--network", network)
    assert done.returncode == 0 and Path("show.png").exists() and Path("show-aa.wav").exists() and Path("show-s.wav").exists()
    convsight("speech", "synthesise", "corpus", "--count", 3)
    done = convsight("speech", "show", "--filter", "0,5", "--corpus", "corpus", "--out", "f.png", "--network", network)
    assert done.returncode == 0 and Path("f.png").exists() and Path("f-3.wav").exists() and done.stdout.count(".flac, at") == 3


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["recognise", "nothing.wav", "--network", "small.safetensors"], "cannot read nothing.wav"),
        (["recognise", "text.wav", "--network", "small.safetensors"], "text.wav is no sound file"),
        (["recognise", "text.wav", "--network", "digits"], "digits is no network for speech"),
        (["recognise", "a/x.wav", "b/x.flac", "--form", "textgrid"], "a/x.wav and b/x.flac would both become x.TextGrid"),
        (["evaluate", "one", "--part", "CORE"], "'CORE' is not one of 'train', 'test', 'core'"),
        (["evaluate", "text.wav", "--network", "small.safetensors"], "text.wav is neither a folder nor a table"),
        (["evaluate", "nowhere", "--network", "small.safetensors"], "there is no file or folder nowhere"),
        (["train", "empty"], "empty holds no recordings with labels"),
        (["train", "one", "--without", "nobody"], 'no speaker "nobody"; there are one'),
        (["train", "one"], "there must be recordings to learn from, and others to judge by"),
        (["synthesise", "out", "--text", "none.txt"], "cannot read none.txt"),
        (["synthesise", "out", "--text", "none.txt", "--words"], "leave --words away"),
        (["align", "empty", "nowhere.csv"], "there is no file or folder nowhere.csv"),
        (["shift", "--woman", "nobody", "--network", "small.safetensors"], 'no voice "cmn+nobody"'),
        (["shift", "--out", "a.jpg", "--network", "small.safetensors"], "should end in .png"),
        (["show", "--phone", "xx", "--network", "small.safetensors"], 'knows no phone "xx"'),
        (["show", "--filter", "1,a", "--network", "small.safetensors"], '--filter is numbers, commas between, not "1,a"'),
        (["show", "--filter", "1", "--corpus", "nowhere", "--network", "small.safetensors"], "no file or folder nowhere"),
        (["show", "--filter", "a", "--network", "small.safetensors"], "--filter is numbers"),
        (["experiment", "--pooling", "a,3"], "--pooling is factors from 1 to 33"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(convsight: Run, network: str, arguments: list[str], problem: str) -> None:
    Path("text.wav").write_text("no sound")
    Path("empty").mkdir()
    Path("one").mkdir()
    audio.write(torch.zeros(16_000), Path("one/a.wav"))
    Path("one/a.PHN").write_text("0 16000 h#\n")
    before = {*Path().iterdir()}
    done = convsight("speech", *arguments)
    assert done.returncode == 2 and problem in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr and {*Path().iterdir()} == before
