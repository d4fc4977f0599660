"""Files to samples: recordings with the times of their phones, from TIMIT's layout, Praat's TextGrids, or a table."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from glob import escape
from pathlib import Path

import torch
from torch import Tensor

from convsight.errors import InputError, extra
from convsight.files import reading, written_whole
from convsight.speech import audio, phones, praat
from convsight.speech.encode import LogMel, features
from convsight.speech.segments import Segment, frame_labels, in_order, parted

_TABLES = (".csv", ".tsv")
SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif", ".sph")
CORE_TEST = frozenset(
    {
        "mdab0", "mwbt0", "felc0", "mtas1", "mwew0", "fpas0", "mjmp0", "mlnt0", "fpkt0", "mlll0", "mtls0", "fjlm0", "mbpm0",
        "mklt0", "fnlp0", "mcmj0", "mjdh0", "fmgd0", "mgrt0", "mnjm0", "fdhc0", "mjln0", "mpam0", "fmld0",
    }
)  # fmt: skip
_TIER = "phones"
_LATE = 0.1  # seconds after its end that a recording may have labels
Encoded = tuple[Tensor, Tensor, str]


@dataclass(frozen=True)
class Utterance:
    """A recording and its `segments`, of the 39 phones, "" for what is none; `speaker` is the name of its folder or column."""

    path: Path
    segments: tuple[Segment, ...]
    speaker: str


@dataclass(frozen=True)
class Corpus:
    """Encoded utterances: `features` (3, mels, T) float32, and `labels` (T,) int64, each; `speakers`, one each."""

    features: tuple[Tensor, ...]
    labels: tuple[Tensor, ...]
    speakers: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def frames(self) -> int:
        return sum(map(len, self.labels))

    def statistics(self) -> tuple[list[float], list[float]]:
        """The mean and the standard deviation of each of the three maps, over all frames."""
        count = self.frames * self.features[0].shape[1]
        total = sum((each.double().sum((1, 2)) for each in self.features), torch.zeros(3, dtype=torch.float64))
        mean = total / count
        squares = ((each.double() - mean[:, None, None]).square().sum((1, 2)) for each in self.features)
        std = (sum(squares, torch.zeros(3, dtype=torch.float64)) / count).sqrt().clamp_min(1e-6)
        return mean.tolist(), std.tolist()

    def of(self, speakers: Iterable[str], *, others: bool = False) -> Corpus:
        """The part of `speakers`, or of all `others`."""
        wanted = set(speakers)
        places = [place for place, each in enumerate(self.speakers) if (each in wanted) is not others]
        return corpus((self.features[place], self.labels[place], self.speakers[place]) for place in places)


def load(source: Path, *, part: str | None = None) -> list[Utterance]:
    """The utterances of `source`, in the order of their names.

    A folder in TIMIT's layout (a .PHN beside each .WAV; `part` is train, test, or core, the core test set; the sentences SA,
    which all speakers speak, are left out), a folder of recordings each with a .TextGrid that has a tier "phones", or a table
    (.csv, .tsv) with the columns file, start, end, phone, and perhaps speaker, seconds and paths beside it.
    Raises InputError if there is none of these, a recording or its labels are missing, or a label is no phone.
    """
    if not source.exists():
        raise InputError(f"there is no file or folder {source}")
    if part:
        found = _of_timit(source, part)
        if not found:
            raise InputError(f'{source} holds no part "{part}" of TIMIT')
    elif source.is_file():
        found = _of_table(source)
    else:
        found = _of_timit(source, part) or _of_textgrids(source)
    if not found:
        raise InputError(
            f"{source} holds no recordings with labels: .WAV and .PHN, or sound files and .TextGrid; "
            "convsight speech align makes those"
        )
    return sorted(found, key=lambda utterance: str(utterance.path))


def encode(utterances: Iterable[Utterance]) -> Iterator[Encoded]:
    """Each utterance encoded. Raises InputError as `audio.read` does, or if phones are labelled after the end of the sound."""
    log_mel = LogMel()
    for each in utterances:
        samples = audio.read(each.path)
        last = max((row.start for row in each.segments if row.phone not in ("", phones.SILENCE)), default=0.0)
        if last > len(samples) / audio.RATE + _LATE:
            raise InputError(
                f"{each.path} ends at {len(samples) / audio.RATE:.2f} s, but a phone is labelled at {last:.2f} s; "
                "are the labels of another recording?"
            )
        yield encoded(samples, each.segments, each.speaker, log_mel)


def encoded(samples: Tensor, segments: Sequence[Segment], speaker: str, log_mel: LogMel) -> Encoded:
    """Features (3, mels, T), labels (T,) int64 and speaker of `samples`, (N,) in [-1, 1] at 16 kHz."""
    heard = features(samples, log_mel)
    return heard, frame_labels(segments, heard.shape[2], phones.PHONES), speaker


def corpus(encoded: Iterable[Encoded]) -> Corpus:
    """What `encode` yields, together."""
    rows = tuple(zip(*encoded, strict=True))
    return Corpus(*rows) if rows else Corpus((), (), ())


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a .csv or .tsv by the names of its first line.

    Raises InputError if it is none, or a row has more cells than that, or fewer.
    """
    if path.suffix.lower() not in _TABLES:
        raise InputError(f"{path} is neither a folder nor a table ({', '.join(_TABLES)})")
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        try:
            rows = list(csv.DictReader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",", strict=True))
        except csv.Error as error:
            raise InputError(f"{path} is no table that can be read: {error}") from None
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise InputError(f"{path}, row {number}: it has {'more' if None in row else 'fewer'} cells than the first")
    return rows


