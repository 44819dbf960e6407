"""A mapping of names to values as a record: what JSON Lines and Parquet have in common.

Fields: text (or markup, or html), id, language or lang, licence or license, title, url, date, origin or source,
retrieved, evidence, headers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from freehold.stages.curate.formats.record import MAX_FIELD, Dropped, Raw, sha256, whole

PLAIN: Final = frozenset({"", "none", "text", "plain", "txt", "markdown", "md"})  # markup a reader of text can read
HEADERS: Final = ("content-type", "content-usage", "tdm-policy", "tdm-reservation", "x-robots-tag")


def record(row: Any, *, place: str, html: bool, checksum: str | None = None) -> Raw | Dropped:
    """A mapping as a record; `place` is its id if it names none.

    Without a `checksum` of its bytes it gets that of its text in UTF-8: a row of a table has no bytes of its own.
    """
    if not isinstance(row, dict):
        return Dropped(id=place, reason="invalid-json", detail="not an object")
    kind = str(row.get("markup") or "").strip().casefold()
    text = row.get("text") or row.get("html") or (row.get("markup") if "<" in kind else None)
    identity = first(row, "id", "_id") or place
    if not isinstance(text, str) or not text.strip():
        return Dropped(id=identity, reason="no-text", detail="no field text, html or markup with text in it")
    markup = html or "<" in kind or kind in ("html", "xhtml") or ("text" not in row and "html" in row)
    if not markup and kind not in PLAIN:
        named = kind if kind.isalpha() and len(kind) <= 20 else "of another kind"
        return Dropped(id=identity, reason="unknown-markup", detail=f"markup {named} is not read")
    licence = first(row, "licence", "license")
    return Raw(
        id=identity,
        text=whole(text),
        markup=markup,
        language=first(row, "language", "lang"),
        licence=licence,
        title=first(row, "title"),
        url=first(row, "url", "link"),
        date=first(row, "date"),
        origin=first(row, "origin", "source"),
        retrieved=first(row, "retrieved"),
        evidence=first(row, "evidence") or ("the record's field licence" if licence else None),
        checksum=checksum or sha256(whole(text).encode()),
        headers=headers_that_matter(row.get("headers")),
    )


def first(row: Mapping[str, Any], *keys: str) -> str | None:
    """The first of these fields that says something."""
    found = next((row[key] for key in keys if row.get(key) not in (None, "")), None)
    return None if found is None else whole(str(found)[:MAX_FIELD])


def headers_that_matter(headers: Any) -> str | None:
    """The HTTP response headers that say how a text may be used or what it is, as a JSON object; None without any.

    >>> headers_that_matter({"TDM-Reservation": "1", "Server": "x"})
    '{"tdm-reservation": "1"}'
    """
    if not isinstance(headers, Mapping):
        return None
    kept = {str(name).casefold(): whole(str(value)[:MAX_FIELD]) for name, value in headers.items()}
    kept = {name: kept[name] for name in HEADERS if name in kept}
    return json.dumps(kept) if kept else None
