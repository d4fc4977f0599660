from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
import torchvision
from torch import Tensor, nn

from convsight.activations import read
from convsight.errors import InputError
from tests.networks import SHAPE, branching

LAYERS = ["stem", "left", "left.1", "left.2", "right", "block.first", "block.second", "block"]


def state(module: nn.Module) -> list[object]:
    """Everything about a module that looking into it must not change."""
    return [
        (name, id(each), each.training, len(each._forward_hooks), len(each._forward_pre_hooks))
        for name, each in module.named_modules()
    ] + [
        (name, id(each), each.requires_grad, each.dtype, each.stride(), each.grad is None, each.detach().sum().item())
        for name, each in [*module.named_parameters(), *module.named_buffers()]
    ]


def plainly(module: nn.Module, layer: str, given: Tensor) -> Tensor:
    """What a layer puts out in an ordinary, complete forward pass, copied before anything changes it in place."""
    kept: list[Tensor] = []
    handle = module.get_submodule(layer).register_forward_hook(lambda _module, _inputs, output: kept.append(output.clone()))
    with torch.no_grad():
        module(given)
    handle.remove()
    return kept[0]


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("layer", LAYERS)
def test_stopping_early_changes_no_activation(layer: str, memory_format: torch.memory_format) -> None:
    module = branching().eval().to(memory_format=memory_format)
    given = torch.rand(2, *SHAPE).to(memory_format=memory_format)
    with torch.no_grad(), read(module, [layer]) as activations_of:
        assert torch.equal(activations_of(given)[layer], plainly(module, layer, given))


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("resnet18", "layer3"),
        ("mobilenet_v3_small", "features.5"),
        ("googlenet", "inception4a"),
        ("densenet121", "features.denseblock2"),
    ],
)
def test_stopping_early_changes_no_activation_of_a_known_network(name: str, layer: str) -> None:
    given = torch.rand(1, 3, 96, 96)
    module = torchvision.models.get_model(name, weights=None, **({"init_weights": False} if name == "googlenet" else {})).eval()
    with torch.no_grad(), read(module, {layer: frozenset({1})}) as activations_of:
        assert torch.equal(activations_of(given)[layer], plainly(module, layer, given))


def test_all_layers_together_are_what_each_is_alone() -> None:
    module, given = branching(), torch.rand(2, *SHAPE)
    with torch.no_grad(), read(module, [*LAYERS, "output", "input"]) as activations_of:
        together = activations_of(given)
    for layer in LAYERS:
        with torch.no_grad(), read(module, [layer]) as activations_of:
            assert torch.equal(activations_of(given)[layer], together[layer])
    assert together["input"] is given
    assert together["output"].shape == (2, 5)


def test_layers_behind_the_deepest_one_read_are_never_called() -> None:
    module = branching()
    with torch.no_grad(), read(module, ["stem", "block"]) as activations_of:
        activations_of(torch.rand(1, *SHAPE))
    assert module.head_calls == 0
    with torch.no_grad(), read(module, ["stem", "output"]) as activations_of:
        activations_of(torch.rand(1, *SHAPE))
    assert module.head_calls == 1


def test_the_module_comes_back_as_it_was() -> None:
    module = branching().train()
    module.left.eval()
    module.stem.requires_grad_(False)
    before = state(module)
    with read(module, ["block", "left"], precision=torch.bfloat16) as activations_of:
        given = torch.rand(1, *SHAPE, requires_grad=True)
        activations_of(given)["block"].sum().backward()
    assert given.grad is not None and given.grad.abs().sum() > 0
    assert state(module) == before


def test_the_module_comes_back_as_it_was_after_an_error() -> None:
    module = branching().train()
    before = state(module)
    with pytest.raises(RuntimeError), read(module, ["block"]) as activations_of:
        activations_of(torch.rand(1, 5, 12, 17))
    with pytest.raises(KeyboardInterrupt), read(module, ["block"]):
        raise KeyboardInterrupt
    assert state(module) == before


