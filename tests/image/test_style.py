from __future__ import annotations

import math
from collections import OrderedDict

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor, nn

from convsight import InputError, InputSpec, Network, adam, evaluate
from convsight.image import data
from convsight.image import style as styling
from convsight.image.resize import longest
from convsight.image.style import Painting, gram, likeness, scales, total_steps, transfer, with_colours_of


def blobs(seed: int, height: int, width: int) -> Tensor:
    small = torch.rand(1, 3, height // 12, width // 12, generator=Generator().manual_seed(seed))
    return F.interpolate(small, (height, width), mode="bilinear")


def network(padding_mode: str = "zeros") -> Network:
    """Names and paddings as in VGG16, but thin."""
    torch.manual_seed(0)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels = 3
    for block, depth in enumerate((2, 2, 3, 3, 1), start=1):
        for number in range(1, depth + 1):
            convolution = nn.Conv2d(channels, 6, 3, padding=1, padding_mode=padding_mode, bias=False)
            nn.init.kaiming_normal_(convolution.weight)
            layers[f"conv{block}_{number}"] = convolution
            layers[f"relu{block}_{number}"] = nn.ReLU(inplace=True)
            channels = 6
        layers[f"pool{block}"] = nn.AvgPool2d(2)
    return Network(nn.Sequential(layers), InputSpec((3, 224, 224)), name="thin")


@settings(deadline=None)
@given(seed=st.integers(0, 1000))
def test_gram_forgets_where_things_are_and_is_symmetric_and_positive(seed: int) -> None:
    features = torch.randn(2, 5, 4, 7, generator=Generator().manual_seed(seed))
    order = torch.randperm(28, generator=Generator().manual_seed(seed))
    shuffled = features.flatten(2)[..., order].view_as(features)
    torch.testing.assert_close(gram(features), gram(shuffled))
    torch.testing.assert_close(gram(features), gram(features).transpose(1, 2))
    assert (torch.linalg.eigvalsh(gram(features)) > -1e-5).all()


@pytest.mark.parametrize("weighted", [False, True])
def test_the_gradient_of_gram_is_that_of_finite_differences(weighted: bool) -> None:
    generator = Generator().manual_seed(3)
    features = torch.randn(2, 3, 4, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    region = torch.rand(1, 1, 4, 5, generator=generator, dtype=torch.float64) if weighted else None
    inside = (slice(1, 4), slice(0, 3))
    assert torch.autograd.gradcheck(lambda given: gram(given, region, inside=inside).tril(), features)
    cut = None if region is None else region[..., 1:4, :3]
    torch.testing.assert_close(gram(features, region, inside=inside), gram(features[..., 1:4, :3], cut))


def test_the_gradient_of_gram_adds_to_that_of_what_lies_behind() -> None:
    """Two Gram matrices of one layer, and a deeper layer, against autograd through a plain product."""
    picture = torch.randn(1, 3, 6, 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(4, 3, 3, 3, dtype=torch.float64)
    region = torch.rand(1, 1, 4, 3, dtype=torch.float64)

    def plain(features: Tensor, weights: Tensor) -> Tensor:
        return torch.einsum("bchw,bdhw->bcd", features * weights, features) / weights.sum()

    gradients = []
    for first, second in (
        (lambda maps: gram(maps), lambda maps: gram(maps, region)),
        (lambda maps: plain(maps, torch.ones_like(region)), lambda maps: plain(maps, region)),
    ):
        maps = F.conv2d(picture, weight)
        loss = first(maps).pow(3).sum() + second(maps).pow(2).sum() + maps.sin().sum()
        gradients.append(torch.autograd.grad(loss, picture)[0])
    torch.testing.assert_close(*gradients)


def test_a_margin_mirrors_the_picture_and_comes_off_again() -> None:
    picture = torch.rand(1, 3, 40, 30)
    wide = styling.with_margin(picture)
    assert torch.equal(styling.without_margin(wide), picture)
    assert torch.equal(wide[..., 0, :], wide[..., 2 * styling.MARGIN, :])


def test_gram_of_a_region_is_that_of_its_places_alone() -> None:
    features = torch.randn(1, 5, 4, 7)
    region = torch.zeros(1, 1, 4, 7)
    region[..., 2:] = 1
    torch.testing.assert_close(gram(features, region), gram(features[..., 2:]))


def test_a_picture_has_its_own_likeness() -> None:
    photograph = blobs(1, 260, 300)
    objective = likeness(
        network(), photograph, [Painting(photograph)], style_weight=1.0, painting_size=300, precision=torch.float32
    )
    rough = styling.SMOOTHNESS / (260 * 300) * evaluate(network(), styling.total_variation(), photograph)
    torch.testing.assert_close(evaluate(network(), objective, photograph, precision=torch.float32), -rough, atol=1e-6, rtol=0)
    assert evaluate(network(), objective, blobs(2, 260, 300), precision=torch.float32) < -1.5 * rough


@settings(deadline=None)
@given(louder=st.floats(1e-2, 1e3))
def test_no_layer_counts_more_for_being_louder(louder: float) -> None:
    made, wanted = (torch.rand(1, 5, 4, 7, generator=Generator().manual_seed(seed)) for seed in (0, 1))
    inside = {"relu": (slice(None), slice(None))}
    for loss_to in (
        lambda target: styling.content("relu", target),
        lambda target: styling.style({"relu": gram(target)}, inside),
    ):
        plain, scaled = loss_to(wanted)({"relu": made}), loss_to(louder * wanted)({"relu": louder * made})
        torch.testing.assert_close(scaled, plain)
        torch.testing.assert_close(loss_to(wanted)({"relu": torch.zeros_like(made)}), torch.tensor([-1.0]))


def test_a_target_that_is_nothing_gives_a_loss_that_is_a_number() -> None:
    nothing = torch.zeros(1, 5, 4, 7)
    assert styling.content("relu", nothing)({"relu": nothing}) == 0


def test_the_style_never_reads_the_padding() -> None:
    """What lies around the picture, zeros or a mirror image, changes no style loss at all; the content's is left out."""
    other, painting = blobs(2, 260, 300), blobs(3, 280, 260)
    fields = styling.receptive_fields(network().module, torch.zeros(1, 3, 256, 256))
    clear = styling._clear_of_padding(fields, other, "the photograph")
    with torch.no_grad(), styling.read(network().module, styling.STYLE_LAYERS) as activations_of:
        targets = {layer: gram(each) for layer, each in activations_of(painting).items()}
    losses = [evaluate(network(mode), styling.style(targets, clear), other) for mode in ("zeros", "reflect")]
    torch.testing.assert_close(*losses, atol=0, rtol=1e-6)
    everything = dict.fromkeys(styling.STYLE_LAYERS, (slice(None), slice(None)))
    losses = [evaluate(network(mode), styling.style(targets, everything), other) for mode in ("zeros", "reflect")]
    assert abs(losses[0] / losses[1] - 1) > 1e-4


def test_what_comes_out_is_nearer_in_style_and_keeps_the_size() -> None:
    net, photograph, painting = network(), blobs(1, 260, 300), blobs(3, 300, 270)
    steps: list[int] = []
    made = transfer(net, photograph, [Painting(painting)], style_weight=10.0, steps=(6, 3), frames=5, on_step=steps.append)
    assert made.input.shape == photograph.shape
    assert made.input.min() >= 0 and made.input.max() <= 1
    assert made.score > made.scores[0]
    assert steps == list(range(6))
    assert made.frames is not None and made.frames.shape[1:] == (1, 3, 260, 300)


def test_regions_take_their_own_paintings() -> None:
    net, photograph = network(), blobs(1, 260, 300)
    region = torch.zeros(1, 1, 260, 300)
    region[..., :150] = 1
    paintings = [Painting(blobs(3, 260, 260), region=region), Painting(blobs(4, 260, 260), region=1 - region)]
    made = transfer(net, photograph, paintings, style_weight=100.0, steps=(30, 2)).input
    swapped = [Painting(blobs(4, 260, 260), region=region), Painting(blobs(3, 260, 260), region=1 - region)]
    options = {"style_weight": 1.0, "painting_size": 300, "precision": torch.float32}
    wanted, other = (
        evaluate(net, likeness(net, styling.with_margin(photograph), each, **options), styling.with_margin(made))
        for each in (paintings, swapped)
    )
    assert wanted > other
    with pytest.raises(InputError, match="a region is 300x200 pixels, the photograph 300x260; make it as large"):
        transfer(net, photograph, [Painting(photograph, region=region[..., :200, :])])


def test_style_in_a_region_moves_nothing_far_from_it() -> None:
    net, picture = network(), styling.with_margin(blobs(1, 260, 300)).requires_grad_()
    region = torch.zeros(1, 1, 260, 300)
    region[..., :100] = 1
    without = likeness(net, picture.detach(), [], style_weight=1.0, painting_size=200, precision=torch.float32)
    painting = [Painting(blobs(3, 200, 200), region=region)]
    goal = likeness(net, picture.detach(), painting, style_weight=1.0, painting_size=200, precision=torch.float32) - without
    with styling.read(net.module, [*styling.STYLE_LAYERS, styling.CONTENT_LAYER]) as activations_of:
        goal(activations_of(net.input.normalise(picture)) | {"input": picture}).sum().backward()
    assert picture.grad is not None
    moved = picture.grad.abs().sum((0, 1, 2))
    assert moved[styling.MARGIN : styling.MARGIN + 90].min() > 0
    assert moved[styling.MARGIN + 100 + 80 :].max() < 1e-4 * moved.max()


def test_a_mask_along_an_edge_is_taken_though_the_deepest_layer_sees_none_of_it() -> None:
    region = torch.zeros(1, 1, 192, 256)
    region[..., :40, :] = 1
    made = transfer(network(), blobs(1, 192, 256), [Painting(blobs(2, 200, 200), region=region)], steps=(1, 1))
    assert torch.isfinite(made.score).all()


def test_from_noise_it_begins_elsewhere_and_in_float32() -> None:
    photograph, paintings = blobs(1, 160, 160), [Painting(blobs(2, 160, 160))]
    from_noise, from_content = (
        transfer(network(), photograph, paintings, steps=(1, 1), from_noise=each) for each in (True, False)
    )
    assert from_noise.input.dtype == torch.float32
    assert from_noise.scores[0] < from_content.scores[0]


def test_weights_that_are_no_numbers_are_refused() -> None:
    picture = torch.rand(1, 3, 150, 150)
    with pytest.raises(InputError, match="a painting's weight is a finite number over zero, not nan"):
        Painting(picture, weight=math.nan)
    with pytest.raises(InputError, match="the weight and the scale of a style are finite numbers"):
        transfer(network(), picture, [Painting(picture)], style_weight=math.inf)


def test_a_picture_too_small_is_said_so() -> None:
    with pytest.raises(InputError, match="the photograph is too small at 96x96 pixels; both sides need 106 at least"):
        transfer(network(), blobs(1, 96, 96), [Painting(blobs(2, 160, 160))], steps=(1, 1))
    assert transfer(network(), blobs(1, 108, 108), [Painting(blobs(2, 160, 160))], steps=(1, 1)).input.shape[-1] == 108


def test_from_coarse_to_fine_the_finer_size_goes_on_from_the_coarser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(styling, "SMALLEST", 130)
    photograph, painting = blobs(1, 264, 280), blobs(2, 200, 200)
    counted: list[int] = []
    made = transfer(
        network(), photograph, [Painting(painting)], style_weight=10.0, steps=(30, 4), precision=torch.float32, frames=17,
        on_step=counted.append,
    )  # fmt: skip
    assert made.settings["sizes"] == [140, 280] and made.settings["steps"] == [30, 4]
    assert counted == list(range(34)) and made.scores.shape == (34, 1)
    assert made.input.shape == photograph.shape
    assert made.frames is not None and made.frames.shape[1:] == (1, 3, 264, 280)
    torch.testing.assert_close(made.frames[-1].float() / 255, made.input, atol=1 / 255, rtol=0)
    monkeypatch.setattr(styling, "SMALLEST", 280)
    alone = transfer(network(), photograph, [Painting(painting)], style_weight=10.0, steps=(1, 1), precision=torch.float32)
    assert made.scores[30] > alone.scores[0]  # the photograph itself at the finer size


def test_kept_colours_are_kept_in_the_history_too() -> None:
    photograph, paintings = blobs(1, 160, 160), [Painting(blobs(2, 160, 160))]
    made = transfer(network(), photograph, paintings, steps=(3, 1), keep_colours=True, precision=torch.float32, frames=2)
    assert made.frames is not None
    torch.testing.assert_close(made.frames[-1].float() / 255, made.input, atol=1.5 / 255, rtol=0)


def test_a_narrow_painting_is_taken_larger_and_a_very_narrow_one_refused() -> None:
    photograph = styling.with_margin(blobs(1, 160, 200))
    options = {"style_weight": 1.0, "painting_size": 200, "precision": torch.float32}
    assert likeness(network(), photograph, [Painting(blobs(2, 60, 200))], **options).layers
    with pytest.raises(InputError, match="a painting of 1200x12 pixels is too narrow"):
        likeness(network(), photograph, [Painting(blobs(2, 12, 1200))], **options)


def test_a_mask_that_is_black_everywhere_is_refused() -> None:
    with pytest.raises(InputError, match="a mask is black wherever style is read"):
        transfer(
            network(), blobs(1, 160, 160), [Painting(blobs(2, 160, 160), region=torch.zeros(1, 1, 160, 160))], steps=(1, 1)
        )


def test_losses_in_bfloat16_are_within_a_percent_of_float32s_after_equal_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """With Adam, whose way down does not part at the smallest difference, as that of L-BFGS does."""
    monkeypatch.setattr(styling, "_optimizer", lambda length: adam(0.005))
    photograph, painting = (longest(data.photograph(name), 240) for name in ("china", "flower"))
    losses = []
    for precision in (torch.float32, torch.bfloat16):
        made = transfer(network(), photograph, [Painting(painting)], steps=(30, 1), precision=precision)
        canvas = styling.with_margin(photograph)
        goal = likeness(network(), canvas, [Painting(painting)], style_weight=1.0, painting_size=240, precision=torch.float32)
        losses.append(evaluate(network(), goal, styling.with_margin(made.input), precision=torch.float32).item())
    assert losses[1] == pytest.approx(losses[0], rel=0.01)
    assert losses[0] > 0.1 * made.scores[0].item()


def test_sizes_go_from_coarse_to_the_one_asked_for() -> None:
    square, wide = torch.zeros(1, 3, 700, 700), torch.zeros(1, 3, 300, 1000)
    assert scales(square) == [350, 700]
    assert scales(square, 2000) == [250, 500, 1000, 2000]
    assert scales(square, 512) == [256, 512]
    assert scales(square, 200) == [200]
    assert scales(wide) == [500, 1000]
    assert scales(torch.zeros(1, 3, 10, 30_000)) == [30_000]
    assert total_steps([250, 500, 1000], (100, 40)) == 180


def test_kept_colours_are_the_photographs_with_the_paintings_light() -> None:
    painted, photograph = 0.3 + 0.4 * torch.rand(1, 3, 5, 6), 0.4 + 0.2 * torch.rand(1, 3, 5, 6)
    made = with_colours_of(painted, photograph)
    luma = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    torch.testing.assert_close((made * luma).sum(1), (painted * luma).sum(1))
    torch.testing.assert_close(made - made[:, :1], photograph - photograph[:, :1])
