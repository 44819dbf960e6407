"""The training tokens as trace reads them: suffix arrays, documents and bytes, all where they lie on disk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from tokenizers import Tokenizer

from freehold.errors import InputError
from freehold.index.spelling import Spelling
from freehold.index.suffix import mapped

FORMAT = 1
WIDENING_TOKENS = 64  # compared to each side of a place
CONTEXT_CHARACTERS = 120  # shown to each side


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A position in a shard."""

    shard: int
    position: int  # tokens from the shard's beginning


class Corpus:
    """An index with the tokens it was made of."""

    def __init__(self, index_folder: Path, tokenize_folder: Path) -> None:
        facts = read_facts(index_folder)
        dtype = np.dtype(facts["dtype"]).newbyteorder("<")
        self.arrays = [
            mapped(tokenize_folder / shard["tokens_file"], index_folder / shard["file"], dtype=dtype)
            for shard in facts["shards"]
        ]
        self.tokenizer = Tokenizer.from_file(str(tokenize_folder / "tokenizer.json"))
        self.tokenizer.encode_special_tokens = True  # a text that spells out a special token is still text
        self.spelling = Spelling(self.tokenizer)
        self.documents = pa.ipc.open_file(pa.memory_map(str(index_folder / "documents.arrow"))).read_all()
        shards = self.documents.column("shard").to_numpy()
        edges = np.searchsorted(shards, np.arange(len(self.arrays) + 1))
        self.first_rows = edges.tolist()
        self.starts = self.documents.column("start").to_numpy()
        frequencies = np.load(index_folder / "unigrams.npy")
        self.bits = -np.log2(np.maximum(frequencies, 1) / max(int(frequencies.sum()), 1))

    def encode(self, text: str) -> list[int]:
        """The tokens of a text as training documents have them."""
        found: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return found

    def surprise(self, tokens: Sequence[int]) -> float:
        """Bits of these tokens under their own frequencies in the training data."""
        return float(self.bits[list(tokens)].sum())

    def places(self, tokens: Sequence[int], *, most: int) -> tuple[tuple[Place, ...], int]:
        """At most `most` places where `tokens` stand, in reading order, and how many there are in all."""
        found: list[Place] = []
        count = 0
        for shard, array in enumerate(self.arrays):
            match = array.narrow(tokens, 0, len(array.suffixes))
            count += match.high - match.low
            positions = array.positions(match, most=most - len(found)) if len(found) < most else ()
            found += [Place(shard=shard, position=int(position)) for position in positions]
        return tuple(found), count

    def row(self, place: Place) -> int:
        """The row of the document that holds a place, by bisection over where documents start."""
        low, high = self.first_rows[place.shard], self.first_rows[place.shard + 1]
        return int(low + np.searchsorted(self.starts[low:high], place.position, side="right") - 1)

    def document(self, place: Place) -> dict[str, Any]:
        """The document that holds a place."""
        row: dict[str, Any] = self.documents.slice(self.row(place), 1).to_pylist()[0]
        return row

    def around(self, place: Place, length: int, *, reach: int = WIDENING_TOKENS) -> tuple[bytes, bytes]:
        """The bytes of at most `reach` tokens before and after `length` tokens at a place, within its document."""
        row = self.row(place)
        start = int(self.starts[row])
        stop = start + self.documents.column("length")[row].as_py()
        tokens, end = self.arrays[place.shard].tokens, place.position + length
        before = tokens[max(start, place.position - reach) : place.position].tolist()
        return self.spelling.spell(before), self.spelling.spell(tokens[end : min(stop, end + reach)].tolist())

    def context(self, place: Place, tokens: Sequence[int], edges: tuple[int, int]) -> tuple[str, str]:
        """What stands before and after a span whose edges lie `edges` bytes right of the edges of `tokens`."""
        before, after = self.around(place, len(tokens))
        whole = before + self.spelling.spell(tokens) + after
        left = whole[: len(before) + edges[0]].decode(errors="ignore")
        right = whole[len(whole) - len(after) + edges[1] :].decode(errors="ignore")
        return left[-CONTEXT_CHARACTERS:], right[:CONTEXT_CHARACTERS]


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
