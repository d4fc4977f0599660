from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFilter
from torch import Tensor

from convsight import load
from convsight.errors import InputError
from convsight.image.data import load_digits
from convsight.image.encode import digit


def called(given: Tensor) -> Tensor:
    network = load("digits")
    network.module.eval()
    with torch.no_grad():
        return network(given).argmax(1)


def photographs(kind: str, images: Tensor) -> list[Image.Image]:
    """Each digit as somebody would hold it to a camera: large, off centre, on uneven paper, with noise."""
    random = np.random.default_rng(1)
    made = []
    for image in images:
        ink = Image.fromarray(image.numpy()).resize((random.integers(90, 180),) * 2, Image.Resampling.BICUBIC)
        page = Image.new("L", (400, 300))
        page.paste(ink, (int(random.integers(10, 400 - ink.width - 10)), int(random.integers(10, 300 - ink.height - 10))))
        values = np.asarray(page, dtype=np.float64) / 255
        rows, columns = np.mgrid[-1:1:300j, -1:1:400j]
        light = 0.75 + 0.15 * rows * random.uniform(-1, 1) + 0.15 * columns * random.uniform(-1, 1)
        if kind == "light on dark":
            values = 0.15 + 0.7 * values
        else:
            values = light * (1 - (0.35 if kind == "faint pencil" else 0.8) * values)
        if kind == "a vignette":
            values *= 1 - 0.35 * (rows**2 + columns**2) / 2
        elif kind == "a hard shadow":
            values[:, :170] *= 0.6
        elif kind == "a sheet on a desk":
            values = np.pad(values, 45, constant_values=0.3)
        elif kind == "in a frame":
            values[5:-5, [5, 6, 7, -6, -7, -8]] = values[[5, 6, 7, -6, -7, -8], 5:-5] = 0.1
        values += random.normal(0, 0.02, values.shape)
        made.append(Image.fromarray((values.clip(0, 1) * 255).astype(np.uint8)))
    return made


KINDS = [
    "dark on light", "light on dark", "faint pencil", "a vignette", "a hard shadow", "a sheet on a desk", "in a frame",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_photographs_of_digits_are_read(kind: str) -> None:
    digits = load_digits(None, "test")
    chosen = torch.arange(0, 1000, 10)
    given = torch.cat([digit(picture) for picture in photographs(kind, digits.images[chosen])])
    least = 70 if kind == "a hard shadow" else 97  # its edge looks like a stroke where it crosses the light
    assert (called(given) == digits.labels[chosen]).sum() >= least


def test_mnists_own_digits_stay_what_they_are() -> None:
    digits = load_digits(None, "test")
    given = torch.cat([digit(Image.fromarray(image.numpy())) for image in digits.images])
    assert (called(given) == digits.labels).sum() >= 990


@pytest.mark.parametrize("thickness", [6, 14, 30])
def test_strokes_of_a_pen_or_a_brush_are_read(thickness: int) -> None:
    picture = Image.new("RGB", (500, 700), "white")
    draw = ImageDraw.Draw(picture)
    draw.line([(150, 150), (350, 150), (230, 560)], fill=(20, 30, 90), width=thickness, joint="curve")
    given = digit(picture.filter(ImageFilter.GaussianBlur(2)))
    assert called(given).item() == 7


def test_it_is_brought_to_mnists_form() -> None:
    picture = Image.new("L", (200, 300), 255)
    ImageDraw.Draw(picture).ellipse([20, 180, 70, 280], outline=0, width=9)
    given = digit(picture)
    assert given.shape == (1, 1, 28, 28)
    assert given.min() == 0 and given.max() == 1
    rows = (given[0, 0] > 0.2).any(1).nonzero()
    assert int(rows.max() - rows.min()) + 1 == 20
    mass = given[0, 0] / given.sum()
    assert abs(float((mass.sum(1) * torch.arange(28)).sum()) - 13.5) <= 1
    assert abs(float((mass.sum(0) * torch.arange(28)).sum()) - 13.5) <= 1


def test_specks_beside_the_digit_are_left_out() -> None:
    picture = Image.new("L", (200, 200), 255)
    draw = ImageDraw.Draw(picture)
    draw.line([(100, 40), (100, 160)], fill=0, width=10)
    plain = digit(picture)
    draw.ellipse([20, 20, 26, 26], fill=0)
    torch.testing.assert_close(digit(picture), plain, atol=0.1, rtol=0)


@pytest.mark.parametrize("size", [(1, 1), (2, 50), (300, 200)])
def test_a_picture_with_nothing_on_it_is_said_so(size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=r"nothing stands out in blank\.png"):
        digit(Image.new("L", size, 200), name="blank.png")
