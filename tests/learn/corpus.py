"""A folder of token shards such as the tokenize stage leaves, made by hand, and batches over it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

from freehold.learn.batches import Corpus, stream_of, turns_of
from freehold.learn.mixture import Part
from freehold.learn.shards import Shards

VOCABULARY = 64
HALVES = {"deu": 0.5, "jpn": 0.5}


def mixed(
    folder: Path,
    *,
    shares: Mapping[str, float] = HALVES,
    digest: str = "d",
    seed: int = 1,
    sequence: int = 32,
    samples: int = 8,
) -> Corpus:
    """All documents of a folder in windows of `sequence` tokens."""
    shards = Shards.open(folder)
    streams = {code: stream_of(shards, code, digest=digest, seed=seed, block=sequence) for code in shares}
    parts = {code: Part(stream=stream, window=sequence) for code, stream in streams.items()}
    return Corpus(shards, parts=parts, turns=turns_of(shares), samples=samples)


def write_shards(folder: Path, *, shards: int = 2, documents: int = 24, longest: int = 90) -> Path:
    """Two languages of documents whose tokens can be predicted: each counts up from where it begins."""
    random, files = np.random.default_rng(5), []
    (folder / "shards").mkdir(parents=True)
    for shard in range(shards):
        lengths = random.integers(8, longest, documents)
        tokens = [np.r_[0, 1 + (row + np.arange(length - 1)) % (VOCABULARY - 1)] for row, length in enumerate(lengths)]
        name = f"shards/train-{shard:05d}.bin"
        np.concatenate(tokens).astype("<u2").tofile(folder / name)
        starts = np.r_[0, np.cumsum(lengths)[:-1]]
        columns = {
            "document": [f"s{shard}-d{row}" for row in range(documents)],
            "source": ["law" if row % 2 else "press" for row in range(documents)],
            "language": ["deu" if row % 3 else "jpn" for row in range(documents)],
            "start": starts,
            "length": lengths,
        }
        parquet.write_table(pa.table(columns), (folder / name).with_suffix(".parquet"))
        sidecar = hashlib.sha256((folder / name).with_suffix(".parquet").read_bytes()).hexdigest()
        files.append({"file": name, "tokens": int(lengths.sum()), "sidecar_sha256": sidecar})
    facts = {"vocabulary": VOCABULARY, "dtype": "uint16", "bos": 0, "eos": 2, "pad": 3, "shards": files}
    (folder / "tokenize.json").write_text(json.dumps(facts))
    return folder
