from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from convsight.errors import InputError
from convsight.speech import audio


def tone(rate: int) -> np.ndarray:
    return 0.4 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 96_000])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "ULAW"])
def test_any_rate_and_depth_is_the_same_sound(tmp_path: Path, rate: int, subtype: str) -> None:
    soundfile.write(tmp_path / "a.wav", np.stack([tone(rate), 0 * tone(rate)], 1), rate, subtype=subtype)
    found = audio.read(tmp_path / "a.wav")
    assert abs(len(found) - audio.RATE) <= 1
    middle = found[2_000:14_000]
    expected = torch.from_numpy(tone(audio.RATE)[2_000:14_000] / 2).float()  # the mean of a tone and silence
    assert (middle - expected).abs().max() < 0.01


@pytest.mark.parametrize("ending", ["flac", "ogg"])
def test_compressed_files_are_read(tmp_path: Path, ending: str) -> None:
    soundfile.write(tmp_path / f"a.{ending}", tone(16_000), 16_000)
    assert abs(len(audio.read(tmp_path / f"a.{ending}")) - 16_000) <= 1


def test_long_files_come_in_pieces_that_join(tmp_path: Path) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(25 * 22_050)
    soundfile.write(tmp_path / "a.wav", noise, 22_050, subtype="FLOAT")
    pieces = list(audio.blocks(tmp_path / "a.wav"))
    assert len(pieces) > 2 and abs(sum(map(len, pieces)) - 25 * audio.RATE) <= 2


def test_a_sphere_file_is_read_and_a_shortened_one_refused(tmp_path: Path) -> None:
    samples = (tone(16_000) * 2**15).astype("<i2")
    header = (
        b"NIST_1A\n   1024\nsample_count -i 16000\nsample_rate -i 16000\nchannel_count -i 1\nsample_n_bytes -i 2\n"
        b"sample_byte_format -s2 01\nsample_sig_bits -i 16\nsample_coding -s3 pcm\nend_head\n"
    )
    (tmp_path / "SX1.WAV").write_bytes(header.ljust(1024) + samples.tobytes())
    assert torch.equal(audio.read(tmp_path / "SX1.WAV"), torch.from_numpy(samples.astype(np.float32) / 2**15))
    shortened = header.replace(b"-s3 pcm", b"-s26 pcm,embedded-shorten-v2.00")
    (tmp_path / "SX2.WAV").write_bytes(shortened.ljust(1024) + b"ajkg" + bytes(100))
    with pytest.raises(InputError, match="compressed with shorten; unpack it first"):
        audio.read(tmp_path / "SX2.WAV")


def test_what_is_no_sound_is_said(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("this is no sound")
    with pytest.raises(InputError, match=r"text\.wav is no sound file"):
        audio.read(tmp_path / "text.wav")
    with pytest.raises(InputError, match=r"cannot read .*: No such file"):
        audio.read(tmp_path / "missing.wav")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 16_000)
    with pytest.raises(InputError, match="holds no sound"):
        audio.read(tmp_path / "empty.wav")
    undefined = tone(16_000)
    undefined[5] = np.nan
    soundfile.write(tmp_path / "nan.wav", undefined, 16_000, subtype="FLOAT")
    with pytest.raises(InputError, match="a sample is infinite or undefined"):
        audio.read(tmp_path / "nan.wav")
    soundfile.write(tmp_path / "whole numbers.wav", 2**15 * tone(16_000), 16_000, subtype="FLOAT")
    with pytest.raises(InputError, match=r"a sample is 13,\d+, and sound lies between -1 and 1"):
        audio.read(tmp_path / "whole numbers.wav")
    soundfile.write(tmp_path / "whole.flac", 0.1 * np.random.default_rng(0).standard_normal(64_000), 16_000)
    content = (tmp_path / "whole.flac").read_bytes()
    (tmp_path / "half.flac").write_bytes(content[: len(content) // 2])
    (tmp_path / "almost.flac").write_bytes(content[:-10])
    with pytest.raises(InputError, match=r"almost\.flac (is cut off|can't be read to its end)"):
        audio.read(tmp_path / "almost.flac")
    with pytest.raises(InputError, match=r"half\.flac (is cut off|can't be read to its end|is no sound file)"):
        audio.read(tmp_path / "half.flac")


def test_one_sample_and_zeros_are_sounds(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", np.ones(1), 16_000)
    soundfile.write(tmp_path / "zeros.wav", np.zeros(100), 16_000)
    assert len(audio.read(tmp_path / "one.wav")) == 1 and not audio.read(tmp_path / "zeros.wav").any()


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    samples = torch.from_numpy(tone(16_000)).float()
    for ending in ("wav", "flac"):
        audio.write(samples, tmp_path / f"a.{ending}")
        assert (audio.read(tmp_path / f"a.{ending}") - samples).abs().max() < 1e-4
    with pytest.raises(InputError, match=r"should end in \.wav or \.flac"):
        audio.write(samples, tmp_path / "a.mp3")
