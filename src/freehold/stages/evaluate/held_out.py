"""Held-out documents: what curation kept apart, read back and grouped by language."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as parquet

from freehold.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """One document that no training ever saw."""

    id: str
    language: str  # ISO 639-3
    text: str

    @property
    def data(self) -> bytes:
        """The text as the bytes that are judged."""
        return self.text.encode()

    @property
    def digest(self) -> str:
        """SHA-256 of the id: order and seed without chance."""
        return hashlib.sha256(self.id.encode()).hexdigest()


def held_out(folder: Path) -> dict[str, list[HeldOut]]:
    """Return the held-out documents of curation's artifact by language, in the order of their digests.

    Raises InputError if there are none: a model cannot be judged on what it learned from.
    """
    rows: list[HeldOut] = []
    for path in sorted((folder / "held_out").glob("*.parquet")):
        for row in parquet.read_table(path, columns=["id", "language", "text"]).to_pylist():
            if row["text"]:
                rows.append(HeldOut(id=row["id"], language=row["language"], text=row["text"]))
    if not rows:
        advice = "raise [curate].held_out_bytes or add documents"
        raise InputError("no document was held out, so there is nothing to evaluate on", remedy=advice)
    by_language: dict[str, list[HeldOut]] = {}
    for document in sorted(rows, key=lambda row: (row.language, row.digest)):
        by_language.setdefault(document.language, []).append(document)
    return by_language


def first_bytes(documents: list[HeldOut], *, limit: int) -> list[HeldOut]:
    """Return the first documents that hold `limit` bytes together, or all of them if they hold less."""
    taken, size = 0, 0
    while taken < len(documents) and size < limit:
        size += len(documents[taken].data)
        taken += 1
    return documents[:taken]
