from __future__ import annotations

from pathlib import Path

import pytest
import torch
from praatio import textgrid

from convsight.errors import InputError
from convsight.speech import audio, data, phones
from convsight.speech.segments import Segment

SPHERE = (
    b"NIST_1A\n   1024\nsample_count -i 16000\nsample_rate -i 16000\nchannel_count -i 1\nsample_n_bytes -i 2\n"
    b"sample_byte_format -s2 01\nsample_sig_bits -i 16\nsample_coding -s3 pcm\nend_head\n"
).ljust(1024)
SIXTY_ONE = [
    "iy",
    "ih",
    "eh",
    "ey",
    "ae",
    "aa",
    "aw",
    "ay",
    "ah",
    "ao",
    "oy",
    "ow",
    "uh",
    "uw",
    "ux",
    "er",
    "ax",
    "ix",
    "axr",
    "ax-h",
    "jh",
    "ch",
    "b",
    "d",
    "g",
    "p",
    "t",
    "k",
    "dx",
    "q",
    "s",
    "sh",
    "z",
    "zh",
    "f",
    "th",
    "v",
    "dh",
    "m",
    "n",
    "ng",
    "em",
    "en",
    "eng",
    "nx",
    "l",
    "r",
    "w",
    "y",
    "hh",
    "hv",
    "el",
    "bcl",
    "dcl",
    "gcl",
    "pcl",
    "tcl",
    "kcl",
    "pau",
    "epi",
    "h#",
]


def timit(root: Path) -> None:
    for split, speaker in (("TRAIN", "FCJF0"), ("TEST", "MDAB0"), ("TEST", "FAKS0")):
        folder = root / split / "DR1" / speaker
        folder.mkdir(parents=True)
        for name in ("SA1", "SX37"):
            (folder / f"{name}.WAV").write_bytes(SPHERE + bytes(32_000))
            step = 16_000 // len(SIXTY_ONE)
            rows = [f"{place * step} {(place + 1) * step} {label}" for place, label in enumerate(SIXTY_ONE)]
            (folder / f"{name}.PHN").write_text("\n".join(rows) + "\n")


