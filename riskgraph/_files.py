"""Files that appear whole or not at all, alone or several together."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["replacing", "replacing_together", "write_file", "write_text"]


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
    """A path aside that takes the place of ``path`` when the block ends well, else vanishes."""
    with replacing_together(path.parent) as aside:
        yield aside(path.name)


@contextlib.contextmanager
def replacing_together(folder: Path) -> Iterator[Callable[[str], Path]]:
    """Give paths aside, by name, for files of a folder that change together; if the block fails all of them vanish.

    When it ends well every file is flushed to the disk first, and only then are they renamed, in the order in which
    they were asked for: what can fail has failed by then, but for the power and the file system itself. Names aside
    keep their ending and begin with a dot, so that what a killed process leaves is read by nobody.

    Examples
    --------
    >>> import tempfile
    >>> home = Path(tempfile.mkdtemp())
    >>> with replacing_together(home) as aside:
    ...     for name in ("list.txt", "count.txt"):
    ...         _ = aside(name).write_text("whole")
    >>> sorted(path.name for path in home.iterdir())
    ['count.txt', 'list.txt']
    """
    folder.mkdir(parents=True, exist_ok=True)
    asides: dict[str, Path] = {}

    def aside(name: str) -> Path:
        last = Path(name)
        asides[name] = folder / f".{last.stem}.{os.getpid()}-{secrets.token_hex(4)}.part{last.suffix}"
        return asides[name]

    try:
        yield aside
        for path in asides.values():
            with open(path, "rb+") as stream:
                os.fsync(stream.fileno())
        for name, path in asides.items():
            os.replace(path, folder / name)
        _sync(folder)
    finally:
        for path in asides.values():
            path.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
