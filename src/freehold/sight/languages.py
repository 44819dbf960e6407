"""What there is to read in each language, from the sidecars of the shards: the way from nats to bits per byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language of a training run: what stands in the shards, and its share of the tokens read."""

    code: str
    share: float  # of the tokens of every batch; all shares sum to 1
    tokens: int  # in the shards, the BOS of each document included
    bytes: int  # of the text that the tokens stand for

    @property
    def bytes_per_token(self) -> float:
        """Bytes of text that a token stands for; a BOS counts as a token of none."""
        return self.bytes / max(self.tokens, 1)


def languages_of(artifact: Path, *, shares: Mapping[str, float]) -> list[Language]:
    """The languages of a tokenize artifact that a recipe reads, with their shares."""
    columns = ["language", "length", "bytes"]
    sidecars = sorted((artifact / "shards").glob("*.parquet"))
    table = pa.concat_tables([parquet.read_table(path, columns=columns) for path in sidecars])
    sums = table.group_by("language").aggregate([("length", "sum"), ("bytes", "sum")]).to_pylist()
    found = {row["language"]: row for row in sums}
    whole = sum(shares.values())
    return [
        Language(code=code, share=share / whole, tokens=found[code]["length_sum"], bytes=found[code]["bytes_sum"])
        for code, share in sorted(shares.items())
        if code in found
    ]


def bytes_per_token(languages: Sequence[Language]) -> float:
    """Bytes that a token of a batch stands for: the mean over the languages by their shares.

    A batch of n tokens holds share x n tokens of each language, so loss / ln 2 / this is bits over bytes of a batch.

    >>> one = Language(code="deu", share=0.5, tokens=10, bytes=40)
    >>> bytes_per_token([one, Language(code="jpn", share=0.5, tokens=10, bytes=60)])
    5.0
    """
    return sum(language.share * language.bytes_per_token for language in languages)
