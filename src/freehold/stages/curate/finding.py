"""Finds what a sealed corpus says of a document id: kept, held out, or dropped and why."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from freehold.errors import InputError

LISTED: Final = 12  # ids named in a message
COMPARED: Final = 100_000  # ids that a misspelt one is compared with
LIKE: Final = 0.5  # similarity from which another id is worth naming
FATES: Final = {"documents": "trained on", "held_out": "held out", "ledger": "dropped"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the corpus or of its ledger."""

    id: str
    source: str
    fate: str  # trained on, held out, dropped
    facts: Mapping[str, Any]  # all columns of the line


def find(artifact: Path, wanted: str) -> list[Entry]:
    """Every entry of this id, or of the one id that begins or ends with `wanted`.

    Raises InputError that lists the ids where several begin or end so, and near ones where none does.
    """
    if exact := entries(artifact, ids := {wanted}):
        return exact
    ids = {identity for column in id_columns(artifact) for identity in matching(column, wanted)}
    if len(ids) == 1:
        return entries(artifact, ids)
    listed = ", ".join(sorted(ids)[:LISTED]) + (f" and {len(ids) - LISTED:,} more" if len(ids) > LISTED else "")
    if ids:
        raise InputError(f"{len(ids):,} documents match {wanted!r}", remedy=f"give more of one of {listed}")
    close = near(artifact, wanted)
    remedy = f"did you mean {', '.join(close)}?" if close else "the ids stand in documents/ and ledger.parquet"
    raise InputError(f"this curation has no document called {wanted!r}", where=str(artifact), remedy=remedy)


def files(artifact: Path) -> Iterator[tuple[str, Path]]:
    """The Parquet files that name documents, with what becomes of those."""
    for folder in ("documents", "held_out"):
        for path in sorted((artifact / folder).glob("part-*.parquet")):
            yield FATES[folder], path
    yield FATES["ledger"], artifact / "ledger.parquet"


def entries(artifact: Path, ids: set[str]) -> list[Entry]:
    """All entries of some ids."""
    found = []
    for fate, path in files(artifact):
        for row in pq.read_table(path, filters=[("id", "in", ids)]).to_pylist():
            found.append(Entry(id=row["id"], source=row["source"], fate=fate, facts=row))
    return found


def id_columns(artifact: Path) -> Iterator[pa.ChunkedArray]:
    """The ids of every file."""
    for _, path in files(artifact):
        yield pq.read_table(path, columns=["id"])["id"]


def matching(column: pa.ChunkedArray, wanted: str) -> list[str]:
    """The ids that begin or end with `wanted`."""
    ends = pc.or_(pc.starts_with(column, wanted), pc.ends_with(column, wanted))
    found: list[str] = column.filter(ends).unique().to_pylist()
    return found


def near(artifact: Path, wanted: str) -> list[str]:
    """The ids that look most like `wanted`."""
    known: list[str] = []
    for column in id_columns(artifact):
        known += column.slice(0, COMPARED - len(known)).to_pylist()
    return difflib.get_close_matches(wanted, dict.fromkeys(known), n=3, cutoff=LIKE)
