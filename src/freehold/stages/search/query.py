"""A question to the corpus: ranked passages, each with the document, licence and link it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from freehold.errors import InputError
from freehold.index.ranked import Ranked


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One cited passage of the corpus."""

    rank: int  # 1 is best
    score: float  # BM25; comparable within one answer only
    document: str
    start: int  # first character within the document
    title: str | None
    licence: str
    url: str | None
    language: str
    source: str
    text: str


def search(index_folder: Path, query: str, *, top: int = 5) -> list[Passage]:
    """The `top` best passages for a query; empty when no term of it stands in the corpus.

    Raises InputError for a query without words or a damaged index.
    """
    if not query.strip():
        raise InputError("the query is empty", remedy="ask for some words")
    found = opened(index_folder).search(query, top=top)
    return [Passage(rank=rank, score=round(score, 4), **row) for rank, (score, row) in enumerate(found, start=1)]


@lru_cache(maxsize=4)
def opened(index_folder: Path) -> Ranked:
    """An index stays open between questions: sealed artifacts never change."""
    return Ranked(index_folder)