def test_gradients_are_those_of_a_full_pass_with_trainable_parameters() -> None:
    module, given = branching().eval(), torch.rand(2, *SHAPE, requires_grad=True)
    with read(module, ["block.second"]) as activations_of:
        (mine,) = torch.autograd.grad(activations_of(given)["block.second"].square().sum(), given)
    kept: list[Tensor] = []
    handle = module.block.second.register_forward_hook(lambda _module, _inputs, output: kept.append(output.clone()))
    module(given)
    handle.remove()
    (full,) = torch.autograd.grad(kept[0].square().sum(), given)
    torch.testing.assert_close(mine, full)


def test_a_layer_called_twice_is_read_at_its_first_call() -> None:
    module, given = branching().eval(), torch.rand(1, *SHAPE)
    with torch.no_grad(), read(module, ["block.relu"]) as activations_of:
        first = activations_of(given)["block.relu"]
    torch.testing.assert_close(first, plainly(module, "block.first", given).relu())


def test_bfloat16_activations_are_near_and_come_as_float32() -> None:
    module, given = branching(), torch.rand(2, *SHAPE)
    with torch.no_grad(), read(module, ["block"], precision=torch.bfloat16) as activations_of:
        rough = activations_of(given)["block"]
    with torch.no_grad(), read(module, ["block"]) as activations_of:
        exact = activations_of(given)["block"]
    assert rough.dtype == torch.float32
    assert not torch.equal(rough, exact)
    torch.testing.assert_close(rough, exact, atol=0.05, rtol=0.05)


def test_a_missing_layer_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r'no layer "blok" in this network; did you mean "block"'), read(branching(), ["blok"]):
        pass


def test_a_layer_that_is_never_called_is_said_so() -> None:
    module = branching()
    module.add_module("spare", nn.Conv2d(3, 3, 1))
    with pytest.raises(InputError, match='never calls its layer "spare"'), read(module, ["spare"]) as activations_of:
        activations_of(torch.rand(1, *SHAPE))


def test_a_layer_that_puts_out_no_tensor_is_said_so() -> None:
    module = nn.Sequential(nn.Flatten(2), nn.LSTM(12 * 17, 4))
    with pytest.raises(InputError, match="puts out a tuple"), read(copy.deepcopy(module), ["1"]) as activations_of:
        activations_of(torch.rand(1, *SHAPE))


@pytest.mark.parametrize("layer", ["stem", "left.2", "block.second", "head"])
def test_few_units_are_what_they_are_among_all(layer: str) -> None:
    module, given = branching(), torch.rand(2, *SHAPE, requires_grad=True)
    with read(module, [layer]) as activations_of:
        whole = activations_of(given)[layer][:, [1, 3]]
    with read(module, {layer: frozenset({1, 3})}, precision=torch.float32) as activations_of:
        for _ in range(3):
            few = activations_of(given)[layer]
        assert few.shape[1] == module.get_submodule(layer).weight.shape[0]
        assert few[:, [0, 2]].isnan().all()
    torch.testing.assert_close(few[:, [1, 3]], whole)
    gradients = [torch.autograd.grad(each.square().sum(), given)[0] for each in (few[:, [1, 3]], whole)]
    torch.testing.assert_close(*gradients)


def test_units_of_a_layer_that_others_follow_are_all_computed() -> None:
    module, given = branching(), torch.rand(2, *SHAPE)
    with torch.no_grad(), read(module, ["stem", "block"]) as activations_of:
        whole = activations_of(given)
    with (
        torch.no_grad(),
        read(module, {"stem": frozenset({1}), "block": frozenset({2})}, precision=torch.float32) as activations_of,
    ):
        for _ in range(3):
            few = activations_of(given)
    for layer in ("stem", "block"):
        torch.testing.assert_close(few[layer], whole[layer])


@pytest.mark.parametrize("wanted", [None, frozenset({0})])
def test_layers_that_share_their_weights_are_read_right(wanted: frozenset[int] | None) -> None:
    module = nn.Sequential(nn.Conv2d(4, 4, 3), nn.Tanh(), nn.Conv2d(4, 4, 3))
    module[2].weight = module[0].weight
    given = torch.rand(1, 4, 9, 8)
    with torch.no_grad(), read(module, {"2": wanted}, precision=torch.float32) as activations_of:
        for _ in range(3):
            read_there = activations_of(given)["2"][:, 0]
        torch.testing.assert_close(read_there, module(given)[:, 0])


