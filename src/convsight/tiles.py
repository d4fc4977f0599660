"""Large pictures piece by piece, so that what the network needs in memory is that of one piece."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def tiles(image: Tensor, tile: int) -> list[tuple[slice, ...]]:
    """Where to cut `image` (B, C, H, W) into equal pieces of at most `tile` pixels a side, that cover it.

    Where the sides don't divide, neighbours overlap by a few pixels.

    >>> [(down.start, across.stop) for _, _, down, across in tiles(torch.zeros(1, 1, 5, 8), 4)]
    [(0, 4), (0, 8), (2, 4), (2, 8)]
    """
    cuts = []
    for length in image.shape[-2:]:
        count = -(-length // tile)
        side = -(-length // count)
        starts = [min(each * side, length - side) for each in range(count)]
        cuts.append([slice(start, start + side) for start in starts])
    return [(slice(None), slice(None), down, across) for down in cuts[0] for across in cuts[1]]


def ascend_by_tiles(seen: Tensor, score: Callable[[Tensor], Tensor], tile: int) -> Tensor:
    """The sum over tiles of `score(piece)`, (B,), after sending its ascent gradient back through `seen` (B, C, H, W).

    Where tiles overlap, the gradient is that of the last.
    """
    gradient, total = torch.empty_like(seen), torch.zeros(len(seen), device=seen.device)
    for part in tiles(seen, tile):
        piece = seen.detach()[part].requires_grad_()
        scored = score(piece)
        (downhill,) = torch.autograd.grad(-scored.sum(), piece)
        gradient[part] = downhill
        total += scored.detach()
    seen.backward(gradient)  # type: ignore[no-untyped-call]
    return total
