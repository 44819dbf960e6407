"""The training tokens as trace reads them: suffix arrays, documents and bytes, all where they lie on disk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from tokenizers import Tokenizer

from freehold.errors import InputError
from freehold.index.matching import Ints, Matcher
from freehold.index.spelling import Spelling
from freehold.index.suffix import Numbering, Tokens, mapped, read_at_random

FORMAT = 2
WIDENING_TOKENS = 64  # looked at to each side of a place
SHOWN_COLUMNS = ("document", "title", "source", "licence", "language", "url")


class Corpus:
    """An index with the tokens it was made of. A place is a position in all shards, end to end."""

    def __init__(self, index_folder: Path, tokenize_folder: Path) -> None:
        facts = read_facts(index_folder)
        self.numbering = Numbering(facts["vocabulary"])
        self.shards = [opened_shard(tokenize_folder, shard, dtype=facts["dtype"]) for shard in facts["shards"]]
        self.firsts = np.cumsum([0, *(len(tokens) for tokens in self.shards)])  # place of each shard's first token
        self.arrays = [
            mapped(
                self.shards[part["shard"]][part["start"] : part["start"] + part["tokens"]],
                index_folder / part["suffixes"],
                index_folder / part["sample"],
                numbering=self.numbering,
                rows=part["rows"],
            )
            for part in facts["arrays"]
        ]
        self.offsets = [int(self.firsts[part["shard"]]) + part["start"] for part in facts["arrays"]]
        self.tokenizer = Tokenizer.from_file(str(tokenize_folder / "tokenizer.json"))
        self.tokenizer.encode_special_tokens = True  # a text that spells out a special token is still text
        self.spelling = Spelling(self.tokenizer)
        self.widths = np.array([len(spelled) for spelled in self.spelling.bytes_of])  # bytes of each token
        documents = pa.ipc.open_file(pa.memory_map(str(index_folder / "documents.arrow"))).read_all()
        self.documents = documents.select(SHOWN_COLUMNS)
        self.starts = documents.column("start").to_numpy() + self.firsts[documents.column("shard").to_numpy()]
        self.ends = self.starts + documents.column("length").to_numpy()
        frequencies = np.load(index_folder / "unigrams.npy")
        self.bits = -np.log2(np.maximum(frequencies, 1) / max(int(frequencies.sum()), 1))

    def encode(self, text: str) -> list[int]:
        """The tokens of a text as training documents have them."""
        found: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return found

    def matcher(self, tokens: Sequence[int]) -> Matcher:
        """A query against all arrays."""
        return Matcher(self.arrays, tokens, numbering=self.numbering)

    def surprise(self, tokens: Sequence[int]) -> float:
        """Bits of these tokens under their own frequencies in the training data."""
        return float(self.bits[list(tokens)].sum())

    def places(self, first: Sequence[int], last: Sequence[int], *, most: int) -> Ints:
        """At most `most` places of the suffixes in rows first … last of each array, ascending."""
        found = []
        for array, offset, low, high in zip(self.arrays, self.offsets, first, last, strict=True):
            if low < high and most > 0:
                rows = np.arange(low, min(high, low + most))
                found.append(array.suffixes.take(rows).astype(np.int64) + offset)
                most -= len(rows)
        return np.sort(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)

    def rows(self, places: Ints) -> Ints:
        """The rows of the documents that hold places."""
        found: Ints = np.searchsorted(self.starts, places, side="right") - 1
        return found

    def described(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """What is told about documents, by their rows."""
        found: list[dict[str, Any]] = self.documents.take(pa.array(rows, type=pa.int64())).to_pylist()
        return found

    def around(self, place: int, length: int, row: int) -> tuple[list[int], list[int]]:
        """At most WIDENING_TOKENS tokens before and after `length` tokens at a place, within its document."""
        shard = int(np.searchsorted(self.firsts, place, side="right")) - 1
        begin = max(int(self.starts[row]), place - WIDENING_TOKENS)
        end = min(int(self.ends[row]), place + length + WIDENING_TOKENS)
        first = int(self.firsts[shard])
        found: list[int] = self.shards[shard][begin - first : end - first].tolist()
        return found[: place - begin], found[place - begin + length :]


def opened_shard(folder: Path, shard: dict[str, Any], *, dtype: str) -> Tokens:
    """The tokens of a shard, memory-mapped. Raises InputError when they are not as many as the index has."""
    path = folder / shard["file"]
    kind = np.dtype(dtype).newbyteorder("<")
    if not path.is_file() or path.stat().st_size != shard["tokens"] * kind.itemsize:
        raise InputError("index and tokens do not belong together", where=str(path), remedy="build the index again")
    return read_at_random(path, kind)


def read_facts(index_folder: Path) -> dict[str, Any]:
    """trace.json. Raises InputError when it is missing or of another format."""
    path = index_folder / "trace.json"
    if not path.is_file():
        raise InputError("no trace index here", where=str(index_folder), remedy="build it: freehold trace CHARTER …")
    facts: dict[str, Any] = json.loads(path.read_bytes())
    if facts["format"] != FORMAT:
        raise InputError(
            f"trace index of format {facts['format']}, not {FORMAT}", where=str(path), remedy="build it again"
        )
    return facts
