"""Trace's index: suffix arrays over every shard of training tokens, and the documents behind them.

suffix-00000.bin   int32 per token: the order of the suffixes of one shard, or of a part of a very long one
sample-00000.bin   uint64 per 16 tokens: the first tokens of every 16th suffix, kept in memory while it is searched
documents.arrow    every document with its place in the shards, licence, title and link; memory-mapped
unigrams.npy       how often each token occurs: the measure of a span's rarity

The index is over the shards, which hold every document once, however often training read it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from freehold.index.suffix import Numbering, Tokens, sample_of, sort_suffixes
from freehold.progress import Progress
from freehold.records import canonical_json
from freehold.stage import Stage
from freehold.store.atomic import place, placed

FORMAT = 2
ARRAY_TOKENS = 64_000_000  # of one array: sorting them takes 2.1 GB of memory
REACH = 4096  # tokens behind its part that an array sees: matches across a cut are whole up to this length
OF_CURATE = ("title", "url", "date", "origin")
OF_SIDECAR = ("document", "start", "length", "source", "licence", "language")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one suffix array is made of: the suffixes that begin in tokens start … start + rows of a shard."""

    suffixes: str  # file names
    sample: str
    shard: int
    start: int
    rows: int
    tokens: int  # that it sees from `start` on


def run(stage: Stage) -> None:
    """Index the training tokens."""
    facts = build(
        stage.input("curate"),
        stage.input("tokenize"),
        stage.output,
        scratch=stage.scratch,
        progress=stage.progress,
    )
    figures = {"tokens": facts["tokens"], "documents": facts["documents"]}
    stage.figures.update(figures, shards=len(facts["shards"]), arrays=len(facts["arrays"]))


def build(curate: Path, tokenize: Path, output: Path, *, scratch: Path, progress: Progress) -> dict[str, Any]:
    """Write the index into a folder and return trace.json, which is written last; what a killed run finished stays.

    About 32 bytes of memory for each token of the longest array, besides the table of documents.
    """
    tokens = json.loads((tokenize / "tokenize.json").read_bytes())
    dtype, vocabulary = np.dtype(tokens["dtype"]).newbyteorder("<"), tokens["vocabulary"]
    unigrams = np.zeros(vocabulary, dtype=np.int64)
    parts: list[Part] = []
    with progress.task("sort suffixes", total=tokens["tokens"], unit="tok") as task:
        for number, shard in enumerate(tokens["shards"]):
            held = np.memmap(tokenize / shard["file"], dtype=dtype, mode="r").view(np.ndarray)
            for part in parts_of(number, shard["tokens"], first=len(parts)):
                seen = held[part.start : part.start + part.tokens]
                sort(seen, part, output, vocabulary=vocabulary, scratch=scratch)
                unigrams += np.bincount(seen[: part.rows], minlength=vocabulary)
                parts.append(part)
                task.advance(part.rows)
    with placed(output / "unigrams.npy", scratch=scratch) as unfinished, unfinished.open("wb") as file:
        np.save(file, unigrams)
    documents = table_of_documents(curate, tokenize, tokens)
    with placed(output / "documents.arrow", scratch=scratch) as unfinished:
        write_table(documents, unfinished)
    facts = {
        "format": FORMAT,
        "dtype": tokens["dtype"],
        "vocabulary": vocabulary,
        "tokens": tokens["tokens"],
        "documents": documents.num_rows,
        "shards": [{"file": shard["file"], "tokens": shard["tokens"]} for shard in tokens["shards"]],
        "arrays": [asdict(part) for part in parts],
    }
    place(output / "trace.json", canonical_json(facts), scratch=scratch)
    return facts


def parts_of(shard: int, tokens: int, *, first: int) -> Iterator[Part]:
    """The parts of a shard, numbered from `first` on; one, unless a document made the shard longer than an array."""
    for number, start in enumerate(range(0, tokens, ARRAY_TOKENS), start=first):
        rows = min(ARRAY_TOKENS, tokens - start)
        yield Part(
            suffixes=f"suffix-{number:05d}.bin",
            sample=f"sample-{number:05d}.bin",
            shard=shard,
            start=start,
            rows=rows,
            tokens=min(rows + REACH, tokens - start),
        )


def sort(tokens: Tokens, part: Part, folder: Path, *, vocabulary: int, scratch: Path) -> None:
    """Write the suffix array of a part and its sample unless they are there."""
    path, sample = folder / part.suffixes, folder / part.sample
    if path.exists() and sample.exists():
        return
    suffixes = sort_suffixes(tokens, rows=part.rows)
    with placed(sample, scratch=scratch) as unfinished:
        sample_of(tokens, suffixes, Numbering(vocabulary)).astype("<u8").tofile(unfinished)
    with placed(path, scratch=scratch) as unfinished:
        suffixes.tofile(unfinished)


def table_of_documents(curate: Path, tokenize: Path, tokens: dict[str, Any]) -> pa.Table:
    """Every document in the order of its tokens: OF_SIDECAR, its shard, and OF_CURATE."""
    sidecars = []
    for number, shard in enumerate(tokens["shards"]):
        rows = pq.read_table((tokenize / shard["file"]).with_suffix(".parquet"), columns=list(OF_SIDECAR))
        sidecars.append(rows.append_column("shard", pa.array(np.full(rows.num_rows, number, dtype=np.int32))))
    table = pa.concat_tables(sidecars)
    known = pq.read_table(curate / "documents", columns=["id", *OF_CURATE])
    found = pc.index_in(table.column("document"), value_set=known.column("id"))
    for name in OF_CURATE:
        table = table.append_column(name, known.column(name).take(found))
    return table


def write_table(table: pa.Table, path: Path) -> None:
    """One uncompressed Arrow file, so that it is read where it lies."""
    table = table.combine_chunks()
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
