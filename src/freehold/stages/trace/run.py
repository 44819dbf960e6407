"""Trace's index: a suffix array over every shard of training tokens, and the documents behind them.

suffix-00000.bin   int32 per token of the shard of the same number
documents.arrow    every document with its place in the shards, licence, title and link; memory-mapped
unigrams.npy       how often each token occurs: the measure of a span's rarity
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from freehold.index.suffix import sort_suffixes
from freehold.records import canonical_json
from freehold.stage import Stage
from freehold.store.atomic import placed

FORMAT = 1
OF_CURATE = ("title", "url", "date", "origin")
OF_SIDECAR = ("document", "start", "length", "source", "licence", "language")


def run(stage: Stage) -> None:
    """One suffix array a shard (those that a killed run finished stay), then the table of documents."""
    tokens = json.loads((stage.input("tokenize") / "tokenize.json").read_bytes())
    unigrams = np.zeros(tokens["vocabulary"], dtype=np.int64)
    shards = []
    with stage.progress.task("sort suffixes", total=tokens["tokens"], unit="tok") as task:
        for number, shard in enumerate(tokens["shards"]):
            held = np.fromfile(
                stage.input("tokenize") / shard["file"], dtype=np.dtype(tokens["dtype"]).newbyteorder("<")
            )
            name = f"suffix-{number:05d}.bin"
            sort_shard(held, stage.output / name, scratch=stage.scratch)
            unigrams += np.bincount(held, minlength=len(unigrams))
            shards.append({"file": name, "tokens_file": shard["file"], "tokens": len(held)})
            task.advance(len(held))
    with placed(stage.output / "unigrams.npy", scratch=stage.scratch) as unfinished, unfinished.open("wb") as file:
        np.save(file, unigrams)
    documents = table_of_documents(stage.input("curate"), stage.input("tokenize"), tokens)
    with placed(stage.output / "documents.arrow", scratch=stage.scratch) as unfinished:
        write_table(documents, unfinished)
    summary = {"format": FORMAT, "dtype": tokens["dtype"], "shards": shards, "documents": documents.num_rows}
    stage.put("trace.json", canonical_json(summary))
    stage.figures.update(tokens=tokens["tokens"], documents=documents.num_rows, shards=len(shards))


def sort_shard(tokens: NDArray[Any], path: Path, *, scratch: Path) -> None:
    """Write the suffix array of a shard unless it is there."""
    if not path.exists():
        with placed(path, scratch=scratch) as unfinished:
            sort_suffixes(tokens).tofile(unfinished)


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