def write_textgrid(segments: Sequence[Segment], path: Path, *, tier: str = _TIER) -> None:
    """`segments` as a TextGrid of Praat's, silences without a label. Raises InputError if it can't be written."""
    textgrid = extra("praatio.textgrid", "speech")
    rows = [(each.start, each.end, each.phone) for each in segments if each.phone != phones.SILENCE and each.end > each.start]
    grid = textgrid.Textgrid()
    grid.addTier(textgrid.IntervalTier(tier, rows, minT=0.0, maxT=segments[-1].end))
    with written_whole(path) as temporary:
        grid.save(str(temporary), format="long_textgrid", includeBlankSpaces=True)


def read_textgrid(path: Path, tier: str = _TIER) -> list[Segment]:
    """The segments of a tier, with the labels that it has, and what is between them. Raises InputError if it isn't there."""
    with reading(path) as file:
        content = file.read()
    try:
        found = praat.tiers(content)
    except ValueError as error:
        raise InputError(f"{path} is no TextGrid: {error}") from None
    if tier not in found:
        raise InputError(f'{path} has no tier "{tier}"; it has {", ".join(found) or "none"}')
    return [Segment(*row) for row in found[tier]]


def _of_timit(folder: Path, part: str | None) -> list[Utterance]:
    found = []
    for labels in _labels_in(folder, ".phn"):
        parts, speaker = labels.absolute().parts, labels.parent.name
        split = parts[-4].lower() if len(parts) > 3 else ""
        in_core = speaker.lower() in CORE_TEST
        if labels.stem.lower().startswith("sa") or (part and split != {"core": "test"}.get(part, part)):
            continue
        if part == "core" and not in_core:
            continue
        found.append(Utterance(_sound_of(labels), _of_phn(labels), speaker))
    return found


def _of_phn(path: Path) -> tuple[Segment, ...]:
    """`start end label` a line, in samples at 16 kHz."""
    rows = []
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
        parts = line.split()
        if len(parts) != 3 or not (parts[0].isdigit() and parts[1].isdigit()):
            raise InputError(f"{path}, line {number}: not a start, an end and a label")
        rows.append(Segment(int(parts[0]) / audio.RATE, int(parts[1]) / audio.RATE, phones.timit(parts[2])))
    return in_order(rows, str(path))


def _of_textgrids(folder: Path) -> list[Utterance]:
    grids = {each: read_textgrid(each) for each in _labels_in(folder, ".textgrid")}
    read = phones.reader_of(segment.phone for rows in grids.values() for segment in rows)
    found = []
    for path, rows in grids.items():
        named = [part for each in rows for part in parted(each.start, each.end, read(each.phone))]
        found.append(Utterance(_sound_of(path), in_order(named, str(path)), path.parent.name))
    return found


def _of_table(path: Path) -> list[Utterance]:
    rows = table(path)
    if missing := [each for each in ("file", "start", "end", "phone") if rows and each not in rows[0]]:
        raise InputError(f'{path} has no column "{missing[0]}"; it has {", ".join(map(str, rows[0]))}')
    read = phones.reader_of(str(row["phone"]) for row in rows)
    segments: dict[str, list[Segment]] = defaultdict(list)
    speakers: dict[str, str] = {}
    for number, row in enumerate(rows, start=2):
        try:
            start, end = float(row["start"]), float(row["end"])
        except (TypeError, ValueError):
            raise InputError(f"{path}, line {number}: start and end are not seconds") from None
        segments[row["file"]] += parted(start, end, read(row["phone"]))
        speakers[row["file"]] = row.get("speaker") or Path(row["file"]).parent.name
    found = []
    for name, parts in segments.items():
        if not (path.parent / name).is_file():
            raise InputError(f"{path}: there is no recording {path.parent / name}")
        found.append(Utterance(path.parent / name, in_order(parts, f"{path}, {name}"), speakers[name]))
    return found


def _labels_in(folder: Path, ending: str) -> list[Path]:
    """All files below `folder` with this ending, but for those that are hidden."""
    return sorted(each for each in folder.rglob("*") if each.suffix.lower() == ending and not each.name.startswith("."))


def _sound_of(labels: Path) -> Path:
    """The recording beside `labels`."""
    for ending in SOUNDS:
        for each in (labels.with_suffix(ending), labels.with_suffix(ending.upper())):
            if each.is_file():
                return each
    for each in sorted(labels.parent.glob(f"{escape(labels.stem)}.*")):
        if each.suffix.lower() in SOUNDS:
            return each
    raise InputError(f"there is no recording beside {labels}")
