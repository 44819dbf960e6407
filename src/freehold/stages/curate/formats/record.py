"""What a reader is handed, and what it yields: records, reasons why something is none, and notices to robots."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BYTES_PER_CHARACTER: Final = 6  # the longest JSON escape of a character in the basic plane
MAX_FIELD: Final = 2_000  # characters of an id, a title, a link


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file to read."""

    path: Path
    name: str  # stands for the file in ids
    limit: int  # characters of the longest text
    html: bool = False  # the source declares that its texts are HTML

    @property
    def limit_bytes(self) -> int:
        """Bytes of the longest text."""
        return self.limit * BYTES_PER_CHARACTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """A record as its file has it; what the file does not say is None."""

    id: str
    text: str
    markup: bool  # the text is HTML
    language: str | None
    licence: str | None
    title: str | None
    url: str | None
    date: str | None
    origin: str | None
    retrieved: str | None = None  # ISO 8601, as the file's own metadata gives it, never the clock
    evidence: str | None = None  # what says its licence: a field, an element, a header, a file
    checksum: str = ""  # SHA-256 (hex) of the record's original bytes; every reader gives it
    headers: str | None = None  # JSON object of the HTTP response headers that matter


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """Something that did not become a document; never its text."""

    id: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a host tells robots, as an archive kept it; no document."""

    host: str
    kind: str  # robots (RFC 9309) or tdmrep (TDM Reservation Protocol)
    url: str
    retrieved: str | None  # ISO 8601
    status: int  # of the HTTP response
    body: str
    sha256: str  # of the body's bytes


Found = Raw | Dropped | Notice
Reader = Callable[[File], Iterator[Found]]


def from_bytes(data: bytes, text: str, *, name: str, markup: bool = False) -> Raw:
    """A whole file, or a piece of one, as a record: all it tells is its text."""
    return Raw(
        id=name, text=text, markup=markup, language=None, licence=None, title=None, url=None, date=None, origin=None,
        checksum=sha256(data),
    )  # fmt: skip


def too_long(name: str, *, limit: int) -> Dropped:
    """The reason of a text of more bytes than may be held."""
    return Dropped(id=name, reason="record-too-long", detail=f"more than {limit} bytes")


def sha256(data: bytes) -> str:
    """SHA-256 (hex) of bytes."""
    return hashlib.sha256(data).hexdigest()


def whole(text: str) -> str:
    """The text without lone surrogates, which JSON can name and UTF-8 cannot write."""
    return text.encode("utf-8", "ignore").decode()


def gathered(parts: Iterable[str], *, limit: int, between: str) -> Iterator[str]:
    """Chapters or pages joined to texts of about `limit` characters; a part is never cut. A sentence may go on over
    the page, so between pages there is one line break.

    >>> list(gathered(["ab", "c", "defg"], limit=3, between="|"))
    ['ab|c', 'defg']
    """
    held: list[str] = []
    size = 0
    for part in parts:
        if held and size + len(part) > limit:
            yield between.join(held)
            held, size = [], 0
        held.append(part)
        size += len(part)
    if held:
        yield between.join(held)
