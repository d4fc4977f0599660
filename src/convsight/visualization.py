"""What came out: the pictures, their scores by step, and how they were made. It saves, shows and animates itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from convsight.animation import write_animation
from convsight.errors import InputError
from convsight.files import written_whole
from convsight.pictures import from_tensor, grid, png, write_png


@dataclass(frozen=True)
class Visualization:
    """`input`: (B, C, H, W) in `value_range`. `scores`: (steps, B), of what the network was shown at each step.

    `score`: (B,), of the finished pictures themselves, without transforms. `settings`: how it was made, plain values.
    `frames`: (T, B, C, H, W) uint8, the history, if it was kept.
    """

    input: Tensor
    scores: Tensor
    score: Tensor
    settings: dict[str, Any]
    value_range: tuple[float, float] = (0.0, 1.0)
    frames: Tensor | None = None

    def pictures(self) -> Tensor:
        """The inputs as pictures: (B, 3 or 1, H, W) float in [0, 1]; of other channel counts, the first channel."""
        return _shown(self.input, self.value_range)

    def sheet(
        self, *, enlarge: int | None = None, columns: int | None = None, beside: Sequence[Tensor] | None = None
    ) -> Tensor:
        """All pictures in one: (3 or 1, H', W') float in [0, 1].

        `enlarge`: by what whole number, by default as far as fits. `beside`: for each row, real pictures (N, C, H, W) in
        [0, 1] to stand beside the made ones, of which each row has equally many.
        """
        shown = self.pictures()
        if beside is not None:
            rows = [torch.cat(each) for each in zip(shown.chunk(len(beside)), beside, strict=True)]
            shown, columns = torch.cat(rows), len(rows[0])
        return _side_by_side(shown, enlarge=enlarge, columns=columns)

    def save(
        self,
        path: str | Path,
        *,
        enlarge: int | None = None,
        columns: int | None = None,
        beside: Sequence[Tensor] | None = None,
    ) -> None:
        """Write the sheet as PNG, and beside it, with the ending `.json`, the settings and scores; the options are `sheet`'s.

        Raises InputError if they cannot be written, or `path` doesn't end in `.png`.
        """
        path = Path(path)
        record = self.settings | {"score": self.score.tolist(), "scores": self.scores.tolist()}
        with written_whole(path.with_suffix(".json")) as temporary:
            temporary.write_text(json.dumps(record, indent=1) + "\n")
            sheet = self.sheet(enlarge=enlarge, columns=columns, beside=beside)
            write_png(sheet, path)  # before the record is in its place, so that both are there or none

    def save_animation(self, path: str | Path, *, enlarge: int | None = None, frames_per_second: int = 15) -> None:
        """Write the history as GIF or MP4, by the ending of `path`; `enlarge` is that of `sheet`.

        Raises InputError if none was kept, or as `write_animation` does.
        """
        if self.frames is None:
            raise InputError("no history was kept; ask for it with visualize(..., frames=60)")
        write_animation(self._frames(enlarge), path, frames_per_second=frames_per_second)

    def _frames(self, enlarge: int | None) -> Iterator[Image.Image]:
        assert self.frames is not None
        for frame in self.frames:
            yield from_tensor(_side_by_side(frame.float() / 255, enlarge=enlarge))

    def _repr_png_(self) -> bytes:
        return png(self.sheet())


def snapshot(image: Tensor, value_range: tuple[float, float]) -> Tensor:
    """`image` (B, C, H, W) in `value_range` as it is kept in a history: uint8, on the CPU."""
    return (_shown(image.detach(), value_range) * 255).round().byte().cpu()


def _side_by_side(pictures: Tensor, *, enlarge: int | None, columns: int | None = None) -> Tensor:
    return grid(pictures, enlarge=enlarge, columns=columns, gap=2 if len(pictures) > 1 else 0)


def _shown(image: Tensor, value_range: tuple[float, float]) -> Tensor:
    low, high = value_range
    image = ((image - low) / (high - low)).clamp(0, 1)
    return image if image.shape[1] in (1, 3) else image[:, :1]


def stacked(snapshots: list[Tensor]) -> Tensor | None:
    """A list of snapshots as `Visualization.frames`."""
    return torch.stack(snapshots) if snapshots else None
