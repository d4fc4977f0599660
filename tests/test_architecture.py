from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from torch import nn

from convsight import Architecture, Convolution, InputError, build
from convsight.architecture import WHOLE
from convsight.image.model import DIGITS

SPEECH_LIKE = Architecture(2, {"frequency": 40, "time": 15}, (Convolution(6, {"frequency": 8}, {"frequency": 6}),), (), 9)
TEXT_LIKE = Architecture(1, {"embedding": 30, "time": 11}, (Convolution(7, {"time": 3}, {"time": 9}),), (), 2)
KIMS = Architecture(
    2, {"embedding": 6, "time": 5}, tuple(Convolution(4, {"time": each}, {"time": WHOLE}, padded="wide") for each in (2, 3, 8)),
    (), 3, side_by_side=True, dropout=0.5,
)  # fmt: skip
GO_LIKE = Architecture(4, {"row": 9, "column": 9}, (Convolution(8, {"row": 5, "column": 5}, padded=True),) * 2, (), 81)


def test_the_digit_network_is_the_lectures() -> None:
    layers = dict(build(DIGITS).named_children())
    assert list(layers) == [
        "conv1", "conv1_relu", "conv1_pool", "conv2", "conv2_relu", "conv2_pool", "flatten", "fc1", "fc1_relu", "output",
    ]  # fmt: skip
    assert layers["conv1"].weight.shape == (25, 1, 3, 3)
    assert layers["conv2"].weight.shape == (50, 25, 3, 3)
    assert layers["fc1"].in_features == 50 * 5 * 5


@pytest.mark.parametrize(
    "architecture", [DIGITS, SPEECH_LIKE, TEXT_LIKE, KIMS, GO_LIKE], ids=["digits", "speech", "text", "kim", "go"]
)
def test_it_builds_what_takes_its_axes_and_survives_json(architecture: Architecture) -> None:
    given = torch.rand(2, architecture.channels, *architecture.axes.values())
    assert build(architecture)(given).shape == (2, architecture.outputs)
    assert Architecture.from_dict(json.loads(json.dumps(architecture.to_dict()))) == architecture


def test_a_filter_spans_the_axes_that_it_does_not_slide_along() -> None:
    speech, text = build(SPEECH_LIKE), build(TEXT_LIKE)
    assert speech.conv1.weight.shape == (6, 2, 8, 15)
    assert speech.conv1_pool(speech.conv1(torch.rand(1, 2, 40, 15))).shape == (1, 6, 5, 1)
    assert text.conv1.weight.shape == (7, 1, 30, 3)
    assert text.conv1_pool(text.conv1(torch.rand(1, 1, 30, 11))).shape == (1, 7, 1, 1)


@pytest.mark.parametrize("axis", ["row", "column"])
def test_spanning_an_axis_is_what_a_plain_convolution_gives(axis: str) -> None:
    architecture = Architecture(3, {"row": 6, "column": 7}, (Convolution(5, {axis: 3}, padded="wide"),), (), 4)
    ours = build(architecture).conv1
    plain = nn.Conv2d(3, 5, ours.weight.shape[2:], padding=ours.padding)
    plain.load_state_dict(ours.state_dict())
    given = torch.rand(2, 3, 6, 7)
    torch.testing.assert_close(ours(given), plain(given))


def test_side_by_side_each_reads_the_input_and_the_best_of_each_is_joined() -> None:
    module = build(KIMS).eval()
    parts = [module.convolutions.get_submodule(f"conv{number}") for number in (1, 2, 3)]
    given = torch.rand(2, 2, 6, 5)
    joined = torch.cat([part(given).relu().amax((2, 3)) for part in parts], 1)
    torch.testing.assert_close(module(given), module.output(joined))
    longer = torch.cat([given, torch.zeros(2, 2, 6, 9)], 3)
    assert module(longer).shape == (2, 3)


