from __future__ import annotations

import pytest
import torch

from convsight.frozen import frozen
from convsight.precision import autocast, best_device, fastest, prepare
from tests.networks import branching


@pytest.mark.parametrize(("amx", "avx512", "taken"), [
    (True, False, torch.bfloat16), (False, True, torch.bfloat16), (False, False, torch.float32),
])  # fmt: skip
def test_bfloat16_is_taken_only_where_it_is_native(
    monkeypatch: pytest.MonkeyPatch, amx: bool, avx512: bool, taken: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    assert fastest("cpu") == taken
    assert fastest("meta") == torch.float32
    assert best_device() in ("cpu", "cuda", "mps")


def test_only_weights_of_products_are_converted_and_the_module_is_not_touched() -> None:
    module = branching()
    own = dict(module.named_parameters())
    with frozen(module):
        for each in module.modules():
            prepare(each, torch.bfloat16)
        names = {name for owner, each in module.named_modules() for name in (f"{owner}.{own}" for own in each._parameters)}
        assert names == {*own}
        assert {name for name, each in module.state_dict().items() if each.dtype == torch.bfloat16} == {
            "stem.weight", "left.2.weight", "right.weight", "block.first.weight", "block.second.weight", "head.weight",
        }  # fmt: skip
    assert all(each is own[name] for name, each in module.named_parameters())
    assert all(each.dtype == torch.float32 and each.requires_grad for each in module.parameters())


def test_autocast_in_float32_changes_nothing() -> None:
    with autocast("cpu", torch.float32):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
    with autocast("cpu", torch.bfloat16):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
