from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

MEASURE = """
import sys
import psutil
import torch
from convsight.memory import keep_little

own = psutil.Process()
torch.empty(25 << 20, dtype=torch.uint8).fill_(1)  # from now on glibc holds on to blocks of up to 25 MiB
if sys.argv[1] == "little":
    keep_little()
held = [torch.empty(20 << 20, dtype=torch.uint8).fill_(1) for _ in range(20)]
guard = torch.empty(60 << 10, dtype=torch.uint8).fill_(1)  # lies behind them, so that the heap can't shrink
before = own.memory_info().rss
held.clear()
print((before - own.memory_info().rss) >> 20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's way")
def test_large_tensors_give_their_memory_back_at_once() -> None:
    def given_back(how: str) -> int:
        done = subprocess.run([sys.executable, "-c", textwrap.dedent(MEASURE), how], capture_output=True, text=True, check=True)
        return int(done.stdout)

    assert given_back("little") > 390
