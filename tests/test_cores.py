"""How work is shared between cores."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convsight.cores import cores, shares


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_only_the_cores_that_the_process_may_use_count() -> None:
    asks = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); import convsight.cores as c; print(c.cores())"
    assert subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True).stdout.strip() == "1"
    assert cores() == len(os.sched_getaffinity(0))


@given(st.integers(0, 100), st.integers(1, 40))
def test_shares_are_everything_once_and_nearly_equal(count: int, parts: int) -> None:
    found = shares(count, parts)
    assert [each for low, high in found for each in range(low, high)] == list(range(count))
    lengths = [high - low for low, high in found]
    assert len(lengths) == parts and max(lengths) - min(lengths) <= 1
