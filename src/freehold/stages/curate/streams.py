"""Bytes as they lie on disk, read in bounded memory: decompression, lines with a limit, text with a known encoding."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

CODECS: Final = {".gz": "gzip", ".zst": "zstd"}
BUFFER: Final = 1 << 13  # bytes; what is lost before a broken place in a compressed file
BOMB_RATIO: Final = 250  # bytes out for one byte in; the most repetitive of 30 real corpora in zstd gave 24
BOMB_FLOOR: Final = 1 << 26  # bytes out that are harmless at any ratio
BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
DECLARED_CHARSET: Final = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?([\w.:-]{2,40})""", re.IGNORECASE
)


class Bomb(OSError):
    """A compressed file that grows without measure."""


class Inflated(io.RawIOBase):
    """A decompressed stream that raises Bomb where it grows beyond every ratio of honest text."""

    def __init__(self, stream: Any, *, packed: int) -> None:
        self.stream, self.allowed, self.size = stream, max(BOMB_FLOOR, packed * BOMB_RATIO), 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes; no more than the buffer holds."""
        data = self.stream.read(len(buffer))
        self.size += len(data)
        if self.size > self.allowed:
            raise Bomb(f"more than {self.allowed} bytes come out of it")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file below too."""
        self.stream.close()
        super().close()


def open_bytes(path: Path) -> io.BufferedReader:
    """The file's bytes, decompressed by its suffix. Raises OSError, also later, where the compression breaks off, and
    Bomb where more comes out than any text would give.

    Arrow's streams are used because they tell a truncated zstd file from a finished one; python-zstandard's reader
    ends both in silence.
    """
    codec = CODECS.get(path.suffix.lower())
    if codec is None:
        return path.open("rb")
    stream = pa.CompressedInputStream(pa.OSFile(str(path)), codec)
    return io.BufferedReader(Inflated(stream, packed=path.stat().st_size), BUFFER)


def read_bounded(path: Path, *, limit: int) -> bytes | None:
    """The whole file, decompressed, or None where it has more than `limit` bytes."""
    with open_bytes(path) as stream:
        data = stream.read(limit + 1)
    return data if len(data) <= limit else None


def bounded_lines(stream: io.BufferedReader, *, limit: int) -> Iterator[tuple[bytes | None, int]]:
    """Lines of a stream with their sizes in bytes; a line longer than `limit` is passed over and comes as None.

    Never holds more than one line of `limit` bytes.
    """
    while line := stream.readline(limit + 1):
        size = len(line)
        if size <= limit or line.endswith(b"\n"):
            yield line, size
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(1 << 20)
            size += len(line)
        yield None, size


def decode(data: bytes) -> str | None:
    """Text in the encoding its byte order mark names, else UTF-8; None where it is neither."""
    encoding = next((name for mark, name in BOMS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def decode_markup(data: bytes, *, charset: str | None = None) -> str | None:
    """Like `decode`, with the encoding that the server or the page itself declares as the last resort."""
    text = decode(data)
    declared = DECLARED_CHARSET.search(data[:4096])
    named = charset or (declared[1].decode("ascii", "ignore") if declared else None)
    if text is None and named:
        try:
            return data.decode(named)
        except (UnicodeDecodeError, LookupError, ValueError):  # ValueError: a codec for something else than text
            return None
    return text
