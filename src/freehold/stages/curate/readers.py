"""One file in, its records out: JSON Lines, Parquet, plain text and HTML, each as a stream in bounded memory.

A reader yields a `Raw` for what it could read and a `Dropped` for what it could not; it raises OSError or Arrow's
errors only where the rest of the file is lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from freehold.stages.curate.streams import CODECS, bounded_lines, decode, decode_markup, open_bytes

FORMATS: Final = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".txt": "txt", ".text": "txt", ".md": "txt",
    ".html": "html", ".htm": "html", ".xhtml": "html",
}  # fmt: skip
BYTES_PER_CHARACTER: Final = 6  # the longest JSON escape of a character in the basic plane
SLACK: Final = 1 << 20  # bytes of a record beside its text
MAX_FIELD: Final = 2_000  # characters of an id, a title, a link
PARQUET_ROWS: Final = 64  # rows decoded at a time
PLAIN: Final = frozenset({"", "none", "text", "plain", "txt", "markdown", "md"})  # markup a reader of text can read


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
    retrieved: str | None = None  # ISO date that the file's own metadata gives
    evidence: str | None = None  # what says its licence
    checksum: str | None = None  # SHA-256 of the record's original bytes
    headers: str | None = None  # JSON object of the response's headers that matter


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """Something that did not become a document; never its text."""

    id: str
    reason: str
    detail: str


def format_of(path: Path, declared: str) -> str | None:
    """How a file is read: as its suffix says, for `auto` the suffix alone decides; None for a suffix nobody reads.

    A source declared as HTML may also be JSON Lines or Parquet whose texts are HTML.
    """
    suffix = Path(path.stem).suffix.lower() if path.suffix.lower() in CODECS else path.suffix.lower()
    by_suffix = FORMATS.get(suffix)
    if declared in ("auto", "html") and by_suffix in ("jsonl", "parquet"):
        return by_suffix
    return by_suffix if declared == "auto" else declared


def records(path: Path, *, name: str, declared: str, limit: int) -> Iterator[Raw | Dropped]:
    """Every record of a file. `name` stands for the file in ids, `limit` bounds a text in characters."""
    form = format_of(path, declared)
    if form == "jsonl":
        return jsonl(path, name=name, html=declared == "html", limit=limit)
    if form == "parquet":
        return parquet(path, name=name, html=declared == "html")
    if form == "txt":
        return plain(path, name=name, limit=limit)
    if form == "html":
        return page(path, name=name, limit=limit)
    detail = f"suffix {path.suffix or 'none'} is none of {', '.join(sorted(FORMATS))}"
    return iter([Dropped(id=name, reason="unknown-format", detail=detail)])


def jsonl(path: Path, *, name: str, html: bool, limit: int) -> Iterator[Raw | Dropped]:
    """JSON Lines: one object a line."""
    with open_bytes(path) as stream:
        allowed = limit * BYTES_PER_CHARACTER + SLACK
        for number, (line, size) in enumerate(bounded_lines(stream, limit=allowed), start=1):
            place = f"{name}#{number}"
            if line is None:
                yield Dropped(id=place, reason="record-too-long", detail=f"line of {size} bytes, limit {allowed}")
            elif line.strip():
                yield parsed(line, place=place, html=html)


def parsed(line: bytes, *, place: str, html: bool) -> Raw | Dropped:
    """One line of JSON."""
    try:
        return record(json.loads(line.decode("utf-8-sig")), place=place, html=html)
    except UnicodeDecodeError:
        return Dropped(id=place, reason="invalid-utf8", detail=f"line of {len(line)} bytes")
    except (ValueError, RecursionError) as error:
        place_of_fault = f"column {error.colno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else ""
        return Dropped(id=place, reason="invalid-json", detail=place_of_fault or type(error).__name__)


def parquet(path: Path, *, name: str, html: bool) -> Iterator[Raw | Dropped]:
    """Parquet: one row a record, a few rows in memory at a time."""
    with pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as file:
        number = 0
        for batch in file.iter_batches(batch_size=PARQUET_ROWS, use_threads=False):
            for row in batch.to_pylist():
                number += 1
                yield record(row, place=f"{name}#{number}", html=html)


def record(row: Any, *, place: str, html: bool) -> Raw | Dropped:
    """A mapping as a record; `place` is its id if it names none.

    Fields: text (or markup, or html), id, language or lang, licence or license, title, url, date, origin or source.
    """
    if not isinstance(row, dict):
        return Dropped(id=place, reason="invalid-json", detail="not an object")

    def first(*keys: str) -> str | None:
        found = next((row[key] for key in keys if row.get(key) not in (None, "")), None)
        return None if found is None else whole(str(found)[:MAX_FIELD])

    kind = str(row.get("markup") or "").strip().casefold()
    text = row.get("text") or row.get("html") or (row.get("markup") if "<" in kind else None)
    identity = first("id", "_id") or place
    if not isinstance(text, str) or not text.strip():
        return Dropped(id=identity, reason="no-text", detail="no field text, html or markup with text in it")
    markup = html or "<" in kind or kind in ("html", "xhtml") or ("text" not in row and "html" in row)
    if not markup and kind not in PLAIN:
        named = kind if kind.isalpha() and len(kind) <= 20 else "of another kind"
        return Dropped(id=identity, reason="unknown-markup", detail=f"markup {named} is not read")
    return Raw(
        id=identity,
        text=whole(text),
        markup=markup,
        language=first("language", "lang"),
        licence=first("licence", "license"),
        title=first("title"),
        url=first("url", "link"),
        date=first("date"),
        origin=first("origin", "source"),
    )


def whole(text: str) -> str:
    """The text without lone surrogates, which JSON can name and UTF-8 cannot write."""
    return text.encode("utf-8", "ignore").decode()


def plain(path: Path, *, name: str, limit: int) -> Iterator[Raw | Dropped]:
    """Plain text: one document, or several where the file is long, cut at a blank line behind half the limit."""
    with open_bytes(path) as stream:
        for part, data in enumerate(pieces(stream, limit=limit), start=1):
            place = name if part == 1 else f"{name}#{part}"
            text = decode(data) if data is not None else None
            if data is None:
                yield Dropped(id=place, reason="record-too-long", detail=f"a line of more than {limit} bytes")
            elif text is None:
                yield Dropped(id=place, reason="invalid-utf8", detail=f"{len(data)} bytes, neither UTF-8 nor UTF-16")
            elif text.strip():
                yield from_file(text, name=place, markup=False)


def pieces(stream: Any, *, limit: int) -> Iterator[bytes | None]:
    """A stream of text in pieces of at most `limit` bytes, cut at a blank line where there is one; None for a line
    that alone is longer."""
    held: list[bytes] = []
    size = 0
    for line, length in bounded_lines(stream, limit=limit):
        if held and (line is None or size + length > limit):
            yield b"".join(held)
            held, size = [], 0
        if line is None:
            yield None
            continue
        held.append(line)
        size += length
        if size > limit // 2 and not line.strip():
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def page(path: Path, *, name: str, limit: int) -> Iterator[Raw | Dropped]:
    """An HTML file: one document."""
    with open_bytes(path) as stream:
        data = stream.read(limit * BYTES_PER_CHARACTER + 1)
    if len(data) > limit * BYTES_PER_CHARACTER:
        yield Dropped(id=name, reason="record-too-long", detail=f"more than {limit * BYTES_PER_CHARACTER} bytes")
        return
    text = decode_markup(data)
    if text is None:
        yield Dropped(id=name, reason="invalid-utf8", detail=f"{len(data)} bytes in no declared encoding")
    elif text.strip():
        yield from_file(text, name=name, markup=True)


def from_file(text: str, *, name: str, markup: bool) -> Raw:
    """A whole file as a record: all it tells is its text."""
    return Raw(
        id=name, text=text, markup=markup, language=None, licence=None, title=None, url=None, date=None, origin=None
    )  # fmt: skip
