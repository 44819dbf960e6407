"""Training tokens for the bench of trace: a folder of JSON Lines shards, as curate and tokenize would leave them.

    curated/documents/…       id, title, url, date, origin of every document
    tokenized/                tokenizer.json, tokenize.json, shards/train-00000.bin with its sidecar, …
    held_out.json             texts that are not among the training tokens

Made once in a folder of its own and found there again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from corpus import records
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

VOCABULARY: Final = 32_000
BOS: Final = 0
SHARD_TOKENS: Final = 64_000_000  # as tokenize does
SAMPLE: Final = 25_000_000  # characters that the tokenizer learns from
EVERY: Final = 400  # one text of so many is held out
LOT: Final = 256  # documents encoded together
TURN: Final = 20  # documents of one file before the next
SKIPPED: Final = ("mul-eval", "mul-sft", "mul-preference", "mul-messy")  # questions, chats and raw markup
DOCUMENT: Final = ("id", "title", "url", "date", "origin")


@dataclass(slots=True, kw_only=True)
class Shard:
    """A token file being filled and the rows of its sidecar."""

    path: Path
    tokens: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)


def prepare(corpora: Path, folder: Path, *, tokens: int) -> Path:
    """The folder with at least `tokens` training tokens; made unless it is there."""
    if (folder / "tokenized" / "tokenize.json").exists():
        return folder
    for name in ("curated/documents", "tokenized/shards"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    path = folder / "tokenized" / "tokenizer.json"
    if not path.exists():
        learn(texts(corpora)).save(str(path))
    fill(texts(corpora), Tokenizer.from_file(str(path)), folder, wanted=tokens)
    return folder


def texts(corpora: Path) -> Iterator[dict[str, Any]]:
    """Records in turn from all shards, so that a part of them has every language."""
    names = [path for path in sorted(corpora.glob("*.jsonl.zst")) if not path.name.startswith(SKIPPED)]
    streams = [records(path) for path in names]
    while streams:
        for stream in list(streams):
            lot = list(islice(stream, TURN))
            yield from lot
            if not lot:
                streams.remove(stream)


def learn(stream: Iterator[dict[str, Any]]) -> Tokenizer:
    """A byte-level BPE from every eighth text up to SAMPLE characters."""

    def sample() -> Iterator[str]:
        read = 0
        for number, record in enumerate(stream):
            if number % 8 == 0 and len(record["text"]) < 200_000:
                read += len(record["text"])
                yield record["text"]
            if read > SAMPLE:
                return

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<|bos|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sample(), trainer)
    return tokenizer


def fill(stream: Iterator[dict[str, Any]], tokenizer: Tokenizer, folder: Path, *, wanted: int) -> None:
    """Encode documents into shards until there are `wanted` tokens; tokenize.json is written last."""
    shards: list[Shard] = []
    known: list[dict[str, Any]] = []
    held: list[str] = []
    while sum(shard.tokens for shard in shards) < wanted:
        lot = list(islice(stream, LOT))
        if not lot:
            break
        kept = []
        for record in lot:
            if (len(known) + len(kept) + len(held)) % EVERY == EVERY - 1 and len(record["text"]) > 2000:
                held.append(record["text"])
            else:
                kept.append(record)
        for record, found in zip(kept, tokenizer.encode_batch_fast([each["text"] for each in kept]), strict=True):
            add(shards, record, np.array([BOS, *found.ids], dtype="<u2"), folder / "tokenized" / "shards")
        known += [{name: record.get(name) for name in DOCUMENT} | {"origin": record["source"]} for record in kept]
    for shard in shards:
        pq.write_table(pa.Table.from_pylist(shard.rows), shard.path.with_suffix(".parquet"))
    pq.write_table(pa.Table.from_pylist(known), folder / "curated" / "documents" / "part-00000.parquet")
    (folder / "held_out.json").write_text(json.dumps(held, ensure_ascii=False), encoding="utf-8")
    facts = {
        "vocabulary": VOCABULARY,
        "dtype": "uint16",
        "tokens": sum(shard.tokens for shard in shards),
        "documents": len(known),
        "shards": [{"file": f"shards/{shard.path.name}", "tokens": shard.tokens} for shard in shards],
    }
    (folder / "tokenized" / "tokenize.json").write_text(json.dumps(facts), encoding="utf-8")


def add(shards: list[Shard], record: dict[str, Any], tokens: Any, folder: Path) -> None:
    """Append a document to the last shard, or open the next one."""
    if not shards or shards[-1].tokens + len(tokens) > SHARD_TOKENS:
        shards.append(Shard(path=folder / f"train-{len(shards):05d}.bin"))
        shards[-1].path.unlink(missing_ok=True)
    shard = shards[-1]
    row = {"document": record["id"], "start": shard.tokens, "length": len(tokens), "source": record["source"]}
    shard.rows.append(row | {"licence": record["licence"], "language": record["lang"]})
    with shard.path.open("ab") as file:
        tokens.tofile(file)
    shard.tokens += len(tokens)
