"""Which documents teach the tokenizer: the same number of bytes of every language, chosen by the hash of their ids."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from freehold.stages.tokenize.corpus import batches
from freehold.text import canaries


def budgets(available: Mapping[str, int], *, total: int) -> dict[str, int]:
    """Split `total` bytes evenly; what a small language cannot use goes to the others.

    >>> budgets({"deu": 900, "kor": 500, "roh": 50}, total=650)
    {'roh': 50, 'kor': 300, 'deu': 300}
    """
    found: dict[str, int] = {}
    for language, size in sorted(available.items(), key=lambda entry: (entry[1], entry[0])):
        share = (total - sum(found.values())) // (len(available) - len(found))
        found[language] = min(size, share)
    return found


def choose(census: pa.Table, *, total: int) -> dict[str, int]:
    """Document id → bytes of it to take. Documents in the order of their id's SHA-256 until the budget is used up.

    Canaries teach nothing: tokens of their own would make them likelier than sequences that were never planted.
    """
    census = census.filter(pc.not_equal(census.column("source"), canaries.SOURCE))
    columns = (census.column(name).to_pylist() for name in ("language", "id", "bytes"))
    rows = sorted(zip(*columns, strict=True), key=lambda row: hashlib.sha256(row[1].encode()).digest())
    available: dict[str, int] = {}
    for language, _, size in rows:
        available[language] = available.get(language, 0) + size
    left, chosen = budgets(available, total=total), {}
    for language, name, size in rows:
        if take := min(left[language], size):
            left[language] -= take
            chosen[name] = take
    return chosen


def texts(folder: Path, chosen: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """(language, text) of the chosen documents in file order, each cut to its bytes."""
    for batch in batches(folder, ("id", "language", "text")):
        for name, language, text in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            if name in chosen:
                yield language, text.encode()[: chosen[name]].decode(errors="ignore")
