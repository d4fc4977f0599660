from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image

from tests.conftest import Run


def test_killed_and_started_again_it_redoes_and_loses_no_unit(convsight: Run) -> None:
    command = [sys.executable, "-m", "convsight", "atlas", "digits", "conv2", "--steps", "20", "--out", "atlas"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(list(Path().glob("atlas/conv2/[0-9]*.png"))) < 20 and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    assert running.returncode == -signal.SIGKILL
    before = {each: each.stat().st_mtime_ns for each in Path().glob("atlas/conv2/[0-9]*.png")}
    assert 20 <= len(before) < 50
    done = convsight("atlas", "digits", "conv2", "--steps", 20, "--out", "atlas")
    assert done.returncode == 0, done.stderr
    assert f"50 units of conv2, {50 - len(before)} of them now at" in done.stdout
    assert done.stdout.strip().endswith("a minute: atlas/index.html")
    after = sorted(Path().glob("atlas/conv2/[0-9]*.png"))
    assert [each.stem for each in after] == [f"{unit:04d}" for unit in range(50)]
    assert all(each.stat().st_mtime_ns == when for each, when in before.items())
    for each in after:
        with Image.open(each) as drawn:
            drawn.load()
    assert (
        "50 units of conv2: atlas/index.html" in convsight("atlas", "digits", "conv2", "--steps", 20, "--out", "atlas").stdout
    )


def test_bad_input_is_one_sentence_and_status_2(convsight: Run) -> None:
    for arguments, sentence in (
        (("digits", "conv3"), 'no layer "conv3" in digits; did you mean "conv2"'),
        (("digits", "conv1", "--size", "4"), "greater than or equal to 8"),
        (("nonsense", "conv1"), 'no network "nonsense"'),
    ):
        done = convsight("atlas", *arguments)
        assert done.returncode == 2 and sentence in done.stderr, done.stderr
        assert not list(Path().iterdir())
