"""What becomes of every document that passed: which copies go, which paragraphs, which documents are held out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from freehold.charter import Charter
from freehold.stages.curate.boilerplate import Recurring, recurring, sizes_after
from freehold.stages.curate.duplicates import Likeness
from freehold.stages.curate.output import Decisions
from freehold.stages.curate.parts import rows_of
from freehold.stages.curate.split import Candidates, held_out, ranks


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutting:
    """Paragraphs that recur, those to be cut of each row, and the documents that are nothing without them."""

    passed: pa.Table  # with the bytes that are left
    recurring: Recurring
    cuts: dict[int, frozenset[int]]
    emptied: dict[int, int]  # row → characters left


def shorten(charter: Charter, judged: list[Path], passed: pa.Table, likeness: Likeness) -> Cutting:
    """Find the paragraphs that recur, and what is left of the documents if they are cut."""
    curation = charter.curate
    found = recurring(judged, as_array(likeness.copies), documents=curation.boilerplate_documents)
    cuts = found.beyond(curation.boilerplate_documents) if curation.boilerplate == "cut" else {}
    left = sizes_after(judged, cuts)
    if left:
        sizes = [left.get(row, (0, size))[1] for row, size in rows_of(passed, "row", "bytes")]
        passed = passed.set_column(passed.column_names.index("bytes"), "bytes", pa.array(sizes, pa.int64()))
    emptied = {row: characters for row, (characters, _) in left.items() if characters < curation.min_characters}
    return Cutting(passed=passed, recurring=found, cuts=cuts, emptied=emptied)


def decide(charter: Charter, passed: pa.Table, likeness: Likeness, cutting: Cutting) -> Decisions:
    """Copies dropped, equal ids told apart, a held-out part chosen."""
    dropped = as_array(likeness.copies.keys() | cutting.emptied.keys())
    kept = passed.filter(pa.array(~np.isin(passed.column("row").to_numpy(), dropped)))
    rows = kept.column("row").to_numpy()
    documents = Candidates(
        family=np.array([likeness.family.get(row, row) for row in rows.tolist()], dtype=np.int64),
        language=numbered(kept.column("language")),
        size=kept.column("bytes").to_numpy().astype(np.int64),
        rank=ranks(digest.as_py() for digest in kept.column("digest")),
    )
    apart = held_out(documents, wanted_bytes=charter.curate.held_out_bytes)
    return Decisions(dropped=dropped, held_out=rows[apart], renamed=renamed(kept))


def renamed(kept: pa.Table) -> dict[int, str]:
    """New ids for rows whose id an earlier one has."""
    _, first = np.unique(numbered(kept.column("id")), return_index=True)
    again = np.ones(len(kept), dtype=np.bool_)
    again[first] = False
    return {
        row: f"{identity}~{digest[:12]}"
        for row, identity, digest in rows_of(kept.filter(pa.array(again)), "row", "id", "digest")
    }


def numbered(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """A number (N,) for each value, the same for equal ones."""
    encoded = column.combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)


def as_array(rows: Iterable[int]) -> NDArray[np.int64]:
    """Rows as an array."""
    return np.array(sorted(rows), dtype=np.int64)