def test_timits_layout_is_read_without_the_sentences_that_all_speak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len({*SIXTY_ONE}) == 61
    timit(tmp_path)
    found = data.load(tmp_path)
    assert [each.path.name for each in found] == ["SX37.WAV"] * 3
    assert [each.speaker for each in data.load(tmp_path, part="train")] == ["FCJF0"]
    assert [each.speaker for each in data.load(tmp_path, part="test")] == ["FAKS0", "MDAB0"]
    assert [each.speaker for each in data.load(tmp_path, part="core")] == ["MDAB0"]
    monkeypatch.chdir(tmp_path / "TEST")
    assert [each.speaker for each in data.load(Path(), part="core")] == ["MDAB0"]
    rows = found[0].segments
    assert [each.phone for each in rows] == [phones.timit(each) for each in SIXTY_ONE]
    assert rows[1].start == pytest.approx(16_000 // 61 / 16_000)
    heard, labels, _ = next(data.encode(found))
    assert heard.shape == (3, 40, 98) and labels.shape == (98,) and int(labels.max()) < 39


def test_the_core_test_set_has_24_speakers_8_of_them_women() -> None:
    assert len(data.CORE_TEST) == 24 and sum(each.startswith("f") for each in data.CORE_TEST) == 8


def recording(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    audio.write(0.1 * torch.randn(16_000), path)


def test_textgrids_are_written_and_read(tmp_path: Path) -> None:
    recording(tmp_path / "anna/one.flac")
    rows = [Segment(0.0, 0.2, "sil"), Segment(0.2, 0.5, "w"), Segment(0.5, 0.9, "ah"), Segment(0.9, 1.0, "sil")]
    data.write_textgrid(rows, tmp_path / "anna/one.TextGrid")
    (found,) = data.load(tmp_path)
    assert found.speaker == "anna" and found.path.name == "one.flac"
    assert [(each.phone, round(each.start, 6)) for each in found.segments] == [
        ("sil", 0.0),
        ("w", 0.2),
        ("ah", 0.5),
        ("sil", 0.9),
    ]


GRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 1
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "{tier}"
        xmin = 0
        xmax = 1
        intervals: size = 2
        intervals [1]:
            xmin = {first}
            xmax = {until}
            text = "AH0"
        intervals [2]:
            xmin = {second}
            xmax = 1
            text = "T"
"""


def test_gaps_in_textgrids_are_silence_and_overlaps_are_said(tmp_path: Path) -> None:
    recording(tmp_path / "a.wav")
    grid = tmp_path / "a.TextGrid"
    grid.write_text(GRID.format(tier="phones", first=0.1, until=0.4, second=0.6))
    assert [each.phone for each in data.load(tmp_path)[0].segments] == ["sil", "ah", "sil", "t"]
    grid.write_text(GRID.format(tier="phones", first=0.1, until=0.7, second=0.6))
    with pytest.raises(InputError, match=r"a\.TextGrid: t at 0\.6 s begins before ah ends, at 0\.7 s"):
        data.load(tmp_path)
    for first, until in ((-0.2, 0.3), (0.3, 0.2), (0.1, "1e999")):
        grid.write_text(GRID.format(tier="phones", first=first, until=until, second=0.6))
        with pytest.raises(InputError, match=f"a segment ah from {float(first):g} s to {float(until):g} s makes no sense"):
            data.load(tmp_path)
    grid.write_text(GRID.format(tier="words", first=0.1, until=0.4, second=0.6))
    with pytest.raises(InputError, match='has no tier "phones"; it has words'):
        data.load(tmp_path)
    whole = GRID.format(tier="phones", first=0.1, until=0.4, second=0.6).encode()
    for broken in (b"nothing of this kind", b"", bytes(range(256)), whole[:-30], whole.replace(b"xmin = 0.1", b"xmin = 1.2.3")):
        grid.write_bytes(broken)
        with pytest.raises(InputError, match=r"a\.TextGrid is no TextGrid"):
            data.load(tmp_path)


@pytest.mark.parametrize("form", ["long_textgrid", "short_textgrid"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_textgrids_of_any_form_are_read_as_praatio_writes_them(tmp_path: Path, form: str, encoding: str) -> None:
    rows = [(0.1, 0.25, "ʃ"), (0.25, 0.5, 'say "a" [1] = 2')]
    whole = textgrid.Textgrid()
    whole.addTier(textgrid.PointTier("beeps", [(0.3, "here"), (0.4, "")], minT=0, maxT=1.5))
    whole.addTier(textgrid.IntervalTier("phones", rows, minT=0, maxT=1.5))
    whole.save(str(tmp_path / "a.TextGrid"), format=form, includeBlankSpaces=True)
    (tmp_path / "a.TextGrid").write_text((tmp_path / "a.TextGrid").read_text(encoding="utf-8"), encoding=encoding)
    found = data.read_textgrid(tmp_path / "a.TextGrid")
    assert [(each.start, each.end, each.phone) for each in found] == [(0.0, 0.1, ""), *rows, (0.5, 1.5, "")]
    assert data.read_textgrid(tmp_path / "a.TextGrid", "beeps") == []


def test_files_are_found_whatever_they_are_called(tmp_path: Path) -> None:
    rows = [Segment(0.0, 0.5, "s"), Segment(0.5, 1.0, "iy")]
    for name in ("take [1]", "a.b", "声 ü"):
        recording(tmp_path / f"{name}.wav")
        data.write_textgrid(rows, tmp_path / f"{name}.textgrid")
    (tmp_path / "._a.b.textgrid").write_bytes(b"what a Mac leaves")
    assert [each.path.stem for each in data.load(tmp_path)] == ["a.b", "take [1]", "声 ü"]
    with pytest.raises(InputError, match='holds no part "train" of TIMIT'):
        data.load(tmp_path, part="train")


def test_labels_of_a_longer_recording_are_said(tmp_path: Path) -> None:
    recording(tmp_path / "a.wav")
    data.write_textgrid([Segment(0.0, 0.5, "s"), Segment(1.5, 2.0, "iy")], tmp_path / "a.TextGrid")
    with pytest.raises(InputError, match=r"a\.wav ends at 1\.00 s, but a phone is labelled at 1\.50 s"):
        list(data.encode(data.load(tmp_path)))
    data.write_textgrid([Segment(0.0, 0.5, "s"), Segment(0.5, 2.0, "iy")], tmp_path / "a.TextGrid")
    assert len(list(data.encode(data.load(tmp_path)))) == 1


def test_of_finals_of_pinyin_each_phone_has_its_part(tmp_path: Path) -> None:
    recording(tmp_path / "one.wav")
    table = tmp_path / "labels.csv"
    table.write_text("file,start,end,phone\none.wav,0,0.1,sil\none.wav,0.1,0.2,zh\none.wav,0.2,0.5,uang1\n")
    (found,) = data.load(table)
    assert [each.phone for each in found.segments] == ["sil", "jh", "w", "aa", "ng"]
    assert [each.start for each in found.segments] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert found.segments[-1].end == 0.5


def test_a_table_is_read(tmp_path: Path) -> None:
    recording(tmp_path / "x/one.wav")
    table = tmp_path / "labels.csv"
    table.write_text("file,start,end,phone,speaker\nx/one.wav,0.2,0.5,ʌ,ann\nx/one.wav,0.1,0.2,w,ann\n")
    (found,) = data.load(table)
    assert found.speaker == "ann" and [each.phone for each in found.segments] == ["sil", "w", "ah"]
    table.write_text("file,start,end,phone\nx/one.wav,0.2,a while,t\n")
    with pytest.raises(InputError, match="line 2: start and end are not seconds"):
        data.load(table)
    table.write_text("file,start,phone\nx/one.wav,0.2,t\n")
    with pytest.raises(InputError, match='has no column "end"; it has file, start, phone'):
        data.load(table)
    for rows, problem in (
        ("x/one.wav,0.2", "row 2: it has fewer cells than the first"),
        ("x/one.wav,0.2,0.3,t,u", "row 2: it has more cells than the first"),
        ('"x/one.wav,0.2,0.3,t', "is no table that can be read"),
        ("x/one.wav,-0.2,0.3,t", "from -0.2 s to 0.3 s makes no sense"),
        ("x/one.wav,nan,0.3,t", "from nan s to 0.3 s makes no sense"),
        ("x/one.wav,0,inf,t", "from 0 s to inf s makes no sense"),
    ):
        table.write_text(f"file,start,end,phone\n{rows}\n")
        with pytest.raises(InputError, match=problem):
            data.load(table)
    with pytest.raises(InputError, match=r"one\.wav is neither a folder nor a table \(\.csv, \.tsv\)"):
        data.load(tmp_path / "x/one.wav")
    table.write_text("file,start,end,phone\nx/two.wav,0.2,0.3,t\n")
    with pytest.raises(InputError, match=r"there is no recording .*two\.wav"):
        data.load(table)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file or folder"):
        data.load(tmp_path / "nowhere")
    with pytest.raises(InputError, match="holds no recordings with labels"):
        data.load(tmp_path)
    (tmp_path / "a.PHN").write_text("0 100 t\n")
    with pytest.raises(InputError, match="there is no recording beside"):
        data.load(tmp_path)
    recording(tmp_path / "a.wav")
    (tmp_path / "a.PHN").write_text("0 100\n")
    with pytest.raises(InputError, match=r"a\.PHN, line 1: not a start, an end and a label"):
        data.load(tmp_path)
    (tmp_path / "a.PHN").write_text("0 100 xyz\n")
    with pytest.raises(InputError, match='"xyz" is none of the 61 labels'):
        data.load(tmp_path)


def test_statistics_are_those_of_all_frames_and_speakers_part() -> None:
    first, second = torch.randn(3, 40, 20), 5 + 2 * torch.randn(3, 40, 30)
    known = data.corpus([(first, torch.zeros(20).long(), "a"), (second, torch.zeros(30).long(), "b")])
    mean, std = known.statistics()
    whole = torch.cat([first, second], 2)
    assert torch.allclose(torch.tensor(mean), whole.mean((1, 2)), atol=1e-5)
    assert torch.allclose(torch.tensor(std), whole.std((1, 2)), rtol=1e-3)
    assert known.of(["a"]).frames == 20 and known.of(["a"], others=True).speakers == ("b",) and known.frames == 50
