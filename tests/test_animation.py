from __future__ import annotations

from pathlib import Path

import av
import pytest
from PIL import Image

from convsight.animation import write_animation
from convsight.errors import InputError


def shades() -> list[Image.Image]:
    return [Image.new("RGB", (31, 22), (shade, 0, 255 - shade)) for shade in (0, 120, 240)]


def test_a_gif_holds_each_picture_for_its_time() -> None:
    write_animation(iter(shades()), "made.gif", frames_per_second=10)
    with Image.open("made.gif") as made:
        assert (made.n_frames, made.size, made.info["duration"]) == (3, (31, 22), 100)


def test_an_mp4_holds_each_picture_with_even_sides() -> None:
    write_animation(iter(shades()), "made.mp4")
    with av.open("made.mp4") as made:
        frames = [frame.to_ndarray(format="rgb24") for frame in made.decode(video=0)]
    assert [frame.shape for frame in frames] == [(22, 30, 3)] * 3
    assert abs(int(frames[2][11, 15, 0]) - 240) < 12


def test_an_interrupted_animation_leaves_nothing() -> None:
    def interrupted() -> object:
        yield shades()[0]
        raise KeyboardInterrupt

    for name in ("made.gif", "made.mp4"):
        with pytest.raises(KeyboardInterrupt):
            write_animation(interrupted(), name)
    assert not list(Path().iterdir())
    with pytest.raises(InputError, match=r"made\.avi should end in \.gif or \.mp4"):
        write_animation(shades(), "made.avi")