def test_padding_keeps_the_length_and_without_pooling_there_is_no_pool() -> None:
    module = build(GO_LIKE)
    assert module[:3](torch.rand(1, 4, 9, 9)).shape == (1, 8, 9, 9)
    assert not any(isinstance(each, nn.MaxPool2d) for each in module)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (Convolution(3, {"hight": 3}), 'no axis "hight" in the input, which has height, width'),
        (Convolution(3, {"height": 29}), "a filter of 29 cannot slide along height, where 28 are left"),
        (Convolution(3, {"height": 4}, padded=True), "odd length, not 4"),
        (Convolution(3, {"height": 0}, padded="wide"), "a filter of 0 cannot slide along height"),
        (Convolution(3, {"height": 20}, {"height": 10}), "cannot pool 10 along height, where 9 are left"),
    ],
)
def test_what_cannot_be_built_is_said(change: Convolution, message: str) -> None:
    with pytest.raises(InputError, match=message):
        build(replace(DIGITS, convolutions=(change,)))


def test_what_describes_no_architecture_is_said() -> None:
    with pytest.raises(InputError, match="describes no architecture"):
        Architecture.from_dict({"channels": 1, "axes": [3, 4]})
    with pytest.raises(InputError, match="two axes, not 1"):
        build(replace(DIGITS, axes={"time": 5}))


def test_a_recurrent_network_goes_frame_by_frame() -> None:
    declared = Architecture(
        channels=3,
        axes={"frequency": 40, "time": 15},
        convolutions=(Convolution(4, slides={"frequency": 8}, pools={"frequency": 6}),),
        fully_connected=(6,),
        outputs=5,
        recurrent=7,
    )
    assert Architecture.from_dict(declared.to_dict()) == declared
    network = build(declared).eval()
    given = torch.randn(2, 3, 40, 30)
    whole = network(given)
    assert whole.shape == (2, 30, 5)
    changed = given.clone()
    changed[..., 20:] = 0
    assert torch.equal(network(changed)[:, :13], whole[:, :13])  # the LSTM looks back, a window seven frames ahead
    assert not torch.allclose(network(changed)[:, 13], whole[:, 13])
    window = network.get_submodule("frames.window")
    told = window(given[:1, ..., 3:18])
    lstm = network.get_submodule("frames").told(given[:1])[0, 3]
    assert torch.allclose(told[0], lstm, atol=1e-5)
    with pytest.raises(InputError, match="second axis is time, an odd number of frames"):
        build(replace(declared, axes={"frequency": 40, "time": 14}))


def test_an_lstm_each_way_hears_what_follows() -> None:
    declared = Architecture(
        channels=1,
        axes={"frequency": 4, "time": 3},
        convolutions=(),
        fully_connected=(6,),
        outputs=5,
        recurrent=7,
        both_ways=True,
    )
    assert Architecture.from_dict(declared.to_dict()) == declared
    network = build(declared).eval()
    given = torch.randn(1, 1, 4, 30)
    turned = network(given.flip(3))
    lstm = network.get_submodule("frames.lstm")
    assert isinstance(lstm, torch.nn.LSTM) and network(given).shape == (1, 30, 5)
    frames = network.get_submodule("frames")
    told = frames.told(frames.edged(given))
    backwards = torch.nn.LSTM(6, 7, batch_first=True)
    for name, weight in backwards.named_parameters():
        weight.data = lstm.get_parameter(f"{name}_reverse").data
    assert torch.allclose(frames(given)[..., 7:], backwards(told.flip(1))[0].flip(1), atol=1e-6)
    assert not torch.allclose(network(given)[:, :10], turned[:, :10])


def test_with_limited_sharing_each_section_has_filters_of_its_own() -> None:
    """Section by section, as an ordinary convolution over the rows that it pools."""
    slides = Convolution(4, slides={"frequency": 8}, pools={"frequency": 6}, limited="frequency")
    declared = Architecture(3, {"frequency": 40, "time": 15}, (slides,), (6,), 2)
    assert Architecture.from_dict(declared.to_dict()) == declared
    network = build(declared).eval()
    given = torch.randn(2, 3, 40, 15)
    convolution, pool = network.get_submodule("conv1"), network.get_submodule("conv1_pool")
    assert isinstance(convolution, torch.nn.Conv2d) and convolution.bias is not None
    answers = pool(convolution(given))
    assert answers.shape == (2, 4, 5, 1)  # of 33 places along frequency the last three are left over
    for section in range(5):
        own = slice(4 * section, 4 * section + 4)
        rows = given[:, :, 6 * section : 6 * section + 13]
        alone = torch.nn.functional.conv2d(rows, convolution.weight[own], convolution.bias[own])
        assert torch.allclose(answers[:, :, section], alone.amax(2), atol=1e-5)
    network.to(memory_format=torch.channels_last)  # as it is in training
    assert torch.allclose(pool(convolution(given)), answers, atol=1e-5)
    assert network(given).shape == (2, 2)
    with pytest.raises(InputError, match="slide along frequency, and pool there"):
        build(replace(declared, convolutions=(replace(slides, slides={"time": 5}, pools={}),)))


