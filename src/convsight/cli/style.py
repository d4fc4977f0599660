"""`convsight style`: a photograph painted in the manner of paintings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from convsight.cli.options import Device, Seed, check_outputs
from convsight.cli.progress import progress
from convsight.cli.terminal import say
from convsight.errors import InputError
from convsight.precision import best_device

_LONG = 2048


def style(
    photograph: Annotated[
        Path,
        typer.Argument(
            metavar="PHOTO", help="Whose content is kept: any picture; or china, flower, which scikit-learn carries."
        ),
    ],
    paintings: Annotated[list[Path], typer.Argument(metavar="PAINTING...", help="Whose style it takes on; several are mixed.")],
    weight: Annotated[list[float] | None, typer.Option(min=0.001, help="Of each painting, in their order.")] = None,
    mask: Annotated[
        list[Path] | None, typer.Option(help="Of each painting, in their order: white where its style goes, as large as PHOTO.")
    ] = None,
    style_weight: Annotated[float, typer.Option(min=1e-6, max=1e6, help="More for more style and less content.")] = 1.0,
    style_scale: Annotated[float, typer.Option(min=0.1, max=4, help="How large the painting's strokes become.")] = 1.0,
    keep_colours: Annotated[bool, typer.Option("--keep-colours", help="Only light and dark from the painting.")] = False,
    start: Annotated[Literal["content", "noise"], typer.Option(help="From the photograph or from noise.")] = "content",
    size: Annotated[int | None, typer.Option(min=128, help="The longer side of what comes out. Default: as it is.")] = None,
    steps: Annotated[int, typer.Option(min=1, help="At the smallest size; half as many at each larger one.")] = 80,
    animation: Annotated[Path | None, typer.Option(help="Also write how it came to be: a .gif or .mp4.")] = None,
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option(help="PNG to write; how it was made goes into a .json beside it.")] = None,
    device: Device = None,
) -> None:
    """Deep Style: find the picture whose content is the photograph's and whose style is the painting's.

    Example: convsight style photo.jpg painting.jpg

    Example: convsight style photo.jpg painting.jpg --size 512 --keep-colours
    """
    from convsight.image import data
    from convsight.image import style as styling
    from convsight.image.pretrained import vgg16
    from convsight.pictures import read_picture, to_tensor

    path = out or Path(f"{photograph.stem}-style.png")
    for given, option in ((weight, "--weight"), (mask, "--mask")):
        if given and len(given) != len(paintings):
            raise InputError(f"{len(paintings)} paintings take {len(paintings)} times {option}, not {len(given)}")
    check_outputs(path, animation)
    picture = data.photograph(photograph)
    painted = [
        styling.Painting(
            data.photograph(painting),
            weight[index] if weight else 1.0,
            to_tensor(read_picture(mask[index]).convert("L")) if mask else None,
        )
        for index, painting in enumerate(paintings)
    ]
    network = vgg16(pooling="average").to(device or best_device())
    counts = (steps, max(1, steps // 2))
    sizes = styling.scales(picture, size)
    total = styling.total_steps(sizes, counts)
    if sizes[-1] > _LONG:
        say(f"painting at {sizes[-1]} pixels takes many gigabytes and, without a GPU, hours; --size {_LONG} paints smaller")
    with progress(f"painting {photograph.name}", total) as done:
        made = styling.transfer(
            network, picture, painted, size=size, style_weight=style_weight, style_scale=style_scale,
            from_noise=start == "noise", keep_colours=keep_colours, steps=counts, seed=seed, frames=60 if animation else 0,
            on_step=lambda step: done(step + 1, ""),
        )  # fmt: skip
    names = {
        "photograph": str(photograph),
        "paintings": [str(each) for each in paintings],
        "masks": [str(each) for each in mask or ()],
    }
    replace(made, settings=made.settings | names).save(path, enlarge=1)
    if animation:
        made.save_animation(animation, enlarge=1)
    height, width = made.input.shape[-2:]
    written = ", ".join(str(each) for each in (path, path.with_suffix(".json"), animation) if each)
    say(f"{photograph.name} in the manner of {', '.join(each.name for each in paintings)}, {width}x{height}: {written}")
