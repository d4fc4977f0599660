from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from convsight.errors import InputError
from convsight.pictures import from_tensor, grid, picture_files, png, read_picture, to_tensor, write_png


def test_a_tensor_and_its_png_are_the_same_picture() -> None:
    for channels in (1, 3):
        picture = torch.randint(0, 256, (channels, 5, 9)).float() / 255
        write_png(picture, "picture.png")
        assert torch.equal(to_tensor(read_picture("picture.png"))[0], picture)
        with Image.open(io.BytesIO(png(picture))) as opened:
            assert opened.size == (9, 5)


@pytest.mark.parametrize(
    ("mode", "ending"),
    [("1", "png"), ("L", "png"), ("LA", "png"), ("P", "gif"), ("RGB", "bmp"), ("RGBA", "png"), ("CMYK", "jpg"),
     ("YCbCr", "jpg"), ("I;16", "png"), ("I", "tiff"), ("F", "tiff")],
)  # fmt: skip
def test_every_kind_of_picture_is_read_as_grey_or_colour(mode: str, ending: str) -> None:
    ramp = np.linspace(0, 1, 6 * 8).reshape(6, 8)
    if mode == "I;16":
        picture = Image.fromarray((ramp * 65535).astype(np.uint16))
    else:
        picture = Image.fromarray((ramp * 255).astype(np.uint8)).convert("RGB" if mode not in ("I", "F") else "L").convert(mode)
    picture.save(f"picture.{ending}")
    read = read_picture(f"picture.{ending}")
    assert read.mode in ("L", "RGB")
    shown = to_tensor(read).mean((0, 1)).numpy()
    assert np.abs(shown - ramp).max() < {"1": 1.01, "P": 0.15}.get(mode, 0.05)


def test_a_photograph_is_turned_upright() -> None:
    picture = Image.new("RGB", (8, 4))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save("turned.jpg", exif=exif)
    assert read_picture("turned.jpg").size == (4, 8)


def test_transparent_parts_become_white() -> None:
    Image.new("RGBA", (3, 3), (0, 0, 0, 0)).save("clear.png")
    assert to_tensor(read_picture("clear.png")).min() == 1


def test_a_decompression_bomb_is_refused_before_it_is_opened() -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(10_000_000), 9)
    Path("bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))
    with pytest.raises(InputError, match=r"bomb.png has (60000x60000|more than)"):
        read_picture("bomb.png")


def test_undefined_pixels_are_black() -> None:
    values = np.array([[0.0, np.nan, 4.0], [np.inf, 2.0, -np.inf]], dtype=np.float32)
    Image.fromarray(values).save("odd.tiff")
    assert np.asarray(read_picture("odd.tiff")).tolist() == [[0, 0, 255], [0, 128, 0]]


def test_what_is_no_picture_is_said() -> None:
    Path("text.png").write_text("this is no picture")
    Path("empty.png").touch()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (50, 50, 3)).astype(np.uint8)).save("whole.png")
    Path("cut.png").write_bytes(Path("whole.png").read_bytes()[:2000])
    for name, message in (
        ("text.png", "is not a picture"),
        ("empty.png", "is not a picture"),
        ("cut.png", "cannot be read as a picture"),
        ("missing.png", "there is no file"),
        (".", "is a folder"),
    ):
        with pytest.raises(InputError, match=message):
            read_picture(name)


def test_a_grid_lays_pictures_out_row_by_row() -> None:
    pictures = torch.linspace(0, 0.4, 6)[:, None, None, None].expand(6, 1, 4, 7)
    sheet = grid(pictures, columns=3, enlarge=2, gap=1)
    assert sheet.shape == (1, 2 * (8 + 1) + 1, 3 * (14 + 1) + 1)
    for index in range(6):
        row, column = divmod(index, 3)
        tile = sheet[0, 1 + row * 9 : 9 + row * 9, 1 + column * 15 : 15 + column * 15]
        assert (tile == pictures[index, 0, 0, 0]).all()
    assert (sheet[0, 0] == 0.5).all()


def test_a_grid_of_ten_or_fifty_leaves_no_place_empty() -> None:
    for batch, columns in ((10, 5), (50, 10), (25, 5), (7, 4), (1, 1)):
        sheet = grid(torch.zeros(batch, 1, 10, 10), enlarge=1, gap=0)
        assert sheet.shape[2] == columns * 10


def test_pictures_outside_their_range_are_clipped() -> None:
    assert from_tensor(torch.tensor([[[-1.0, 0.5, 2.0]]])).tobytes() == bytes([0, 128, 255])


def test_folders_stand_for_what_is_in_them() -> None:
    Path("some").mkdir()
    with pytest.raises(InputError, match="the folder some has no pictures in it"):
        picture_files([Path("some")])
    for name in ("b.png", "a.JPG", "notes.txt", "Thumbs.db", ".hidden", "film.mov"):
        Path("some", name).touch()
    assert picture_files([Path("x.png"), Path("some")]) == [Path("x.png"), Path("some/a.JPG"), Path("some/b.png")]
