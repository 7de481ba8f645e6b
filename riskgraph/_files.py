"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["replacing", "write_file", "write_text"]


def write_file(path: str | os.PathLike[str], write: Callable[[Path], object]) -> Path:
    """Let ``write`` fill a file aside, flush it to the disk, and rename it into place; gives the place back.

    Examples
    --------
    >>> import tempfile
    >>> place = write_file(f"{tempfile.mkdtemp()}/new/list.txt", lambda aside: aside.write_text("whole"))
    >>> place.read_text(), [path.name for path in place.parent.iterdir()]
    ('whole', ['list.txt'])
    """
    with replacing(Path(path)) as aside:
        write(aside)
    return Path(path)


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write a text as UTF-8 with line feeds, whole or not at all."""
    return write_file(path, lambda aside: aside.write_text(text, encoding="utf-8", newline="\n"))


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path aside of the same ending that takes the place of ``path`` when the block ends well, else vanishes.

    Its name begins with a dot, so that what a killed process leaves is read by nobody.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.stem}.{os.getpid()}-{secrets.token_hex(4)}.part{path.suffix}")
    try:
        yield aside
        with open(aside, "rb+") as stream:
            os.fsync(stream.fileno())
        os.replace(aside, path)
        _sync(path.parent)
    finally:
        aside.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
