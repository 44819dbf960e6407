"""An HTML file: one document, whose text `markup` finds later."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.stages.curate.formats.record import Dropped, File, Raw, from_bytes, too_long
from freehold.stages.curate.streams import decode_markup, read_bounded


def read(file: File) -> Iterator[Raw | Dropped]:
    """The page, in the encoding it is written in."""
    data = read_bounded(file.path, limit=file.limit_bytes)
    if data is None:
        yield too_long(file.name, limit=file.limit_bytes)
    elif data.strip():
        yield page(data, name=file.name)


def page(data: bytes, *, name: str, charset: str | None = None) -> Raw | Dropped:
    """The bytes of a page as a record; `charset` is what the server named."""
    text = decode_markup(data, charset=charset)
    if text is None:
        return Dropped(id=name, reason="invalid-utf8", detail=f"{len(data)} bytes in no declared encoding")
    return from_bytes(data, text, name=name, markup=True)
