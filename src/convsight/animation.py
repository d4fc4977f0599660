"""Pictures one after the other, as GIF or MP4."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from convsight.errors import extra
from convsight.files import check_ending, written_whole


def check_animation(path: str | Path) -> None:
    """Raise InputError now if an animation could not be written to `path` later: its ending, or what MP4 needs."""
    check_ending(path, ".gif", ".mp4")
    if Path(path).suffix.lower() == ".mp4":
        extra("av", "video")


def write_animation(pictures: Iterable[Image.Image], path: str | Path, *, frames_per_second: int = 15) -> None:
    """Write `pictures`, all of one size, as GIF or MP4 by the ending of `path`; each is asked for when its turn comes.

    Raises InputError if `path` ends otherwise or cannot be written, or the extra `video`, for MP4, isn't installed.
    """
    check_animation(path)
    with written_whole(path) as temporary:
        if temporary.suffix.lower() == ".gif":
            first, *rest = pictures
            first.save(temporary, "GIF", save_all=True, append_images=rest, duration=1000 // frames_per_second, loop=0)
        else:
            _write_mp4(pictures, temporary, frames_per_second)


def _write_mp4(pictures: Iterable[Image.Image], path: Path, frames_per_second: int) -> None:
    av = extra("av", "video")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=frames_per_second)
        stream.pix_fmt = "yuv420p"
        for number, picture in enumerate(pictures):
            if number == 0:
                stream.width, stream.height = (length // 2 * 2 for length in picture.size)  # yuv420p has even sides
            cropped = picture.convert("RGB").crop((0, 0, stream.width, stream.height))
            container.mux(stream.encode(av.VideoFrame.from_image(cropped)))
        container.mux(stream.encode())
