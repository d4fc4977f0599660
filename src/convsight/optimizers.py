"""How to climb: optimizers and learning-rate schedules.

An optimizer is chosen by a function from parameters to `torch.optim.Optimizer`, which both loops, `visualize` and `train`,
call first. `adamw` and `one_cycle` are meant for training; `sgd` and `lbfgs` for pictures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import LBFGS, Adam, AdamW, Optimizer

MakeOptimizer = Callable[[Iterable[Parameter]], Optimizer]
Schedule = Callable[[float], float]


def adam(learning_rate: float = 0.05) -> MakeOptimizer:
    """Source: Kingma, Ba 2015."""
    return lambda parameters: Adam(parameters, lr=learning_rate)


def adamw(learning_rate: float, *, weight_decay: float) -> MakeOptimizer:
    """Adam with weight decay apart from the gradient. Source: Loshchilov, Hutter 2019."""
    return lambda parameters: AdamW(parameters, lr=learning_rate, weight_decay=weight_decay)


def sgd(learning_rate: float = 0.05) -> MakeOptimizer:
    """Steps along the gradient, normalised: each sample moves by a root mean square of `learning_rate`.

    Source: the step of Mordvintsev, Olah, Tyka 2015, which divides by the gradient's mean size.
    """
    return lambda parameters: NormalisedSGD(parameters, learning_rate)


def lbfgs(learning_rate: float = 1.0, *, line_search: bool = True) -> MakeOptimizer:
    """L-BFGS with a strong-Wolfe line search; the samples of a batch share one search direction.

    Without `line_search` a step goes all of `learning_rate` and costs one evaluation, which style transfer, whose losses are
    smooth, gets along with. Source: Nocedal, Wright 2006, algorithms 7.4 and 3.5.
    """
    search = "strong_wolfe" if line_search else None
    return lambda parameters: StepwiseLBFGS(
        list(parameters), lr=learning_rate, max_iter=1, max_eval=25, history_size=20, line_search_fn=search
    )


class StepwiseLBFGS(LBFGS):
    """Torch's, one iteration a step, without evaluating anew where the line search of the step before ended.

    `same_function`: whether all steps climb the same function; if not, every step evaluates it where it stands.
    """

    same_function = False
    _last: tuple[Tensor, float] | None = None

    def step(self, closure: Callable[[], float]) -> float:  # type: ignore[override]  # torch says Tensor or float
        """One iteration; `closure` computes the loss and its gradients."""

        def remembered() -> float:
            here = torch.cat([each.detach().flatten() for group in self.param_groups for each in group["params"]])
            if self._last is None or not torch.equal(here, self._last[0]):
                self._last = (here, closure())
            return self._last[1]

        return super().step(remembered if self.same_function else closure)  # type: ignore[no-any-return,no-untyped-call]


class NormalisedSGD(Optimizer):
    """Gradient descent in which every sample's gradient is divided by its own root mean square."""

    def __init__(self, parameters: Iterable[Parameter], learning_rate: float) -> None:
        super().__init__(list(parameters), {"lr": learning_rate})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]  # narrower than torch's overloads
        """One step; `closure` computes the gradients first."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.addcmul_(parameter.grad, -group["lr"] / _size(parameter.grad))
        return loss


def constant(_progress: float) -> float:
    """The learning rate stays."""
    return 1.0


def half_cosine(progress: float) -> float:
    """The learning rate falls from all of it to nothing along half a cosine; `progress` runs from 0 to 1."""
    return 0.5 * (1 + math.cos(math.pi * progress))


def one_cycle(progress: float, *, warm_up: float = 0.2) -> float:
    """The learning rate climbs from a tenth to all of it, then falls to nothing. Source: Smith, Topin 2018."""
    if progress < warm_up:
        return 0.1 + 0.9 * half_cosine(1 - progress / warm_up)
    return half_cosine((progress - warm_up) / (1 - warm_up))


def follow(schedule: Schedule, optimizer: Optimizer, progress: float) -> None:
    """Set the learning rate of every group of `optimizer` to its first one times `schedule(progress)`."""
    for group in optimizer.param_groups:
        group["lr"] = group.setdefault("initial_lr", group["lr"]) * schedule(progress)


def _size(gradient: Tensor) -> Tensor:
    """The root mean square of each sample, (B, 1, ...)."""
    everything = tuple(range(1, gradient.dim()))
    norm: Tensor = torch.linalg.vector_norm(gradient, dim=everything, keepdim=True)
    return norm.div(math.sqrt(gradient[0].numel())).clamp_min(1e-12)
