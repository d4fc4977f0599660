"""Pictures: read from any file, laid out in a grid, written as PNG."""

from __future__ import annotations

import io
import math
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from convsight.errors import InputError
from convsight.files import check_ending, written_whole

MOST_PIXELS = 200_000_000


def read_picture(path: str | Path) -> Image.Image:
    """The picture in a file, upright (EXIF), as `L` or `RGB`; transparent parts become white.

    Raises InputError if there is no such file, it is no picture, it is cut off, or it has more than 200 million pixels.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a picture")
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is no file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                width, height = picture.size
                if width * height > MOST_PIXELS:
                    raise InputError(f"{path} has {width}x{height} pixels, more than {MOST_PIXELS:,}; make it smaller first")
                return _plain(ImageOps.exif_transpose(picture))
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except Image.DecompressionBombError:
        raise InputError(f"{path} has more than {MOST_PIXELS:,} pixels; make it smaller first") from None
    except UnidentifiedImageError:
        raise InputError(f"{path} is not a picture that can be read (PNG, JPEG, GIF, TIFF, WebP, ...)") from None
    except InputError:
        raise
    except Exception as error:  # what a damaged file makes its reader raise is not bounded
        raise InputError(f"{path} cannot be read as a picture: {error}") from None


def read_colours(path: str | Path) -> Tensor:
    """The picture in a file in colours: (1, 3, H, W) float in [0, 1]. Raises InputError as `read_picture` does."""
    return to_tensor(read_picture(path).convert("RGB"))


def to_tensor(picture: Image.Image) -> Tensor:
    """(1, C, H, W) float in [0, 1], C = 1 for `L` and 3 for `RGB`."""
    values = torch.from_numpy(np.array(picture, dtype=np.float32) / 255)
    return values[None, None] if values.dim() == 2 else values.permute(2, 0, 1)[None]


def from_tensor(picture: Tensor) -> Image.Image:
    """`picture`: (C, H, W) float in [0, 1] (clipped), C 1 or 3."""
    values = (picture.detach().float().cpu().clamp(0, 1) * 255).round().byte()
    return Image.fromarray(values[0].numpy() if len(values) == 1 else values.permute(1, 2, 0).contiguous().numpy())


def grid(
    pictures: Tensor, *, columns: int | None = None, enlarge: int | None = None, gap: int = 2, ground: float = 0.5
) -> Tensor:
    """All of `pictures` (B, C, H, W) in one, row by row on `ground`, by default mid-grey: (C, H', W').

    Small pictures are enlarged by a whole number, pixels staying square; by default as far as fits 1200 across.
    """
    batch, channels, height, width = pictures.shape
    columns = columns or _columns(batch, math.ceil(math.sqrt(batch * height / width)))
    rows = math.ceil(batch / columns)
    enlarge = enlarge or max(1, min(1200 // (columns * (width + gap)), 8 if batch > 1 else 16))
    height, width = height * enlarge, width * enlarge
    sheet = torch.full((channels, rows * (height + gap) + gap, columns * (width + gap) + gap), ground)
    for index, picture in enumerate(pictures.detach().float().cpu()):
        large = picture.repeat_interleave(enlarge, 1).repeat_interleave(enlarge, 2)
        top, left = (gap + each * size for each, size in zip(divmod(index, columns), (height + gap, width + gap), strict=True))
        sheet[:, top : top + height, left : left + width] = large
    return sheet


@dataclass(frozen=True)
class View:
    """What notebooks show as `picture`: (3, H, W) float in [0, 1]."""

    picture: Tensor

    def _repr_png_(self) -> bytes:
        return png(self.picture)


def png(picture: Tensor) -> bytes:
    """`picture` (C, H, W) float in [0, 1] as a PNG file's content."""
    content = io.BytesIO()
    from_tensor(picture).save(content, "PNG", optimize=True)
    return content.getvalue()


def write_png(picture: Tensor, path: str | Path) -> None:
    """Write `picture` (C, H, W) float in [0, 1]. Raises InputError if `path` cannot be written or isn't named .png."""
    check_ending(path, ".png")
    content = png(picture)
    with written_whole(path) as temporary:
        temporary.write_bytes(content)


def _columns(batch: int, fewest: int) -> int:
    """At least `fewest`, at most twice as many: with the fewest places left empty in the last row."""
    return min(range(fewest, min(2 * fewest, batch) + 1), key=lambda columns: (-batch % columns, columns), default=batch)


def _plain(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith(("I", "F")):
        values = np.nan_to_num(np.asarray(picture, dtype=np.float64), posinf=0, neginf=0)
        white = 65535 if picture.mode.startswith("I;16") else max(values.max(), 1.0)
        return Image.fromarray((values / white * 255).clip(0, 255).round().astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, picture).convert("RGB")
    if picture.mode in ("1", "L"):
        return picture.convert("L")
    return picture.convert("RGB")


def picture_files(paths: list[Path]) -> list[Path]:
    """`paths`, with the pictures inside, as their endings tell, in place of each folder, by name.

    Raises InputError for a folder without any.
    """
    known = {ending for ending, form in Image.registered_extensions().items() if form in Image.OPEN}
    found: list[Path] = []
    for path in paths:
        inside = (
            sorted(each for each in path.iterdir() if each.is_file() and each.suffix.lower() in known)
            if path.is_dir()
            else [path]
        )
        if not inside:
            raise InputError(f"the folder {path} has no pictures in it (PNG, JPEG, GIF, TIFF, WebP, ...); put some there")
        found += inside
    return found
