"""Layers that an architecture declares and torch lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import Tensor, nn

_PIECE = 1_000  # frames whose windows are in memory at once


class Spanning(nn.Conv2d):
    """A convolution whose filters span an axis whole: to it the places along that axis are channels, which is much faster."""

    def __init__(self, channels: int, filters: int, size: tuple[int, int], padding: tuple[int, int], spans: int) -> None:
        """`spans`: 0 if the filters span the rows, 1 if the columns."""
        super().__init__(channels, filters, size, padding=padding)
        self.spans = spans

    def forward(self, given: Tensor) -> Tensor:
        """(B, channels, H, W) to (B, filters, 1, W'), or (B, filters, H', 1)."""
        axis, padding = 2 + self.spans, tuple(map(int, self.padding))
        places, filters = (each.movedim(axis, 2).flatten(1, 2).unsqueeze(axis) for each in (given, self.weight))
        return F.conv2d(places, filters, self.bias, padding=padding)


class Sectioned(nn.Conv2d):
    """A convolution with filters of its own for each section of an axis, `section` places long; what is left over is not told.

    Source: Abdel-Hamid et al. 2014, "Convolutional neural networks for speech recognition", section III-D: limited weight
    sharing, where a section is what is pooled.
    """

    def __init__(
        self, channels: int, filters: int, size: tuple[int, int], sections: int, section: int, *,
        padding: tuple[int, int] = (0, 0), axis: int = 0,
    ) -> None:  # fmt: skip
        """`size` and `padding`: along rows and columns; `axis`: 0 if the rows are cut in sections, 1 if the columns are."""
        if axis == 1:
            size, padding = (size[1], size[0]), (padding[1], padding[0])
        super().__init__(channels * sections, filters * sections, size, groups=sections)
        self.sections, self.section, self.axis = sections, section, axis
        self.along, self.across = padding

    def forward(self, given: Tensor) -> Tensor:
        """(B, channels, H, W) to (B, filters, sections * section, W'), or (B, filters, H', sections * section)."""
        along_rows = self._told(given.transpose(2, 3) if self.axis else given)
        return along_rows.transpose(2, 3) if self.axis else along_rows

    def _told(self, given: Tensor) -> Tensor:
        given = F.pad(given, (self.across, self.across, self.along, self.along))
        if self.kernel_size[1] == given.shape[3]:
            return self._told_across(given)
        reach = self.section + int(self.kernel_size[0]) - 1
        rows = given.unfold(2, reach, self.section)  # (B, channels, sections, W, reach)
        answers = super().forward(rows.permute(0, 2, 1, 4, 3).flatten(1, 2))
        parts = answers.view(len(given), self.sections, -1, self.section, answers.shape[3])
        return parts.transpose(1, 2).flatten(2, 3)

    def _told_across(self, given: Tensor) -> Tensor:
        """What filters that span the columns tell, one product a section: many times as fast as a convolution in groups."""
        places = given.unfold(2, int(self.kernel_size[0]), 1)[:, :, : self.sections * self.section]
        parted = places.view(*given.shape[:2], self.sections, self.section, *places.shape[3:])
        rows = parted.permute(2, 0, 3, 1, 5, 4).flatten(3).flatten(1, 2)
        filters = self.weight.reshape(self.sections, -1, rows.shape[2]).transpose(1, 2)
        answers: Tensor = rows @ filters
        if self.bias is not None:
            answers = answers + self.bias.view(self.sections, 1, -1)
        parts = answers.view(self.sections, len(given), self.section, -1)
        return parts.permute(1, 3, 0, 2).flatten(2, 3).unsqueeze(3)


class WholeMax(nn.Module):
    """The maximum along some axes, all there is of them; they become 1 long."""

    def __init__(self, axes: tuple[int, ...]) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, given: Tensor) -> Tensor:
        window = [length if 2 + place in self.axes else 1 for place, length in enumerate(given.shape[2:])]
        return F.max_pool2d(given, window)  # amax takes six times as long, and back again


class SideBySide(nn.Module):
    """Several rows of layers that read the same, their outputs flattened and joined: (B, ...) to (B, features)."""

    def __init__(self, rows: Sequence[Mapping[str, nn.Module]]) -> None:
        super().__init__()
        self.rows = [list(each) for each in rows]
        for name, layer in (item for each in rows for item in each.items()):
            self.add_module(name, layer)

    def forward(self, given: Tensor) -> Tensor:
        outputs = []
        for row in self.rows:
            output = given
            for name in row:
                output = self.get_submodule(name)(output)
            outputs.append(output.flatten(1))
        return torch.cat(outputs, 1)


class PointBias(nn.Module):
    """Adds to (B, points) a learnt number for each point. Source: Silver et al. 2016, "Neural network architecture"."""

    def __init__(self, points: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(points))

    def forward(self, scores: Tensor) -> Tensor:
        return scores + self.bias


class FrameByFrame(nn.Module):
    """Layers put on the window around each frame of a picture, then an LSTM through what they tell, or one each way.

    (B, C, F, T) to (B, T, cells), or twice as many cells. The edges of the picture are repeated where a window
    reaches beyond them.
    """

    def __init__(
        self, window: nn.Module, frames: int, features: int, cells: int, *, both_ways: bool = False, centred: bool = False
    ) -> None:
        """`window`: from (B, C, F, frames) to (B, features).

        `centred`: each row's mean over all frames is taken off first, but not in training, where it is taken off already: the
        mean of a short sound is not sure, and who trains may vary it.
        """
        super().__init__()
        self.frames = frames
        self.centred = centred
        self.window = window
        self.lstm = nn.LSTM(features, cells, batch_first=True, bidirectional=both_ways)

    @property
    def needs_the_whole(self) -> bool:
        """Whether what is told of a frame depends on all that follows it."""
        return self.centred or self.lstm.bidirectional

    def forward(self, given: Tensor) -> Tensor:
        edged, reach = self.edged(given), self.frames - 1
        pieces = [edged[..., first : first + _PIECE + reach] for first in range(0, given.shape[3], _PIECE)]
        if self.lstm.bidirectional:
            return self.heard(torch.cat([self.told(each) for each in pieces], 1))[0]
        state, parts = None, []
        for each in pieces:
            output, state = self.heard(self.told(each), state)
            parts.append(output)
        return torch.cat(parts, 1)

    def edged(self, given: Tensor) -> Tensor:
        """(B, C, F, T) to (B, C, F, T + frames - 1), its edges repeated, so that every frame has a whole window."""
        reach = self.frames // 2
        if self.centred and not self.training:
            given = given - given.mean(3, keepdim=True)
        return F.pad(given, (reach, reach, 0, 0), mode="replicate")

    def windows(self, given: Tensor) -> Tensor:
        """(B, C, F, T + frames - 1) to (B T, C, F, frames)."""
        return given.unfold(3, self.frames, 1).permute(0, 3, 1, 2, 4).flatten(0, 1)

    def told(self, given: Tensor) -> Tensor:
        """(B, C, F, T + frames - 1) to (B, T, features), each of the window from there on."""
        features: Tensor = self.window(self.windows(given))
        return features.view(len(given), -1, features.shape[1])

    def heard(self, told: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """(B, T, features) to (B, T, cells), or twice as many, and the state to go on from, unless the LSTM goes both ways."""
        output, (hidden, cell) = self.lstm(told, state)
        return output, (hidden, cell)
