from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convsight.errors import InputError
from convsight.fit import files


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_arrays() -> None:
    np.savez("a.npz", x=np.zeros((3, 4)), y=np.arange(3), axes=["time"], groups=np.arange(3))
    found = files.read(Path("a.npz"))
    assert found.x.shape == (3, 4) and found.axes == ("time",) and found.groups.tolist() == [0, 1, 2]


def test_pictures_in_grey_and_in_colour() -> None:
    for name, colour in (("cats", (9, 9, 9)), ("dogs", (200, 200, 200))):
        Path("p", name).mkdir(parents=True)
        for number in range(2):
            Image.new("RGB", (40, 30), colour).save(f"p/{name}/{number}.png")
    found = files.read(Path("p"))
    assert found.x.shape == (4, 32, 32) and found.y.tolist() == ["cats", "cats", "dogs", "dogs"]
    Image.new("RGB", (10, 10), (255, 0, 0)).save("p/dogs/red.jpg")
    assert files.read(Path("p")).x.shape == (5, 3, 32, 32)
    Path("p/dogs/not.png").write_text("no picture")
    with pytest.raises(InputError, match=r"cannot read p/dogs/not\.png"):
        files.read(Path("p"))


def test_series_with_and_without_names_of_columns() -> None:
    Path("a.csv").write_text("t0,t1,label,group,t2\n1,2,up,anna,3\n4,5,down,ben,6\n")
    found = files.read(Path("a.csv"))
    assert found.x.tolist() == [[1, 2, 3], [4, 5, 6]] and found.y.tolist() == ["up", "down"]
    assert found.groups.tolist() == ["anna", "ben"] and found.axes == ("time",)
    Path("c.csv").write_text("x,y,class,label\n1,2,3,up\n4,5,6,down\n")
    assert files.read(Path("c.csv")).x.tolist() == [[1, 2, 3], [4, 5, 6]] and files.read(Path("c.csv")).y[0] == "up"
    Path("b.tsv").write_text("1\t0.5\t0.25\n2\t1\t2\n")
    assert files.read(Path("b.tsv")).x.tolist() == [[0.5, 0.25], [1, 2]] and files.read(Path("b.tsv")).groups is None


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.npz", b"no zip", "cannot read a.npz"), ("a.txt", b"1", "is no .npz, .csv, .tsv, or folder"),
        ("a.csv", b"", "a.csv is empty"),
        ("a.csv", b"label,t\nx,1\ny\n", "a.csv, line 3 has not as many columns as the first: 1, not 2"),
        ("a.csv", b"\nlabel,t\n\nx,one\n", "a.csv, line 4: not a class and numbers .*'one'"),
        ("a.csv", b"\xff\xfe1", "cannot read a.csv"),
        ("a.csv", b"label;t\nx;1\n", "a.csv has one column; a .csv has a comma"), ("a.npz", b"", "cannot read a.npz"),
        ("a.csv", b"label,t\nx,1\n,2\n", "a.csv, line 3: the column of classes is empty"),
        ("a.csv", b"label,group,t\nx,anna,1\nx,,2\n", "a.csv, line 3: the column of groups is empty"),
        ("a.csv", b"label,a,b\n", "names of columns, and no series"),
        ("a.csv", b"a,label\n1,up\n3\n", "a.csv, line 3 has not as many columns as the first: 1, not 2"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(name: str, content: bytes, problem: str) -> None:
    Path(name).write_bytes(content)
    with pytest.raises(InputError, match=problem):
        files.read(Path(name))


def test_numbers_to_be_told_and_one_axis_by_name() -> None:
    Path("a.csv").write_text("label,1,2\n0.5,1,2\n3,4,5\n")
    assert files.read(Path("a.csv")).y.tolist() == [0.5, 3.0]
    np.savez("a.npz", x=np.zeros((3, 4)), y=np.zeros(3), axes="time")
    assert files.read(Path("a.npz")).axes == ("time",)


def test_arrays_that_lack_something_or_hold_objects() -> None:
    np.savez("a.npz", x=np.zeros(3))
    with pytest.raises(InputError, match=r'a\.npz has no array "y"; it has x'):
        files.read(Path("a.npz"))
    np.savez("b.npz", x=np.array([{}, 1], dtype=object), y=np.zeros(2))
    with pytest.raises(InputError, match=r"b\.npz holds Python objects, which aren't unpickled"):
        files.read(Path("b.npz"))
    np.save("c.npy", np.zeros(3))
    Path("c.npy").rename("c.npz")
    np.savez("d.npz", x=np.zeros((40, 9)), y=np.arange(40) % 2)
    Path("d.npz").write_bytes(Path("d.npz").read_bytes()[:-80])
    for broken in ("c.npz", "d.npz"):
        with pytest.raises(InputError, match=f"cannot read {broken}: it is no .npz, as numpy.savez writes it, or not whole"):
            files.read(Path(broken))
    for nothing in ("none.npz", "empty"):
        Path("empty").mkdir(exist_ok=True)
        with pytest.raises(InputError, match=r"there is no file|holds no folders with pictures"):
            files.read(Path(nothing))
