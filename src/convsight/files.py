"""Files that are read with a clear word if they can't be, and written whole or not at all."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import tempfile
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from convsight.errors import InputError

COMPRESSED: Mapping[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}


def opened(path: Path) -> IO[bytes]:
    """The file at `path`, to be read, unpacked if its name ends in .gz, .xz or .bz2. Raises what `open` does."""
    stream: IO[bytes] = COMPRESSED.get(path.suffix.lower(), open)(path, "rb")
    return stream


@contextmanager
def reading(path: Path) -> Iterator[IO[bytes]]:
    """What `opened` gives, for a file of the user's. Raises InputError if there is none, or it can't be read to its end."""
    try:
        with opened(path) as stream:
            yield stream
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise InputError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from None


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Give a temporary file beside `path`, and put it in the place of `path` when the block ends without an error.

    An exception or an interruption (Ctrl-C) leaves `path` as it was. Folders on the way are made.
    Raises InputError if the place cannot be written.
    """
    path = Path(path)
    temporary = _temporary_beside(path)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        temporary.unlink(missing_ok=True)


def data_address(kind: str, content: bytes) -> str:
    """`content` as an address that a page holds in itself; `kind`: its media type. Source: RFC 2397."""
    return f"data:{kind};base64,{b64encode(content).decode()}"


def write_lines(path: str | Path, lines: Iterable[str]) -> None:
    """Write `lines`, of which each gets its end. Raises InputError as `written_whole` does."""
    with written_whole(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n")


def check_ending(path: str | Path, *endings: str) -> None:
    """Raise InputError unless `path` ends in one of `endings`, such as ".png", in small letters or capitals."""
    if Path(path).suffix.lower() not in endings:
        raise InputError(f"{path} should end in {' or '.join(endings)}")


def check_writable(path: str | Path) -> None:
    """Raise InputError now if `path` could not be written later; for use before long work. Leaves nothing behind."""
    path = Path(path)
    new = [folder for folder in path.parents if not folder.exists()]
    try:
        _temporary_beside(path).unlink()
    finally:
        for folder in new:  # the deepest comes first
            with suppress(OSError):
                folder.rmdir()


def _temporary_beside(path: Path) -> Path:
    try:
        if path.is_dir():
            raise InputError(f"cannot write {path}: it is a folder; name a file in it")
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from None
    os.close(handle)
    return Path(name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
