"""Files of any size as a stream of bytes: plain, gzip or zip, unpacked as they are read, behind a progress bar."""

from __future__ import annotations

import codecs
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, cast

from riskgraph._optional import progress
from riskgraph.errors import InvalidTable

__all__ = ["BLOCK", "as_utf8", "decoded", "inner_name", "lines_of", "opened"]

#: bytes read at a time
BLOCK = 1 << 20
#: bytes from which reading shows how far it has come
_MANY_BYTES = 20 << 20
#: the rest of a longer line is passed over: its beginning is no record
_LONGEST_LINE = 64 << 20
#: longer marks first: that of UTF-16 begins that of UTF-32
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


class _Watched(io.RawIOBase):
    """A stream that moves a bar as it is read, one step a block."""

    def __init__(self, stream: IO[bytes], size: int, text: str, *, show: bool | None) -> None:
        self._stream = stream
        self._read = 0
        steps = range(size // BLOCK + 1)
        self._bar = iter(progress(steps, total=len(steps), text=f"{text} (MiB)", show=show))
        next(self._bar, None)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        before, self._read = self._read, self._read + len(data)
        for _ in range(self._read // BLOCK - before // BLOCK):
            next(self._bar, None)
        return len(data)

    def close(self) -> None:
        if not self.closed and hasattr(self._bar, "close"):
            self._bar.close()
        super().close()


@contextmanager
def opened(path: Path, *, watch: bool = False) -> Iterator[IO[bytes]]:
    """The unpacked bytes of a file, as a stream; a zip must hold one data file.

    Raises
    ------
    InvalidTable
        The file cannot be read, is damaged as gzip or zip, or a zip holds no data file or several.
    """
    show = None if watch and path.stat().st_size >= _MANY_BYTES else False
    with ExitStack() as stack:
        try:
            if path.name.lower().endswith(".zip"):
                archive = stack.enter_context(zipfile.ZipFile(path))
                member = _member(archive, path.name)
                stream = stack.enter_context(_unlocked(archive, member, path.name))
                raw = _Watched(stream, member.file_size, path.name, show=show)
                yield stack.enter_context(io.BufferedReader(raw, BLOCK))
                return
            file = stack.enter_context(open(path, "rb"))
            raw = _Watched(file, path.stat().st_size, path.name, show=show)
            plain = stack.enter_context(io.BufferedReader(raw, BLOCK))
            if path.name.lower().endswith(".gz"):
                yield cast(IO[bytes], stack.enter_context(gzip.GzipFile(fileobj=plain)))
            else:
                yield plain
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
            raise InvalidTable(f"{path.name} cannot be read: {error}") from error


def _member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """The one data file of an archive; folders and hidden files are none."""
    files = [
        item
        for item in archive.infolist()
        if not item.is_dir() and not any(part.startswith((".", "__MACOSX")) for part in item.filename.split("/"))
    ]
    if len(files) != 1:
        raise InvalidTable(f"{name} must hold one data file; it holds {len(files)}: unpack it")
    return files[0]


def _unlocked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> IO[bytes]:
    try:
        return archive.open(member)
    except (RuntimeError, NotImplementedError) as error:  # under a password, or packed in a way zipfile does not know
        raise InvalidTable(f"{name} cannot be unpacked: {error}") from error


def inner_name(path: Path) -> str:
    """Name of the data in a file in small letters, the packing aside; that of the one member of a zip.

    Raises
    ------
    InvalidTable
        A zip that is damaged, or holds no data file or several.

    Examples
    --------
    >>> inner_name(Path("snapshot.JSONL.gz"))
    'snapshot.jsonl'
    """
    name = path.name.lower()
    if not name.endswith(".zip"):
        return name.removesuffix(".gz")
    try:
        with zipfile.ZipFile(path) as archive:
            return _member(archive, path.name).filename.lower()
    except (OSError, zipfile.BadZipFile) as error:
        raise InvalidTable(f"{path.name} cannot be read: {error}") from error


def lines_of(path: Path) -> Iterator[bytes]:
    """Lines of a file with their ends; of one of more than 64 MiB the beginning.

    Raises
    ------
    InvalidTable
        The file cannot be read.
    """
    with opened(path, watch=True) as stream:
        while line := stream.readline(_LONGEST_LINE):
            rest = line
            while len(rest) == _LONGEST_LINE and not rest.endswith(b"\n"):
                rest = stream.readline(_LONGEST_LINE)
            yield line


def as_utf8(data: bytes, name: str) -> bytes:
    """Bytes of a file that a mark at its beginning may call UTF-16 or UTF-32; without a mark they stay as they are.

    Raises
    ------
    InvalidTable
        The bytes are not what the mark says.
    """
    mark, encoding = _mark(data)
    if not mark or encoding == "utf-8":
        return data.removeprefix(mark)
    return "".join(decoded(io.BytesIO(data), name)).encode()


def _mark(data: bytes) -> tuple[bytes, str]:
    return next(((mark, word) for mark, word in _MARKS.items() if data.startswith(mark)), (b"", "utf-8"))


def decoded(stream: IO[bytes], name: str) -> Iterator[str]:
    """Text of a stream block by block: UTF-8, or what the mark at its beginning says.

    Raises
    ------
    InvalidTable
        The bytes are no such text.
    """
    data = stream.read(BLOCK)
    mark, encoding = _mark(data)
    decoder = codecs.getincrementaldecoder(encoding)()
    data = data.removeprefix(mark)
    try:
        while data:
            yield decoder.decode(data)
            data = stream.read(BLOCK)
        yield decoder.decode(b"", final=True)
    except UnicodeError as error:
        raise InvalidTable(f"{name} {'begins as' if mark else 'should be'} {encoding} and is none: {error}") from error
