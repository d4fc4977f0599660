from __future__ import annotations

import json
import os
import pickle
import re
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import convsight
from convsight import InputError, Network
from convsight.image import model
from tests.networks import SHAPE, branching, network

FACTORY = """
import torch
from torch import nn

def small():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 5, 2))

def number():
    return 7
"""


@pytest.fixture
def factory(monkeypatch: pytest.MonkeyPatch) -> str:
    Path("mymodels.py").write_text(FACTORY)
    monkeypatch.delitem(sys.modules, "mymodels", raising=False)
    return "mymodels:small"


def test_the_shipped_digit_network_is_the_lectures_and_has_a_card() -> None:
    digits = convsight.load("digits")
    assert digits.architecture == model.DIGITS
    assert digits.labels == tuple("0123456789")
    assert {"data", "figure", "command"} <= set(digits.card)


def test_layers_are_listed_with_their_shapes() -> None:
    layers = {layer.name: layer for layer in convsight.load("digits").layers()}
    assert layers["conv2"].kind == "Conv2d"
    assert layers["conv2"].shape == (50, 11, 11)
    assert layers["conv2"].receptive_field == (8, 8)
    assert layers["conv2"].parameters == 25 * 50 * 9 + 50
    assert [layer.name for layer in network().layers()] == [
        "stem", "left", "left.0", "left.1", "left.2", "right", "block", "block.first", "block.relu", "block.second",
        "dropout", "head",
    ]  # fmt: skip


def test_listing_layers_changes_nothing() -> None:
    net = network(branching().train())
    before = {name: each.clone() for name, each in net.module.state_dict().items()}
    net.layers()
    assert net.module.training
    assert all(torch.equal(before[name], each) for name, each in net.module.state_dict().items())
    assert not any(each._forward_hooks for each in net.module.modules())


def test_a_saved_network_is_rebuilt_without_code() -> None:
    net = model.untrained(seed=3)
    convsight.save(net, "mine.safetensors")
    again = convsight.load("mine.safetensors")
    assert again.architecture == net.architecture
    assert (again.input, again.labels, again.name) == (net.input, net.labels, "mine")
    given = torch.rand(2, 1, 28, 28)
    assert torch.equal(again(given), net(given))


def test_weights_may_be_stored_half_as_large() -> None:
    made = model.untrained(seed=0)
    convsight.save(made, "whole.safetensors")
    convsight.save(made, "half.safetensors", half=True)
    assert Path("half.safetensors").stat().st_size < 0.6 * Path("whole.safetensors").stat().st_size
    opened = convsight.load("half.safetensors")
    for one, other in zip(opened.module.parameters(), made.module.parameters(), strict=True):
        assert one.dtype == torch.float32 and torch.equal(one, other.detach().half().float())


def test_a_network_without_a_declaration_is_not_saved() -> None:
    with pytest.raises(InputError, match="no declared architecture"):
        convsight.save(network(), "mine.safetensors")
    assert not list(Path().iterdir())


def test_a_factory_of_the_users_with_weights_of_both_kinds(factory: str) -> None:
    torch.manual_seed(5)
    module = convsight.load(factory, shape=(3, 8, 7)).module
    torch.save(module.state_dict(), "weights.pt")
    torch.save({"state_dict": module.state_dict(), "epoch": 3}, "nested.pt")
    save_file(module.state_dict(), "weights.safetensors")
    for name in ("weights.pt", "nested.pt", "weights.safetensors"):
        loaded = convsight.load(factory, weights=name, shape=(3, 8, 7))
        assert torch.equal(loaded.module[0].weight, module[0].weight)


def test_a_factory_may_return_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("theirs.py").write_text(
        "from convsight import Network, InputSpec\nfrom torch import nn\n"
        "def net(): return Network(nn.Conv2d(1, 2, 3), InputSpec((1, 5, 6)), name='theirs')\n"
    )
    assert convsight.load("theirs:net").input.shape == (1, 5, 6)


