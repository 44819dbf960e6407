"""WARC (ISO 28500): pages, texts and PDFs of a crawl, with the date and the headers they came with.

What a host tells robots (robots.txt, /.well-known/tdmrep.json) is a notice, not a document. The archive is
decompressed by our own stream, which tells a truncated one from a finished one; warcio reads the records.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from freehold.stages.curate.formats import html, pdf
from freehold.stages.curate.formats.mapping import headers_that_matter
from freehold.stages.curate.formats.record import MAX_FIELD, Dropped, File, Found, Notice, Raw, from_bytes, sha256
from freehold.stages.curate.streams import decode_markup, open_bytes

KINDS: Final = ("response", "resource", "conversion")  # records that can hold a document
PAGES: Final = ("text/html", "application/xhtml+xml")
NOTICES: Final = {"/robots.txt": "robots", "/.well-known/tdmrep.json": "tdmrep"}
HEAD: Final = 1 << 24  # bytes between two bodies
NOTICE: Final = 1 << 20  # bytes; RFC 9309 asks robots to read at least 500 KiB
CHUNK: Final = 1 << 16


class Metered:
    """A stream that gives no more than `left` bytes until it is allowed more; warcio's own lines know no limit."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self.stream, self.position, self.left = stream, 0, HEAD

    def read(self, size: int = CHUNK) -> bytes:
        """The next bytes. Raises OSError where a head goes on and on."""
        if self.left <= 0:
            raise OSError(f"a head of more than {HEAD} bytes")
        data = self.stream.read(size)
        self.position, self.left = self.position + len(data), self.left - len(data)
        return data

    def tell(self) -> int:
        """Bytes given so far."""
        return self.position


def read(file: File) -> Iterator[Found]:
    """Every record that holds a document or a notice. Raises OSError where the archive breaks off.

    What a record gave is held until the next one has begun, because only then its checksum, if it has one, was right.
    """
    held: list[Found] = []
    with open_bytes(file.path) as stream:
        metered = Metered(stream)
        archive = ArchiveIterator(metered)
        number = 0
        while (record := following(archive, metered)) is not None:
            yield from held
            number += 1
            metered.left = 1 << 62  # a body may have any length
            place = f"{file.name}#{number}"
            held = list(records(record, file=file, place=place)) if record.rec_type in KINDS else []
            drain(record)
        if not number and metered.position:
            raise OSError("no WARC record in it")
        yield from held


def following(archive: Any, metered: Metered) -> Any:
    """The next record, or None at the end. What warcio says of a faulty one would be text of it, so it is kept in."""
    metered.left = HEAD
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            record = next(archive, None)
    except ArchiveLoadFailed:
        raise OSError("what follows is no WARC record") from None
    if archive.err_count:
        raise OSError("a record is not as long as its head says")
    return record


def drain(record: Any) -> None:
    """Read a record to its end. Raises OSError where the archive ends first."""
    while record.raw_stream.read(CHUNK):
        pass
    if getattr(record.raw_stream, "limit", 0) > 0:
        raise OSError("the archive ends inside a record")


def records(record: Any, *, file: File, place: str) -> Iterator[Found]:
    """The documents in one record: one, or several for a long PDF."""
    url = record.rec_headers.get_header("WARC-Target-URI") or ""
    retrieved = record.rec_headers.get_header("WARC-Date")
    identity = (record.rec_headers.get_header("WARC-Record-ID") or place).strip("<>")[:MAX_FIELD]
    status = status_of(record)
    if (kind := notice_kind(url)) and status is not None:
        yield notice(record, kind=kind, url=url, retrieved=retrieved, status=status)
        return
    if status not in (None, 200):
        yield Dropped(id=identity, reason="http-status", detail=str(status))
        return
    declared = content_type(record)
    if declared not in (*PAGES, "text/plain", "application/pdf"):
        yield Dropped(id=identity, reason="not-text", detail=declared[:60] or "no content type")
        return
    limit = pdf.MAX_FILE if declared == "application/pdf" else file.limit_bytes
    data = record.content_stream().read(limit + 1)
    if len(data) > limit:
        yield Dropped(id=identity, reason="record-too-long", detail=f"more than {limit} bytes")
        return
    facts = {"url": url or None, "retrieved": retrieved, "headers": headers(record)}
    for found in documents(data, declared=declared, charset=charset_of(record), identity=identity, limit=file.limit):
        yield replace(found, **facts) if isinstance(found, Raw) else found


def documents(data: bytes, *, declared: str, charset: str | None, identity: str, limit: int) -> Iterator[Raw | Dropped]:
    """A body by its type."""
    if declared == "application/pdf":
        yield from pdf.document(data, name=identity, limit=limit)
    elif declared in PAGES:
        yield html.page(data, name=identity, charset=charset)
    elif (text := decode_markup(data, charset=charset)) is None:
        yield Dropped(id=identity, reason="invalid-utf8", detail=f"{len(data)} bytes in no declared encoding")
    else:
        yield from_bytes(data, text, name=identity)


def notice(record: Any, *, kind: str, url: str, retrieved: str | None, status: int) -> Notice:
    """What a host tells robots; of a body over the limit its beginning, as RFC 9309 section 2.5 has it."""
    body = record.content_stream().read(NOTICE)
    return Notice(
        host=(urlsplit(url).hostname or "").casefold(),
        kind=kind,
        url=url[:MAX_FIELD],
        retrieved=retrieved,
        status=status,
        body=body.decode("utf-8", "replace"),
        sha256=sha256(body),
    )


def notice_kind(url: str) -> str | None:
    """Whether a URL is a place where a host speaks to robots."""
    try:
        return NOTICES.get(urlsplit(url).path)
    except ValueError:  # a bracket that opens no IPv6 address
        return None


def status_of(record: Any) -> int | None:
    """The HTTP status, or None for a record without HTTP headers."""
    if record.http_headers is None:
        return None
    code = record.http_headers.get_statuscode() or ""
    return int(code) if code.isascii() and code.isdecimal() and len(code) == 3 else 0


def content_type(record: Any) -> str:
    """The media type of a record's body, lower case, without parameters."""
    source = record.rec_headers if record.http_headers is None else record.http_headers
    return (source.get_header("Content-Type") or "").partition(";")[0].strip().casefold()


def charset_of(record: Any) -> str | None:
    """The charset parameter of the content type."""
    source = record.rec_headers if record.http_headers is None else record.http_headers
    parameters = (source.get_header("Content-Type") or "").casefold().partition("charset=")[2]
    return parameters.partition(";")[0].strip(" \"'")[:40] or None


def headers(record: Any) -> str | None:
    """The response headers that matter, repeated ones joined by commas (RFC 9110, 5.3)."""
    if record.http_headers is None:
        return None
    joined: dict[str, str] = {}
    for name, value in record.http_headers.headers:
        key = name.casefold()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return headers_that_matter(joined)
