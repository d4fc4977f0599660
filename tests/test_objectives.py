from __future__ import annotations

import pytest
import torch
from torch import Tensor

from convsight import InputError, channel, diverse, dream, l1, l2, logit, neuron, total_variation

MAPS = torch.arange(2 * 3 * 4 * 5, dtype=torch.float32).view(2, 3, 4, 5)


def test_channel_is_the_sum_of_the_map() -> None:
    assert channel("conv", 1)({"conv": MAPS}).tolist() == [MAPS[0, 1].sum(), MAPS[1, 1].sum()]


def test_channel_may_be_the_mean() -> None:
    assert channel("conv", 1, over="mean")({"conv": MAPS}).tolist() == [MAPS[0, 1].mean(), MAPS[1, 1].mean()]


def test_one_side_of_zero_may_count_less() -> None:
    maps = MAPS - 30.5
    map_of_one = maps[0, 1]
    positive, negative = map_of_one[map_of_one > 0].sum(), map_of_one[map_of_one < 0].sum()
    scores = channel("conv", 1, below=0.1)({"conv": maps}), channel("conv", 1, above=0.25)({"conv": maps})
    assert scores[0][0] == pytest.approx(positive + 0.1 * negative)
    assert scores[1][0] == pytest.approx(0.25 * positive + negative)
    assert channel("conv", 1, over="mean", below=0.1).name == "channel(conv, 1, mean, below 0.1)"


def test_each_sample_has_its_own_unit() -> None:
    assert channel("conv", [2, 0])({"conv": MAPS}).tolist() == [MAPS[0, 2].sum(), MAPS[1, 0].sum()]
    assert channel("conv", range(2)).samples == 2
    assert channel("conv", (unit for unit in (2, 0)))({"conv": MAPS}).tolist() == [MAPS[0, 2].sum(), MAPS[1, 0].sum()]


def test_neuron_is_at_the_centre_or_where_it_is_said() -> None:
    assert neuron("conv", 1)({"conv": MAPS}).tolist() == [MAPS[0, 1, 2, 2], MAPS[1, 1, 2, 2]]
    assert neuron("conv", 1, position=(3, 0))({"conv": MAPS}).tolist() == [MAPS[0, 1, 3, 0], MAPS[1, 1, 3, 0]]
    assert neuron("fc", [4, 0])({"fc": MAPS[:, 0, 0]}).tolist() == [MAPS[0, 0, 0, 4], MAPS[1, 0, 0, 0]]


def test_gradient_of_dream_is_the_activation_itself() -> None:
    maps = MAPS.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(dream("conv")({"conv": maps}).sum(), maps)
    assert torch.equal(gradient, MAPS)


def test_logit_is_of_the_output() -> None:
    assert logit([1, 2])({"output": MAPS[:, 0, 0]}).tolist() == [MAPS[0, 0, 0, 1], MAPS[1, 0, 0, 2]]


@pytest.mark.parametrize(("objective", "by_hand"), [(l1(), 10), (l2(), 10), (total_variation(), 3 * 5 + 4 * 4)])
def test_penalties_of_a_checkerboard_counted_by_hand(objective: object, by_hand: float) -> None:
    rows, columns = torch.meshgrid(torch.arange(4), torch.arange(5), indexing="ij")
    board = torch.where((rows + columns) % 2 == 0, 1.0, 0.0)
    negative = torch.where(board > 0, -1.0, 0.0)
    both = torch.stack([board, negative])[:, None]
    assert objective({"input": both}).tolist() == [by_hand, by_hand]


def test_objectives_add_subtract_and_scale() -> None:
    activations: dict[str, Tensor] = {"conv": MAPS, "input": torch.ones(2, 1, 3, 3)}
    combined = 2 * channel("conv", 0) / 4 - 0.5 * l1() + (-dream("conv"))
    expected = MAPS[:, 0].sum((1, 2)) / 2 - 4.5 - MAPS.square().sum((1, 2, 3)) / 2
    torch.testing.assert_close(combined(activations), expected)
    assert combined.layers == {"conv": None, "input": None}
    assert (channel("conv", [2, 0]) + neuron("conv", [1, 1])).layers == {"conv": {0, 1, 2}}


def test_diverse_takes_away_how_alike_the_gram_matrices_of_a_group_are() -> None:
    maps = torch.randn(4, 3, 4, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    grams = torch.einsum("bcij,bdij->bcd", maps, maps)
    score = diverse(channel("conv", [1, 1, 1, 2]), "conv", [0, 0, 0, 1], weight=0.5)({"conv": maps})
    own = maps[[0, 1, 2, 3], [1, 1, 1, 2]].sum((1, 2))
    for sample, others in ((0, (1, 2)), (1, (0, 2)), (2, (0, 1))):
        alike = sum(float((grams[sample] * grams[each]).sum() / grams[sample].norm() / grams[each].norm()) for each in others)
        assert score[sample].item() == pytest.approx((own[sample] - 0.5 * own[sample].abs() * alike / 2).item())
    assert score[3].item() == pytest.approx(own[3].item())  # alone in its group


def test_diversity_of_a_vector_is_that_of_its_direction() -> None:
    vectors = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]])
    goal = diverse(neuron("fc", [0, 0, 0]), "fc", [0, 0, 0])
    assert goal({"fc": vectors}).tolist() == pytest.approx([0.5, 0.0, 1.5])
    assert goal.layers == {"fc": None}


def test_an_objective_says_what_it_is() -> None:
    assert (logit(range(10)) - 0.02 * l1()).name == "logit(0-9) - 0.02 * l1()"
    assert (2 * channel("conv2", [1, 5])).name == "2 * channel(conv2, 1,5)"
    assert (logit(0) - (l1() + l2())).name == "logit(0) - (l1() + l2())"
    assert (2 * (logit(3) - l1())).name == "2 * (logit(3) - l1())"
    assert channel("conv2", [1, 5], over="mean").name == "channel(conv2, 1,5, mean)"


def test_a_unit_out_of_range_says_how_many_there_are() -> None:
    with pytest.raises(InputError, match=r'layer "conv" has no unit 3: it has 3, numbered 0 to 2'):
        channel("conv", 3)({"conv": MAPS})
    with pytest.raises(InputError, match="no unit -1"):
        channel("conv", -1)({"conv": MAPS})


def test_a_position_outside_the_map_says_its_size() -> None:
    with pytest.raises(InputError, match="no position 4, 0: its maps are 4x5"):
        neuron("conv", 0, position=(4, 0))({"conv": MAPS})


def test_a_neuron_of_a_sequence_is_refused() -> None:
    with pytest.raises(InputError, match="use channel"):
        neuron("fc", 0)({"fc": torch.zeros(2, 3, 5)})


def test_units_and_batch_must_agree() -> None:
    with pytest.raises(InputError, match="3 units need a batch of 3 pictures, not of 2"):
        channel("conv", range(3))({"conv": MAPS})
    with pytest.raises(InputError, match="2 units and logit"):
        channel("conv", range(2)) + logit(range(3))