@pytest.mark.parametrize(
    ("spec", "options", "message"),
    [
        ("digit", {}, 'no network "digit"; did you mean "digits"'),
        ("digits", {"weights": "w.pt"}, "digits brings its own weights"),
        ("nothing.safetensors", {}, "there is no file nothing.safetensors"),
        ("nowhere:net", {}, 'cannot import "nowhere"'),
        ("mymodels:smal", {}, 'the module "mymodels" has no "smal"'),
        ("mymodels:number", {}, "returned a int, not a torch.nn.Module"),
        ("mymodels:small", {}, "--shape CHANNELSxHEIGHTxWIDTH"),
        ("mymodels:small", {"shape": (3, 8, 7), "weights": "missing.pt"}, "there is no file missing.pt"),
    ],
)
def test_what_cannot_be_loaded_is_said(factory: str, spec: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        convsight.load(spec, **options)


def test_weights_that_do_not_fit_name_the_tensors(factory: str) -> None:
    torch.save({"0.weight": torch.zeros(4, 3, 5, 5), "0.bias": torch.zeros(4), "extra": torch.zeros(1)}, "weights.pt")
    with pytest.raises(InputError) as caught:
        convsight.load(factory, weights="weights.pt", shape=(3, 8, 7))
    for part in (
        "3.weight is missing",
        "3.bias is missing",
        "extra is not in the network",
        "0.weight is 4x3x5x5 instead of 4x3x3x3",
    ):
        assert part in str(caught.value)


def test_a_pickled_checkpoint_that_would_run_code_is_refused(factory: str) -> None:
    class Attack:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, ("attacked",)

    torch.save({"0.weight": Attack()}, "attack.pt")
    Path("plain.pt").write_bytes(pickle.dumps(Attack()))
    for name in ("attack.pt", "plain.pt"):
        with pytest.raises(InputError, match="would run code when opened, so it is refused"):
            convsight.load(factory, weights=name, shape=(3, 8, 7))
    assert not Path("attacked").exists()


def test_broken_weight_files_are_said_so(factory: str) -> None:
    convsight.save(model.untrained(), "mine.safetensors")
    content = Path("mine.safetensors").read_bytes()
    Path("cut.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"cut.safetensors is no complete safetensors file"):
        convsight.load("cut.safetensors")
    save_file(load_file("mine.safetensors"), "bare.safetensors")
    with pytest.raises(InputError, match="holds bare weights, no network of convsight"):
        convsight.load("bare.safetensors")
    save_file({}, "odd.safetensors", metadata={"convsight": json.dumps({"input": {}})})
    with pytest.raises(InputError, match="describes no network"):
        convsight.load("odd.safetensors")
    for name, content in (("noise.pt", b"no weights at all"), ("hello.pt", b"hello world"), ("empty.pt", b"")):
        Path(name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            convsight.load(factory, weights=name, shape=(3, 8, 7))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": {"channels": 10**12}}, "describes no network: this describes no architecture"),
        ({"architecture": {"outputs": "ten"}}, "'ten' is no count"),
        ({"architecture": {"axes": {"height": 28}}}, "two axes"),
        ({"architecture": {"convolutions": [{}]}}, "describes no network"),
        ({"architecture": {"outputs": 11}}, "10 labels for 11 outputs"),
        ({"input": {"std": [0.0]}}, "the std of an input is one number"),
        ({"input": {"std": [float("nan")]}}, "the std of an input is one number"),
        ({"input": {"value_range": [1.0, 0.0]}}, "goes from a number to a larger one"),
        ({"input": {"shape": [1, 28]}}, "is (channels, height, width), not"),
        ({"input": {"colour": 1}}, "describes no network"),
        ({"labels": 7}, "describes no network"),
    ],
)
def test_an_odd_header_is_said_so(change: dict[str, object], message: str) -> None:
    convsight.save(model.untrained(), "mine.safetensors")
    with safe_open("mine.safetensors", framework="pt") as opened:
        header = json.loads(opened.metadata()["convsight"])
    for part, changed in change.items():
        header[part] = header[part] | changed if isinstance(changed, dict) else changed
    save_file(load_file("mine.safetensors"), "odd.safetensors", metadata={"convsight": json.dumps(header)})
    with pytest.raises(InputError, match=re.escape(message)):
        convsight.load("odd.safetensors")


def test_tensors_that_are_no_plain_numbers_do_not_fit(factory: str) -> None:
    module = convsight.load(factory, shape=(3, 8, 7)).module
    torch.save(module.state_dict() | {"0.bias": torch.zeros(4, dtype=torch.complex64)}, "weights.pt")
    with pytest.raises(InputError, match=r"0\.bias is complex64"):
        convsight.load(factory, weights="weights.pt", shape=(3, 8, 7))


def test_a_shape_that_the_module_cannot_take_is_said(factory: str) -> None:
    with pytest.raises(InputError, match="small cannot take an input of 3x9x9"):
        convsight.load(factory, shape=(3, 9, 9)).layers()


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_layers_of_other_precisions_are_listed(dtype: torch.dtype) -> None:
    assert network(branching().to(dtype)).layers()[0].shape == (6, 5, 8)


def test_a_device_that_is_not_there_is_said() -> None:
    with pytest.raises(InputError, match='cannot use the device "cuda:9"'):
        Network(branching(), network().input).to("cuda:9")
    assert network().input.shape == SHAPE
