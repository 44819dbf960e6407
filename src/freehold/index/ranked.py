"""Ranked search over passages: BM25 (Robertson and Zaragoza 2009), scored when built, read memory-mapped.

passages.arrow   every passage with its document, licence and place
terms.arrow      every term, sorted, with its number
scores.npy rows.npy begins.npy   per term the passages that hold it and what it adds to their rank (CSC)
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from freehold.errors import InputError
from freehold.index.passages import passages
from freehold.index.terms import terms

CARRIED = ("title", "licence", "url", "language", "source")  # of the document, beside each of its passages
BATCH = 256  # passages decompressed to read one
COLUMNS = ("document", "start", *CARRIED, "text")
SCHEMA = pa.schema([(name, pa.int64() if name == "start" else pa.string()) for name in COLUMNS])
PARTS = ("passages.arrow", "terms.arrow", "scores.npy", "rows.npy", "begins.npy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much was indexed."""

    documents: int
    passages: int
    terms: int


def build(documents: Iterable[Mapping[str, Any]], *, folder: Path) -> Extent:
    """Index documents (mappings with id, text and CARRIED) into the files PARTS of `folder`.

    A passage is found by its own terms and by those of its document's title; one without terms is left out. Holds
    the numbers of all terms in memory, about ten times the text. Raises InputError when nothing can be found.
    """
    numbers: dict[str, int] = {}
    held: list[list[int]] = []
    count = 0

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal count
        for document in documents:
            count += 1
            title = terms(document["title"] or "")
            for start, text in passages(document["text"]):
                if found := terms(text):
                    held.append([numbers.setdefault(term, len(numbers)) for term in (*title, *found)])
                    yield {
                        "document": document["id"],
                        "start": start,
                        "text": text,
                        **{k: document[k] for k in CARRIED},
                    }

    write_rows(rows(), folder / "passages.arrow")
    if not held:
        raise InputError("there is no text to search in", remedy="add documents to the charter's sources")
    write_terms(numbers, folder / "terms.arrow")
    ranking = bm25s.BM25(backend="numpy", csc_backend="numpy")  # Lucene's variant: k1 1.5, b 0.75
    ranking.index((held, numbers), show_progress=False)
    for name, part in (("scores", "data"), ("rows", "indices"), ("begins", "indptr")):
        np.save(folder / f"{name}.npy", ranking.scores[part])
    return Extent(documents=count, passages=len(held), terms=len(numbers))


def write_rows(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Stream rows into an Arrow file of small compressed batches."""
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, SCHEMA, options=options) as writer:
        batch: list[Mapping[str, Any]] = []
        for row in rows:
            batch.append(row)
            if len(batch) == BATCH:
                writer.write_batch(pa.RecordBatch.from_pylist(batch, schema=SCHEMA))
                batch = []
        if batch:
            writer.write_batch(pa.RecordBatch.from_pylist(batch, schema=SCHEMA))


def write_terms(numbers: Mapping[str, int], path: Path) -> None:
    """The vocabulary in code point order, uncompressed, to be searched by bisection where it lies."""
    order = sorted(numbers)
    table = pa.table(
        {"term": pa.array(order, pa.large_string()), "number": pa.array([numbers[term] for term in order])}
    )
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table.combine_chunks())


class Ranked:
    """An index on disk. Opening reads headers only."""

    def __init__(self, folder: Path) -> None:
        if missing := [name for name in PARTS if not (folder / name).is_file()]:
            raise InputError(f"the index lacks {missing[0]}", where=str(folder), remedy="build it again")
        self.passages = pa.ipc.open_file(pa.memory_map(str(folder / "passages.arrow")))
        vocabulary = pa.ipc.open_file(pa.memory_map(str(folder / "terms.arrow"))).read_all()
        self.terms, self.numbers = vocabulary.column("term").combine_chunks(), vocabulary.column("number").to_numpy()
        self.scores, self.rows, self.begins = (
            np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("scores", "rows", "begins")
        )
        batches = self.passages.num_record_batches
        self.count = (batches - 1) * BATCH + self.passages.get_batch(batches - 1).num_rows

    def number(self, term: str) -> int | None:
        """The number of a term, if any passage holds it."""
        place = bisect_left(range(len(self.terms)), term, key=lambda i: self.terms[i].as_py())
        return int(self.numbers[place]) if place < len(self.terms) and self.terms[place].as_py() == term else None

    def rank(self, query: str) -> NDArray[np.float32]:
        """The score of every passage, (passages,); 0 where it shares no term with the query."""
        total = np.zeros(self.count, dtype=np.float32)
        for term in terms(query):
            if (number := self.number(term)) is not None:
                run = slice(int(self.begins[number]), int(self.begins[number + 1]))
                total[self.rows[run]] += self.scores[run]  # a passage stands once in a run
        return total

    def search(self, query: str, *, top: int) -> list[tuple[float, dict[str, Any]]]:
        """The `top` best passages (score, row), equal scores in the order of the corpus; fewer if fewer match."""
        total = self.rank(query)
        matching = np.flatnonzero(total > 0)
        if len(matching) > top:
            least = np.partition(total, len(total) - top)[len(total) - top]
            matching = np.flatnonzero(total >= max(least, np.finfo(np.float32).tiny))
        best = matching[np.lexsort((matching, -total[matching]))][:top]
        return [(float(total[row]), self.passage(int(row))) for row in best]

    def passage(self, row: int) -> dict[str, Any]:
        """One passage by its number."""
        batch: dict[str, list[Any]] = self.passages.get_batch(row // BATCH).slice(row % BATCH, 1).to_pydict()
        return {name: values[0] for name, values in batch.items()}
