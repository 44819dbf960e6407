"""clusters.parquet: which documents belong together and which of them stayed, for eyes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from freehold.stages.curate.boilerplate import TOLD, Recurring
from freehold.stages.curate.duplicates import Copy, Likeness
from freehold.stages.curate.parts import rows_of

SCHEMA: Final = pa.schema(
    [
        pa.field("cluster", pa.int64(), nullable=False),
        ("row", pa.int64()),  # null: a document of an earlier release
        pa.field("id", pa.string(), nullable=False),
        ("source", pa.string()),
        pa.field("kind", pa.string(), nullable=False),  # exact, near, family, boilerplate
        ("similarity", pa.float64()),  # with what it repeats; null where there is no such thing
        pa.field("kept", pa.bool_(), nullable=False),
    ]
)
KINDS: Final = {"exact-duplicate": "exact", "near-duplicate": "near", "older-version": "family"}


def write_clusters(
    path: Path, passed: pa.Table, likeness: Likeness, paragraphs: Recurring, cuts: Mapping[int, frozenset[int]]
) -> None:
    """Write all clusters of copies, and the paragraphs that recur most."""
    named = {row: (identity, source) for row, identity, source in rows_of(passed, "row", "id", "source")}
    rows = [*copied(likeness.copies, named)]
    first = rows[-1]["cluster"] + 1 if rows else 0
    for cluster, (paragraph, holders) in enumerate(list(paragraphs.rows.items())[:TOLD], start=first):
        for row in holders[:TOLD].tolist():
            kept = paragraph not in cuts.get(row, ())
            rows.append(entry(cluster, row, *named[row], kind="boilerplate", similarity=None, kept=kept))
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path, compression="zstd")


def copied(copies: Mapping[int, Copy], named: Mapping[int, tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """Every set of copies under the document that stayed, those of earlier releases last."""
    members: dict[tuple[int, int, str], list[int]] = defaultdict(list)
    for row, copy in copies.items():
        last = copy
        while last.kept is not None and last.kept in copies:  # a copy of a copy
            last = copies[last.kept]
        members[(last.kept is None, last.kept or 0, last.of)].append(row)
    for cluster, ((old, kept, of), rows) in enumerate(sorted(members.items())):
        kind = KINDS[copies[rows[0]].reason]
        place, (identity, source) = (None, (of, None)) if old else (kept, named[kept])
        yield entry(cluster, place, identity, source, kind=kind, similarity=None, kept=True)
        for row in sorted(rows):
            kind, alike = KINDS[copies[row].reason], copies[row].similarity
            yield entry(cluster, row, *named[row], kind=kind, similarity=alike, kept=False)


def entry(
    cluster: int, row: int | None, identity: str, source: str | None, *, kind: str, similarity: float | None, kept: bool
) -> dict[str, Any]:
    """One row of the file."""
    return {
        "cluster": cluster,
        "row": row,
        "id": identity,
        "source": source,
        "kind": kind,
        "similarity": similarity,
        "kept": kept,
    }
