"""How to climb: optimizers and learning-rate schedules.

An optimizer is chosen by a function from parameters to `torch.optim.Optimizer`, which both loops, `visualize` and `train`,
call first. `adamw`, `muon` and `one_cycle` are meant for training; `sgd` and `lbfgs` for pictures.
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
    return lambda parameters: AdamW(parameters, lr=learning_rate, weight_decay=weight_decay, fused=True)


def muon(learning_rate: float = 0.02, *, adam_learning_rate: float = 2e-3, weight_decay: float = 0.0) -> MakeOptimizer:
    """Momentum whose steps are made orthogonal, for the filters of convolutions and fully connected layers; Adam for the rest.

    A step then moves all directions of a layer alike, not the few that dominate its gradient.
    Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks".
    """
    return lambda parameters: Muon(parameters, learning_rate, adam_learning_rate, weight_decay)


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


class Muon(Optimizer):
    """See `muon`. A parameter is a matrix of its outputs by all that goes into each; single rows and biases follow Adam."""

    def __init__(
        self, parameters: Iterable[Parameter], learning_rate: float, adam_learning_rate: float, weight_decay: float
    ) -> None:
        given = list(parameters)
        matrices = [each for each in given if each.dim() > 1 and len(each) > 1]
        others = [each for each in given if each.dim() < 2 or len(each) == 1]
        groups = [
            {"params": some, "lr": rate, "orthogonal": orthogonal, "weight_decay": weight_decay}
            for some, rate, orthogonal in ((matrices, learning_rate, True), (others, adam_learning_rate, False))
            if some
        ]
        super().__init__(groups, {})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]  # narrower than torch's overloads
        """One step along the gradients that are there; `closure`, if given, makes them."""
        if closure is not None:
            with torch.enable_grad():
                closure()
        for group in self.param_groups:
            move = self._orthogonal if group["orthogonal"] else self._adam
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.add_(move(parameter, parameter.grad), alpha=-group["lr"])

    def _orthogonal(self, parameter: Tensor, gradient: Tensor) -> Tensor:
        state = self.state[parameter]
        momentum: Tensor = state.setdefault("momentum", torch.zeros_like(parameter)).mul_(0.95).add_(gradient)
        matrix = orthogonal(gradient.add(momentum, alpha=0.95).flatten(1))
        return matrix.mul(max(1.0, len(matrix) / matrix.shape[1]) ** 0.5).view(parameter.shape)

    def _adam(self, parameter: Tensor, gradient: Tensor) -> Tensor:
        state = self.state[parameter]
        first: Tensor = state.setdefault("first", torch.zeros_like(parameter)).lerp_(gradient, 0.1)
        second: Tensor = state.setdefault("second", torch.zeros_like(parameter)).lerp_(gradient.square(), 0.05)
        state["step"] = state.get("step", 0) + 1
        count: int = state["step"]
        return first.div(1 - 0.9**count).div((second / (1 - 0.95**count)).sqrt() + 1e-8)


def orthogonal(matrix: Tensor) -> Tensor:
    """Near the orthogonal matrix that is nearest to `matrix` (N, M): its singular values come to lie from 0.7 to 1.2.

    Source: the quintic Newton-Schulz iteration of Jordan et al. 2024.
    """
    wide = len(matrix) <= matrix.shape[1]
    result: Tensor = matrix if wide else matrix.T
    result = result.div(result.norm() + 1e-7)
    for _ in range(5):
        product = result @ result.T
        result = 3.4445 * result + (-4.7750 * product + 2.0315 * product @ product) @ result
    return result if wide else result.T


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
