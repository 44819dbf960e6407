"""Small records that stages exchange, and the one way we write JSON that is hashed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document of the corpus with everything its provenance needs."""

    id: str
    text: str
    language: str  # ISO 639-3
    source: str  # name of the charter's source
    licence: str  # SPDX identifier, "public-domain-law" or a LicenseRef
    title: str | None
    url: str | None
    date: str | None
    origin: str  # where the text came from, e.g. owner/name@commit:path


def json_lines(rows: Iterable[Any]) -> bytes:
    """Canonical JSON, one value a line.

    >>> json_lines([{"b": 1, "a": 2}, 3])
    b'{"a":2,"b":1}\\n3\\n'
    """
    return b"".join(canonical_json(row) + b"\n" for row in rows)


def canonical_json(value: Any) -> bytes:
    """Bytes that are the same for equal values: sorted keys, no spaces, UTF-8 (RFC 8785 for our value range).

    >>> canonical_json({"b": 1, "a": "ü"}).decode()
    '{"a":"ü","b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
