from __future__ import annotations

import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_image
from torch import nn

from convsight import InputError, load
from convsight.image.pretrained import Block, EfficientNetLite, imagenet_labels
from convsight.image.resize import resized
from convsight.pictures import to_tensor


def test_efficientnet_lite_has_the_published_sizes() -> None:
    """Parameters as its authors give them: 4.7 and 6.1 million, before batch normalisation is folded in."""
    for width, depth, millions in ((1.0, 1.0, 4.65), (1.1, 1.2, 6.09)):
        module = EfficientNetLite(width=width, depth=depth)
        norms = sum(each.out_channels for each in module.modules() if isinstance(each, nn.Conv2d))
        count = sum(each.numel() for each in module.parameters()) + norms  # gain and shift, instead of one bias
        assert count / 1e6 == pytest.approx(millions, abs=0.02)


def test_padding_is_tensorflows_same() -> None:
    """ceil(n / 2) places; of one odd zero, none before and one after: so the first unit sees the first pixels."""
    for size, first in ((8, 0), (9, -1)):
        block = Block(1, 1, 3, 2, 1)
        nn.init.ones_(block.depthwise.weight)
        nn.init.ones_(block.project.weight)
        nn.init.zeros_(block.depthwise.bias)
        nn.init.zeros_(block.project.bias)
        picture = torch.zeros(1, 1, size, size)
        picture[0, 0, first + 2, first + 2] = 1
        made = block(picture)
        assert made.shape[-1] == (size + 1) // 2
        assert made[0, 0, 0, 0] == 1


def test_imagenet_has_a_thousand_names() -> None:
    labels = imagenet_labels()
    assert (len(labels), labels[285], labels[0]) == (1000, "Egyptian cat", "tench")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("vgg15", 'no network "vgg15"; did you mean "vgg16"'),
        ("torchvision:resnet19", 'torchvision has no network "resnet19"; did you mean "resnet18"'),
        ("torchvision:resnet18:V9", 'torchvision has no weights "V9" for resnet18; it has IMAGENET1K_V1'),
    ],
)
def test_what_does_not_exist_names_the_nearest(spec: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(spec)


def test_a_torchvision_network_takes_weights_that_are_in_place(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    import torchvision

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    weights = torchvision.models.SqueezeNet1_1_Weights.IMAGENET1K_V1
    module = torchvision.models.squeezenet1_1(weights=None)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(module.state_dict(), folder / weights.url.rpartition("/")[2])
    network = load("torchvision:squeezenet1_1")
    assert torch.equal(network.module.features[0].weight, module.features[0].weight)
    assert network.labels[285] == "Egyptian cat" and network.input.mean == (0.485, 0.456, 0.406)
    assert network.unit("egyptian CAT") == 285


def test_a_timm_network_takes_weights_that_are_in_place(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    import timm
    from huggingface_hub import constants
    from safetensors.torch import save_file

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    module = timm.create_model("resnet18", pretrained=False)
    kept, commit = tmp_path / "models--timm--resnet18.a1_in1k", "0" * 40
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text(commit)
    (kept / "snapshots" / commit).mkdir(parents=True)
    save_file(module.state_dict(), kept / "snapshots" / commit / "model.safetensors")
    network = load("timm:resnet18")
    assert torch.equal(network.module.conv1.weight, module.conv1.weight)
    assert network.labels[285] == "Egyptian cat" and network.input.shape == (3, 224, 224)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["efficientnet_lite0", "efficientnet_lite2"])
def test_real_weights_see_a_palace_in_the_summer_palace(name: str) -> None:
    network = load(name)
    photograph = Image.fromarray(load_sample_image("china.jpg")).crop((106, 0, 533, 427))
    with torch.no_grad():
        logits = network(resized(to_tensor(photograph), *network.input.shape[1:]))
    assert network.labels[int(logits.argmax())] == "palace"
