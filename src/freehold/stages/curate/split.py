"""Which documents are held out: a pure function of their contents, never of their order, number or place.

Families of similar documents go to one side whole, so that nothing like a held-out document is trained on. Columns
instead of objects: a million documents take some tens of megabytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

TENTH: Final = 10  # at most one byte in so many of a language is held out
PIECE: Final = 4  # a family larger than this part of the limit would leave room for too few others
AT_ONCE: Final = 1 << 16  # families looked at before what no longer fits is passed over


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Documents (N,) that may be held out."""

    family: NDArray[np.int64]  # the same number: the same family
    language: NDArray[np.int64]  # from 0
    size: NDArray[np.int64]  # bytes
    rank: NDArray[np.uint64]  # (N, 2), see `ranks`


@dataclass(frozen=True, slots=True, kw_only=True)
class Families:
    """Families (F,) with what each has of each language, as cells (C,) that lie family by family."""

    member: NDArray[np.int64]  # (N,) the family of each document
    order: NDArray[np.int64]  # (F,) in which they are considered
    first: NDArray[np.int64]  # (F + 1,) the first cell of each, and the end
    language: NDArray[np.int64]  # (C,)
    size: NDArray[np.int64]  # (C,) bytes


def ranks(digests: Iterable[str]) -> NDArray[np.uint64]:
    """The place of each document (N, 2) in a draw that only its contents decide: 128 bits of a hash of its digest."""
    drawn = (hashlib.sha256(f"held out {digest}".encode()).digest()[:16] for digest in digests)
    return np.frombuffer(b"".join(drawn), dtype=">u8").astype(np.uint64).reshape(-1, 2)


def held_out(documents: Candidates, *, wanted_bytes: int) -> NDArray[np.bool_]:
    """Which documents (N,) to hold out: whole families in the order of their rank, up to `wanted_bytes` per language
    and never more than a tenth of it.

    A family larger than a quarter of the limit is taken only where smaller ones do not fill half of it.
    """
    families = gather(documents)
    totals = np.zeros(int(documents.language.max(initial=-1)) + 1, dtype=np.int64)
    np.add.at(totals, documents.language, documents.size)
    limits = np.minimum(wanted_bytes, totals // TENTH)
    used = np.zeros_like(limits)
    taken = np.zeros(len(families.order), dtype=np.bool_)
    for largest, filled in ((PIECE, 1.0), (1, 0.5)):
        short = used < filled * limits
        fits = families.size * largest <= limits[families.language]
        open_to = every(families, fits) & any_of(families, short[families.language]) & ~taken
        fill(families, families.order[open_to[families.order]], limits=limits, used=used, taken=taken)
    return taken[families.member]


def fill(
    families: Families,
    order: NDArray[np.int64],
    *,
    limits: NDArray[np.int64],
    used: NDArray[np.int64],
    taken: NDArray[np.bool_],
) -> None:
    """Take the families in this order wherever there is still room; adds to `used` (L,) and `taken` (F,)."""
    for begin in range(0, len(order), AT_ONCE):
        roomy = every(families, families.size <= (limits - used)[families.language])
        chunk = order[begin : begin + AT_ONCE]
        for family in chunk[roomy[chunk]].tolist():
            cells = slice(families.first[family], families.first[family + 1])
            languages, sizes = families.language[cells], families.size[cells]
            if (used[languages] + sizes <= limits[languages]).all():
                used[languages] += sizes
                taken[family] = True


def gather(documents: Candidates) -> Families:
    """The families of the documents."""
    names, member = np.unique(documents.family, return_inverse=True)
    languages = int(documents.language.max(initial=0)) + 1
    cells, of_cell = np.unique(member * languages + documents.language, return_inverse=True)
    size = np.zeros(len(cells), dtype=np.int64)
    np.add.at(size, of_cell, documents.size)
    by_rank = np.lexsort((documents.rank[:, 1], documents.rank[:, 0]))
    _, best = np.unique(member[by_rank], return_index=True)  # where each family comes first
    return Families(
        member=member,
        order=np.argsort(best, kind="stable"),
        first=np.searchsorted(cells // languages, np.arange(len(names) + 1)),
        language=cells % languages,
        size=size,
    )


def every(families: Families, cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The families (F,) all of whose cells (C,) are true."""
    return np.logical_and.reduceat(cells, families.first[:-1]) if len(cells) else np.empty(0, dtype=np.bool_)


def any_of(families: Families, cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The families (F,) with a cell (C,) that is true."""
    return np.logical_or.reduceat(cells, families.first[:-1]) if len(cells) else np.empty(0, dtype=np.bool_)