@pytest.mark.parametrize("slides", [{"frequency": 8, "time": 5}, {"frequency": 8}])
@pytest.mark.parametrize("axes", [("frequency", "time"), ("time", "frequency")])
def test_sections_are_the_same_whichever_axis_is_cut_and_whether_the_other_is_spanned(
    slides: dict[str, int], axes: tuple[str, str]
) -> None:
    convolution = Convolution(4, slides=slides, pools={"frequency": 6}, limited="frequency")
    lengths = {"frequency": 40, "time": 15}
    layer = build(Architecture(3, {axis: lengths[axis] for axis in axes}, (convolution,), (), 2)).get_submodule("conv1")
    assert isinstance(layer, torch.nn.Conv2d) and layer.bias is not None
    given = torch.randn(2, 3, 40, 15)
    answers = layer(given) if axes[0] == "frequency" else layer(given.transpose(2, 3)).transpose(2, 3)
    assert answers.shape == (2, 4, 30, 11 if "time" in slides else 1)
    for section in range(5):
        own = slice(4 * section, 4 * section + 4)
        alone = torch.nn.functional.conv2d(given[:, :, 6 * section : 6 * section + 13], layer.weight[own], layer.bias[own])
        assert torch.allclose(answers[:, :, 6 * section : 6 * section + 6], alone, atol=1e-5)


@pytest.mark.parametrize("axis", ["height", "width"])
def test_without_any_sharing_each_place_has_filters_of_its_own(axis: str) -> None:
    """Place by place along either axis, padded, as ordinary convolutions of one place each."""
    convolution = Convolution(3, slides={"height": 3, "width": 5}, padded=True, limited=axis)
    network = build(Architecture(2, {"height": 6, "width": 7}, (convolution,), (), 2)).eval()
    layer = network.get_submodule("conv1")
    assert isinstance(layer, torch.nn.Conv2d) and layer.bias is not None
    given = torch.randn(2, 2, 6, 7)
    answers = layer(given)
    assert answers.shape == (2, 3, 6, 7)
    padded = torch.nn.functional.pad(given, (2, 2, 1, 1))
    for place in range(6 if axis == "height" else 7):
        own = slice(3 * place, 3 * place + 3)
        weight, reach = layer.weight[own], 3 if axis == "height" else 5
        weight = weight if axis == "height" else weight.transpose(2, 3)
        part = padded.narrow(2 if axis == "height" else 3, place, reach)
        alone = torch.nn.functional.conv2d(part, weight, layer.bias[own])
        assert torch.allclose(
            answers.select(2 if axis == "height" else 3, place), alone.squeeze(2 if axis == "height" else 3), atol=1e-5
        )


def test_each_point_may_have_several_outputs() -> None:
    """One after the other, as so many networks of one output a point have them, with a bias each."""
    sliding = Convolution(4, slides={"row": 3, "column": 3}, padded=True)
    declared = Architecture(2, {"row": 5, "column": 4}, (sliding,), (), 3 * 20, per_point=True)
    module, inputs = build(declared), torch.randn(2, 2, 5, 4)
    torch.nn.init.normal_(module.get_parameter("output.bias"))
    middle = module.conv1_relu(module.conv1(inputs))
    weights = module.get_parameter("points.weight")[:, :, 0, 0]
    by_hand = torch.einsum("kc,bchw->bkhw", weights, middle).flatten(1) + module.get_parameter("output.bias")
    assert torch.allclose(module(inputs), by_hand, atol=1e-5)
    with pytest.raises(InputError, match="for each of 20 points"):
        build(replace(declared, outputs=61))
