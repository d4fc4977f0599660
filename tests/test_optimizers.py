from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from convsight.optimizers import constant, follow, half_cosine, lbfgs, muon, one_cycle, orthogonal, sgd


def test_sgd_moves_every_sample_by_the_learning_rate() -> None:
    values = torch.nn.Parameter(torch.zeros(3, 2, 4, 5))
    values.grad = torch.randn(3, 2, 4, 5) * torch.tensor([1e-3, 1.0, 1e4]).view(3, 1, 1, 1)
    expected = -values.grad.sign()
    sgd(0.1)([values]).step()
    torch.testing.assert_close(values.detach().square().mean((1, 2, 3)).sqrt(), torch.full((3,), 0.1))
    assert torch.equal(values.detach().sign(), expected)


def test_sgd_stays_where_there_is_no_gradient() -> None:
    values = torch.nn.Parameter(torch.ones(2, 3))
    values.grad = torch.zeros(2, 3)
    sgd(0.1)([values]).step()
    assert torch.equal(values.detach(), torch.ones(2, 3))


def test_lbfgs_takes_torchs_steps_with_fewer_evaluations() -> None:
    def climb(same_function: bool) -> tuple[torch.Tensor, int]:
        place = torch.nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
        optimizer = lbfgs()([place])
        optimizer.same_function = same_function
        evaluations = 0

        def rosenbrock() -> torch.Tensor:
            nonlocal evaluations
            evaluations += 1
            optimizer.zero_grad()
            loss = (1 - place[0]) ** 2 + 100 * (place[1] - place[0] ** 2) ** 2
            loss.backward()
            return loss

        for _ in range(60):
            optimizer.step(rosenbrock)
        return place.detach(), evaluations

    plain, sparing = climb(False), climb(True)
    assert torch.equal(plain[0], sparing[0])
    torch.testing.assert_close(plain[0], torch.ones(2, dtype=torch.float64), atol=1e-3, rtol=0)  # Rosenbrock's minimum
    assert sparing[1] < 0.8 * plain[1]


def test_schedules_at_their_ends_and_turning_points() -> None:
    assert (constant(0.0), constant(1.0)) == (1.0, 1.0)
    assert half_cosine(0.0) == 1.0
    assert half_cosine(0.5) == pytest.approx(0.5)
    assert half_cosine(1.0) == pytest.approx(0.0)
    assert one_cycle(0.0) == pytest.approx(0.1)
    assert one_cycle(0.2) == pytest.approx(1.0)
    assert one_cycle(1.0) == pytest.approx(0.0)


def test_a_schedule_scales_the_first_rate_each_time() -> None:
    optimizer = sgd(0.4)([torch.nn.Parameter(torch.zeros(1))])
    for progress in (0.0, 0.25, 0.5):
        follow(half_cosine, optimizer, progress)
        assert optimizer.param_groups[0]["lr"] == pytest.approx(0.4 * 0.5 * (1 + math.cos(math.pi * progress)))


def test_orthogonal_brings_singular_values_near_one_and_keeps_directions() -> None:
    for shape in ((6, 20), (20, 6), (8, 8)):
        matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        made = orthogonal(matrix)
        values = torch.linalg.svdvals(made)
        assert values.min() > 0.6 and values.max() < 1.3
        left, _, right = torch.linalg.svd(matrix, full_matrices=False)
        cosine = torch.nn.functional.cosine_similarity(made.flatten(), (left @ right).flatten(), dim=0)
        assert cosine > 0.97


def test_muon_moves_filters_along_orthogonal_steps_and_biases_as_adam_does() -> None:
    torch.manual_seed(0)
    filters, bias = nn.Parameter(torch.randn(4, 3, 3, 3)), nn.Parameter(torch.randn(4))
    twin = nn.Parameter(bias.detach().clone())
    before = filters.detach().clone()
    ours, theirs = muon(0.1, adam_learning_rate=0.01)([filters, bias]), torch.optim.Adam([twin], lr=0.01, betas=(0.9, 0.95))
    for _ in range(3):
        gradient = torch.randn(4)
        bias.grad, twin.grad, filters.grad = gradient, gradient.clone(), torch.randn(4, 3, 3, 3)
        ours.step()
        theirs.step()
        moved = (before - filters.detach()).flatten(1) / 0.1
        values = torch.linalg.svdvals(moved)
        assert values.min() > 0.6 and values.max() < 1.3
        before = filters.detach().clone()
    torch.testing.assert_close(bias, twin)


def test_muon_goes_on_from_its_state() -> None:
    def steps(optimizer: torch.optim.Optimizer, filters: nn.Parameter, gradients: torch.Tensor) -> None:
        for each in gradients:
            filters.grad = each
            optimizer.step()

    torch.manual_seed(0)
    gradients, start = torch.randn(6, 4, 5), torch.randn(4, 5)
    whole, first, second = (nn.Parameter(start.clone()) for _ in range(3))
    steps(muon()([whole]), whole, gradients)
    begun = muon()([first])
    steps(begun, first, gradients[:3])
    second.data.copy_(first.data)
    resumed = muon()([second])
    resumed.load_state_dict(begun.state_dict())
    steps(resumed, second, gradients[3:])
    assert torch.equal(whole, second)
