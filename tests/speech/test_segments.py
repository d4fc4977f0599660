from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convsight.errors import InputError
from convsight.speech import decode
from convsight.speech.audio import RATE
from convsight.speech.encode import LENGTH, STEP
from convsight.speech.phones import PHONES
from convsight.speech.segments import Segment, frame_labels, in_order


def test_a_frame_has_the_phone_at_its_middle() -> None:
    middle = (3 * STEP + LENGTH / 2) / RATE  # of frame 3
    for edge, expected in ((middle - 1e-6, "t"), (middle + 1e-6, "aa")):
        rows = in_order([Segment(0.0, edge, "aa"), Segment(edge, 0.1, "t")], "a")
        assert PHONES[int(frame_labels(rows, 8, PHONES)[3])] == expected
    rows = in_order([Segment(0.0, 0.02, "aa")], "a")
    assert [PHONES[each] for each in frame_labels(rows, 4, PHONES)] == ["aa", "sil", "sil", "sil"]  # after the end


def test_gaps_are_silence_and_what_is_no_phone_goes_to_the_one_before() -> None:
    rows = in_order([Segment(0.1, 0.2, "t"), Segment(0.2, 0.25, ""), Segment(0.3, 0.4, "aa")], "a")
    assert [(each.phone, each.start) for each in rows] == [("sil", 0.0), ("t", 0.1), ("", 0.2), ("sil", 0.25), ("aa", 0.3)]
    found = [PHONES[each] for each in frame_labels(rows, 30, PHONES)]
    assert found[12:23] == ["t"] * 11 and "sil" in found[24:29]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([(0.0, 0.2, "t"), (0.1, 0.3, "aa")], "begins before t ends"),
        ([(0.3, 0.2, "t")], "from 0.3 s to 0.2 s makes no sense"),
        ([(-1.0, 0.2, "t")], "makes no sense"),
        ([(0.0, float("nan"), "t")], "makes no sense"),
        ([], "there are no segments"),
    ],
)
def test_what_cannot_be_is_said(rows: list[tuple[float, float, str]], problem: str) -> None:
    with pytest.raises(InputError, match=f"here.*{problem}"):
        in_order([Segment(*each) for each in rows], "here")


@given(st.lists(st.integers(0, len(PHONES) - 1), min_size=1, max_size=60))
def test_segments_of_frames_have_their_labels(frames: list[int]) -> None:
    rows = decode.segments(frames, PHONES)
    assert frame_labels(in_order(rows, "a"), len(frames), PHONES).tolist() == frames
    assert all(first.phone != second.phone for first, second in pairwise(rows))
    assert torch.tensor([each.end - each.start for each in rows]).sum().item() == pytest.approx(len(frames) / 100)
