"""What makes two texts the same: digests for exact copies, MinHash sketches for near ones, and what follows from pairs.

A sketch keeps HASHES minima of a text's windows (two words, or four characters where a script puts no spaces between
words), so that the share of equal places in two sketches estimates the Jaccard similarity of their windows (Broder
1997). One hash function does for all places: a window falls into the place its first bits name (one permutation
hashing, Li, Owen & Zhang 2012); places that stay empty are filled from further rounds of the same windows
(densification, Shrivastava 2017). Bands of a few places find candidates without comparing all with all (Leskovec et
al., Mining of Massive Datasets, 3.4).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from freehold.text.scripts import ENOUGH
from freehold.text.tokens import CHARACTER, SPREAD, Hashes, kinds_of, mixed, windows

WIDTH: Final = {False: 2, True: 4}  # tokens of a window: words, or characters in scripts without spaces
ROWS: Final = {False: 3, True: 2}  # places of a band; characters survive edits less often, so their bands are shorter

BEGINNING: Final = 4_000  # characters
PLACES_BITS: Final = 7
HASHES: Final = 1 << PLACES_BITS
VALUE_BITS: Final = 48  # of a window's hash, behind the round it was drawn in
ROUND_BITS: Final = 64 - PLACES_BITS - VALUE_BITS
FULL: Final = 16  # draws per place after which one in 10^7 is still empty
EMPTY: Final = np.uint32(0xFFFFFFFF)  # every place of a text with fewer tokens than a window


def digest(text: str) -> str:
    """SHA-256 (hex) of a text as it reads: the same for texts that differ in white space alone.

    >>> digest("§ 1\\n\\nDie Würde") == digest(" § 1 Die  Würde ")
    True
    """
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()


def unspaced(text: str) -> bool:
    """Whether windows of this text are made of characters; its beginning decides.

    >>> unspaced("日本国民は、正当に選挙された国会における代表者を通じて行動し"), unspaced("대한민국은 민주공화국이다")
    (True, False)
    """
    kinds = kinds_of(text[:BEGINNING])
    return bool(np.count_nonzero(kinds == CHARACTER) > ENOUGH * np.count_nonzero(kinds))


def sketch(tokens: Hashes, *, width: int) -> NDArray[np.uint32]:
    """The sketch (HASHES,) of a text's tokens (T,); all EMPTY where there are fewer than `width`."""
    drawn = windows(tokens, width)
    if not len(drawn):
        return np.full(HASHES, EMPTY)
    rounds = min(1 << ROUND_BITS, -(-FULL * HASHES // len(drawn)))
    turns = np.arange(rounds, dtype=np.uint64)[:, None]
    hashes = mixed(drawn ^ (turns * SPREAD))
    places = hashes >> np.uint64(64 - PLACES_BITS)
    values = (hashes & np.uint64((1 << VALUE_BITS) - 1)) | (turns << np.uint64(VALUE_BITS))
    ordered = np.sort((places << np.uint64(64 - PLACES_BITS) | values).ravel())
    first = np.searchsorted(ordered, np.arange(HASHES, dtype=np.uint64) << np.uint64(64 - PLACES_BITS))
    found = ordered[np.minimum(first, len(ordered) - 1)]
    filled = (found >> np.uint64(64 - PLACES_BITS)) == np.arange(HASHES, dtype=np.uint64)
    return np.where(filled, found.astype(np.uint32), drawn[0].astype(np.uint32))


def jaccard(similarity: float, *, width: int) -> float:
    """The Jaccard similarity of windows that two texts of equal length keep when this share of their tokens is equal.

    A window stays if all its tokens do.

    >>> round(jaccard(0.85, width=2), 3), round(jaccard(0.85, width=4), 3)
    (0.566, 0.353)
    """
    kept = similarity**width
    return kept / (2 - kept)


def similarity(agreement: float, *, width: int) -> float:
    """The share of equal tokens that a Jaccard similarity of windows speaks for: the inverse of `jaccard`.

    >>> round(similarity(jaccard(0.85, width=2), width=2), 3)
    0.85
    """
    return float((2 * agreement / (1 + agreement)) ** (1 / width))


def found(similarity: float, *, unspaced: bool) -> float:
    """The probability that two texts with this share of equal tokens have at least one band in common.

    >>> round(found(0.85, unspaced=False), 4), round(found(0.85, unspaced=True), 4)
    (0.9998, 0.9998)
    """
    rows = ROWS[unspaced]
    return 1 - (1 - jaccard(similarity, width=WIDTH[unspaced]) ** rows) ** (HASHES // rows)


def components(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Connected components: every member that occurs in a pair, with the smallest member of its component.

    >>> components([(4, 5), (1, 2), (5, 2), (8, 9)])
    {4: 1, 5: 1, 1: 1, 2: 1, 8: 8, 9: 8}
    """
    parent: dict[int, int] = {}

    def root(member: int) -> int:
        while parent.setdefault(member, member) != member:
            parent[member] = parent[parent[member]]
            member = parent[member]
        return member

    for one, other in pairs:
        first, second = root(one), root(other)
        parent[max(first, second)] = min(first, second)
    return {member: root(member) for member in parent}