class Viewing(nn.Module):
    """As in many tutorials: its `view` relies on how the tensor lies in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3)
        self.conv2 = nn.Conv2d(4, 5, 3)
        self.fc = nn.Linear(5 * 8 * 13, 3)

    def forward(self, given: Tensor) -> Tensor:
        return self.fc(self.conv2(self.conv1(given)).view(-1, 5 * 8 * 13))


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_network_that_views_its_tensors_is_read(precision: torch.dtype) -> None:
    module, given = Viewing(), torch.rand(2, *SHAPE, requires_grad=True)
    with read(module, ["conv1", "output"], precision=precision) as activations_of:
        for _ in range(3):
            output = activations_of(given)["output"]
        output.sum().backward()
    torch.testing.assert_close(output, module(given), atol=0.05, rtol=0.05)


def test_a_users_hook_that_mixes_units_is_respected() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3))
    module[0].register_forward_hook(lambda _module, _inputs, output: output - output.mean(1, keepdim=True))
    given = torch.rand(1, *SHAPE)
    with torch.no_grad(), read(module, {"0": frozenset({1})}, precision=torch.float32) as activations_of:
        for _ in range(3):
            torch.testing.assert_close(activations_of(given)["0"][:, 1], module(given)[:, 1])


def test_a_fully_connected_layer_over_tokens_is_read() -> None:
    module = nn.Sequential(nn.Flatten(2), nn.Linear(12 * 17, 16))  # (B, 3, 16)
    given = torch.rand(2, *SHAPE)
    with torch.no_grad(), read(module, {"1": frozenset({1, 2})}, precision=torch.float32) as activations_of:
        for _ in range(3):
            torch.testing.assert_close(activations_of(given)["1"], module(given))


def test_buffers_that_a_pass_changes_and_an_overridden_train_are_left_alone() -> None:
    class Counting(nn.Module):
        merged = False

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))

        def train(self, mode: bool = True) -> Counting:
            self.merged = not mode
            return super().train(mode)

        def forward(self, given: Tensor) -> Tensor:
            self.calls += 1
            return given.flatten(1)

    module = Counting()
    with read(module, ["output"]) as activations_of:
        activations_of(torch.rand(1, *SHAPE))
    assert (module.calls.item(), module.merged, module.training) == (0, False, True)


def lazy() -> nn.Module:
    return nn.Sequential(nn.LazyConv2d(4, 3))


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: nn.DataParallel(branching()), "give the module inside it, its .module"),
        (lambda: torch.jit.trace(branching().eval(), torch.rand(1, *SHAPE)), "give the module that it was made from"),
        (lambda: torch.compile(branching()), "give the module as it was before torch.compile"),
        (lazy, "run one batch through it first"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_modules_whose_layers_are_out_of_reach_are_refused(made: Callable[[], nn.Module], message: str) -> None:
    with pytest.raises(InputError, match=message), read(made(), ["output"]):
        pass


def test_a_weight_that_a_parent_uses_itself_is_whole() -> None:
    class Parent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, given: Tensor) -> Tensor:
            return self.conv(given * self.conv.weight.mean())

    module, given = Parent(), torch.rand(1, *SHAPE)
    with torch.no_grad(), read(module, {"conv": frozenset({1})}, precision=torch.float32) as activations_of:
        for _ in range(3):
            torch.testing.assert_close(activations_of(given)["conv"][:, 1], module(given)[:, 1])


def test_a_convolution_of_a_single_picture_is_read() -> None:
    module, given = nn.Sequential(nn.Flatten(0, 1), nn.Conv2d(3, 4, 3)), torch.rand(1, *SHAPE)
    with torch.no_grad(), read(module, {"1": frozenset({1})}, precision=torch.float32) as activations_of:
        for _ in range(3):
            torch.testing.assert_close(activations_of(given)["1"], module(given))


def test_a_module_used_under_two_names_is_read_under_both() -> None:
    shared = nn.Conv2d(3, 3, 3)
    module, given = nn.Sequential(shared, shared), torch.rand(1, *SHAPE)
    with torch.no_grad(), read(module, ["1"]) as activations_of:
        assert torch.equal(activations_of(given)["1"], shared(given))
