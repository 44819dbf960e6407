"""Which documents are held out: a pure function of their contents, never of their order, number or place.

Families of similar documents go to one side whole, so that nothing like a held-out document is trained on.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

TENTH: Final = 10  # at most one byte in so many of a language is held out
PIECE: Final = 4  # a family larger than this part of the limit would leave room for too few others


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A document that may be held out."""

    row: int
    family: int
    language: str
    digest: str
    bytes: int


@dataclass(slots=True)
class Family:
    """Documents that stay together."""

    rows: list[int]
    sizes: Counter[str]  # bytes per language
    rank: str


def held_out(documents: Iterable[Candidate], *, wanted_bytes: int) -> set[int]:
    """Rows to hold out: whole families in the order of a hash of their contents, up to `wanted_bytes` per language and
    never more than a tenth of it.

    A family larger than a quarter of the limit is taken only where smaller ones do not fill half of it.
    """
    families = gather(documents)
    totals: Counter[str] = sum((family.sizes for family in families), Counter())
    limits = {language: min(wanted_bytes, total // TENTH) for language, total in totals.items()}
    used: Counter[str] = Counter()
    rows: set[int] = set()
    for largest, filled in ((PIECE, 1.0), (1, 0.5)):
        short = {language for language, limit in limits.items() if used[language] < filled * limit}
        for family in families:
            fits = all(
                size * largest <= limits[language] and used[language] + size <= limits[language]
                for language, size in family.sizes.items()
            )
            if fits and short.intersection(family.sizes) and rows.isdisjoint(family.rows):
                rows.update(family.rows)
                used.update(family.sizes)
    return rows


def gather(documents: Iterable[Candidate]) -> list[Family]:
    """The families in the order in which they are considered."""
    families: dict[int, Family] = {}
    for document in documents:
        family = families.setdefault(document.family, Family([], Counter(), "g"))  # behind every hex digest
        family.rows.append(document.row)
        family.sizes[document.language] += document.bytes
        family.rank = min(family.rank, hashlib.sha256(f"held out {document.digest}".encode()).hexdigest())
    return sorted(families.values(), key=lambda family: family.rank)
