"""JSON Lines: one object a line, each a record; a line of any length costs no more memory than the longest record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from freehold.stages.curate.formats.mapping import record
from freehold.stages.curate.formats.record import Dropped, File, Raw, sha256
from freehold.stages.curate.streams import bounded_lines, open_bytes

SLACK: Final = 1 << 20  # bytes of a record beside its text


def read(file: File) -> Iterator[Raw | Dropped]:
    """Every line; a blank one is passed over."""
    allowed = file.limit_bytes + SLACK
    with open_bytes(file.path) as stream:
        for number, (line, size) in enumerate(bounded_lines(stream, limit=allowed), start=1):
            place = f"{file.name}#{number}"
            if line is None:
                yield Dropped(id=place, reason="record-too-long", detail=f"line of {size} bytes, limit {allowed}")
            elif line.strip():
                yield parsed(line, place=place, html=file.html)


def parsed(line: bytes, *, place: str, html: bool) -> Raw | Dropped:
    """One line of JSON; its checksum is that of its bytes without the end of the line."""
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return Dropped(id=place, reason="invalid-utf8", detail=f"line of {len(line)} bytes")
    except (ValueError, RecursionError) as error:
        place_of_fault = f"column {error.colno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else ""
        return Dropped(id=place, reason="invalid-json", detail=place_of_fault or type(error).__name__)
    return record(row, place=place, html=html, checksum=sha256(line.rstrip(b"\r\n")))
