"""The Gram matrix of a layer's maps, which is what style transfer takes for style."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Inside = tuple[slice, slice]
EVERYWHERE = (slice(None), slice(None))
_POSITIONS = 65_536


def gram(features: Tensor, region: Tensor | None = None, *, inside: Inside = EVERYWHERE) -> Tensor:
    """How much each two channels of `features` (B, C, H, W) are active together: (B, C, C), the mean over positions.

    `region`: (1, 1, H, W), weights of the positions. `inside`: the rows and columns that count. Where things are is
    forgotten, so this is style. Source: Gatys, Ecker, Bethge 2015, equation 3, divided here by the number of positions, so
    that pictures of all sizes compare.

    >>> gram(torch.tensor([[[[1.0, 3.0]], [[2.0, 0.0]]]]))
    tensor([[[5., 1.],
             [1., 2.]]])
    """
    down, across = inside
    features = features.view_as(features) if features.is_leaf else features  # a leaf would keep its hook
    made: Tensor = _Products.apply(features, region, inside)
    counted = features[0, 0, down, across].numel() if region is None else region[..., down, across].sum().clamp_min(1e-6)
    return made / counted


class _Products(torch.autograd.Function):
    """Sum over positions of weight times each two channels, (B, C, C), in float32, a few rows at a time.

    Its gradient takes one product where autograd would take two, and is made only when the gradient of the layers behind has
    come to `features`: autograd would make those of all layers first, and they are as large as the layers.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, weights: Tensor | None, inside: Inside) -> Tensor:
        ctx.of_products = []
        if features.requires_grad:
            with_gradient = partial(_with_gradient, features.detach(), weights, inside, ctx.of_products)
            features.register_hook(with_gradient)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        ctx.nothing = features.new_zeros(()).expand_as(features)
        batch, channels = features.shape[:2]
        total = torch.zeros(batch, channels, channels, dtype=_precise(features.dtype), device=features.device)
        for part in _rows(features, inside):
            places, weighted = _places(features, weights, part)
            total.baddbmm_(weighted.transpose(1, 2), places)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None, None]:
        ctx.of_products.append(gradients[0] + gradients[0].transpose(1, 2))
        return ctx.nothing, None, None


def _with_gradient(
    features: Tensor, weights: Tensor | None, inside: Inside, of_products: list[Tensor], gradient: Tensor
) -> Tensor:
    """`gradient` of `features` and that of their products."""
    gradient = gradient.clone()
    while of_products:
        both = of_products.pop()
        for part in _rows(features, inside):
            _, weighted = _places(features, weights, part)
            there = gradient[(..., *part)]
            there += (weighted @ both).view(len(there), *there.shape[2:], -1).permute(0, 3, 1, 2)
    return gradient


def _rows(features: Tensor, inside: Inside) -> list[Inside]:
    """`inside` of `features`, cut into pieces of about 65,536 positions."""
    first, last, _ = inside[0].indices(features.shape[-2])
    many = max(1, _POSITIONS // features.shape[-1])
    return [(slice(start, min(start + many, last)), inside[1]) for start in range(first, last, many)]


def _places(features: Tensor, weights: Tensor | None, part: Inside) -> tuple[Tensor, Tensor]:
    """The positions in `part`, (B, N, C), plain and weighted."""
    places = features[(..., *part)].permute(0, 2, 3, 1).flatten(1, 2).to(_precise(features.dtype))
    return places, places if weights is None else places * weights[(..., *part)].flatten(2).transpose(1, 2)


def _precise(dtype: torch.dtype) -> torch.dtype:
    return torch.float32 if dtype == torch.bfloat16 else dtype
