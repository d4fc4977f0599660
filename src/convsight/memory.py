"""Memory that goes back to the system at once, for pictures so large that every part of it counts."""

from __future__ import annotations

import ctypes
import gc
import sys

_MMAP_THRESHOLD = -3  # of glibc's mallopt
_LARGE = 1 << 20


def keep_little() -> None:
    """From now on give back what tensors of a megabyte and more leave, and now what smaller pictures have left.

    Costs some time at each of them. Without effect where the C library isn't glibc, which otherwise keeps gaps of up to 32 MiB.
    """
    gc.collect()  # torch's optimizers refer to themselves
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is not None and hasattr(library, "malloc_trim"):
        library.mallopt(_MMAP_THRESHOLD, _LARGE)
        library.malloc_trim(0)
