from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from convsight import InputError, Visualization, channel, visualize
from tests.networks import network


@pytest.fixture
def made() -> Visualization:
    return visualize(network(), channel("block", [1, 4, 6]), steps=12, frames=4, seed=9)


def test_it_saves_a_picture_and_how_it_was_made(made: Visualization) -> None:
    made.save("some/where/found.png")
    with Image.open("some/where/found.png") as picture:
        assert picture.mode == "RGB"
    record = json.loads(Path("some/where/found.json").read_text())
    assert record["objective"] == "channel(block, 1,4,6)"
    assert record["network"] == "small"
    assert (record["seed"], record["steps"], record["optimizer"]) == (9, 12, "Adam")
    assert record["score"] == made.score.tolist()
    assert len(record["scores"]) == 12


def test_the_picture_shows_each_input_pixel_as_a_square(made: Visualization) -> None:
    sheet = made.sheet()
    assert sheet.shape[0] == 3
    assert torch.equal(sheet[:, 2:10, 2:10], made.input[0, :, :1, :1].expand(3, 8, 8))  # after a gap of two pixels


def test_gif_and_mp4_hold_the_frames(made: Visualization) -> None:
    made.save_animation("history.gif")
    with Image.open("history.gif") as history:
        assert history.n_frames == 4
        assert history.size == made.sheet().shape[:0:-1]
    made.save_animation("history.mp4")
    import av

    with av.open("history.mp4") as container:
        assert len(list(container.decode(video=0))) == 4


def test_it_shows_itself_in_a_notebook(made: Visualization) -> None:
    assert Image.open(io.BytesIO(made._repr_png_())).size == made.sheet().shape[:0:-1]


@pytest.mark.parametrize("name", ["picture.jpg", "picture"])
def test_another_ending_is_refused(made: Visualization, name: str) -> None:
    with pytest.raises(InputError, match=r"should end in \.png"):
        made.save(name)
    with pytest.raises(InputError, match=r"should end in \.gif or \.mp4"):
        made.save_animation(name)
    assert not list(Path().iterdir())


def test_without_history_there_is_no_animation() -> None:
    with pytest.raises(InputError, match="no history was kept"):
        visualize(network(), channel("stem", 0), steps=1).save_animation("history.gif")


def test_inputs_that_are_no_colours_show_their_first_channel() -> None:
    result = Visualization(torch.rand(2, 5, 4, 4), torch.zeros(0, 2), torch.zeros(2), {})
    assert result.sheet().shape[0] == 1
