from __future__ import annotations

from pathlib import Path

import pytest

from convsight.errors import InputError
from convsight.files import check_writable, written_whole


def names() -> list[str]:
    return sorted(each.name for each in Path().rglob("*"))


def test_a_file_is_replaced_when_the_block_ends() -> None:
    Path("kept.txt").write_text("old")
    with written_whole("kept.txt") as temporary:
        temporary.write_text("new")
        assert Path("kept.txt").read_text() == "old"
    assert Path("kept.txt").read_text() == "new"
    assert names() == ["kept.txt"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_or_interruption_leaves_what_was_there(error: type[BaseException]) -> None:
    Path("kept.txt").write_text("old")
    with pytest.raises(error), written_whole("kept.txt") as temporary:
        temporary.write_text("half")
        raise error
    assert Path("kept.txt").read_text() == "old"
    assert names() == ["kept.txt"]


def test_folders_on_the_way_are_made() -> None:
    with written_whole("a/b/c.txt") as temporary:
        temporary.write_text("new")
    assert Path("a/b/c.txt").read_text() == "new"


def test_what_cannot_be_written_is_said() -> None:
    Path("file").write_text("in the way")
    Path("folder").mkdir()
    for path, message in (("file/below.txt", "Not a directory|File exists"), ("folder", "it is a folder"), ("/proc/no/x", "")):
        with pytest.raises(InputError, match=f"cannot write {path}.*({message})"):
            check_writable(path)
    check_writable("fine.txt")
    assert names() == ["file", "folder"]
