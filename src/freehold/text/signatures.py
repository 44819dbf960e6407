"""What makes two texts the same: digests for exact copies, MinHash bands for near ones, and what follows from pairs.

MinHash (Broder 1997) estimates the Jaccard similarity of two sets of shingles by the share of equal hashes; bands of
a few hashes each (locality-sensitive hashing, Leskovec et al., Mining of Massive Datasets, 3.4) find candidates
without comparing all with all. A shingle is three words, or five characters where a script puts no spaces between
words: Japanese, Chinese, Thai, Lao, Khmer, Burmese.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise
from typing import Final

from freehold.text.scripts import writes_spaces

SHINGLE: Final = {False: 3, True: 5}  # words, or characters in scripts without spaces

BEGINNING: Final = 4_000  # characters
HASHES: Final = 128
FOUND: Final = 0.85  # the share of pairs at the threshold that the bands must find; above it they find nearly all
PAIRS_WITHIN: Final = 48  # members of a bucket compared all with all; in a larger one each with the next and the first


def digest(text: str) -> str:
    """SHA-256 (hex) of a text as it reads: the same for texts that differ in white space alone.

    >>> digest("§ 1\\n\\nDie Würde") == digest(" § 1 Die  Würde ")
    True
    """
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()


def unspaced(text: str) -> bool:
    """Whether shingles of this text are made of characters; its beginning decides.

    >>> unspaced("日本国民は、正当に選挙された国会における代表者を通じて行動し"), unspaced("대한민국은 민주공화국이다")
    (True, False)
    """
    return not writes_spaces(text[:BEGINNING])


def found(similarity: float, *, bands: int, rows: int) -> float:
    """The probability that a pair of this Jaccard similarity shares at least one band.

    >>> round(found(0.8, bands=32, rows=4), 4), round(found(0.1, bands=32, rows=4), 4)
    (1.0, 0.0032)
    """
    return float(1 - (1 - similarity**rows) ** bands)


def banding(threshold: float, *, hashes: int = HASHES) -> tuple[int, int]:
    """Bands and rows per band: the longest rows, hence the fewest false candidates, that still find the threshold.

    >>> banding(0.5), banding(0.8)
    ((32, 4), (14, 9))
    """
    for rows in range(hashes // 4, 1, -1):
        if found(threshold, bands=hashes // rows, rows=rows) >= FOUND:
            return hashes // rows, rows
    return hashes, 1


def bucket_pairs(members: Sequence[int]) -> list[tuple[int, int]]:
    """The pairs of one bucket that are worth comparing, smaller member first; linear in large buckets.

    >>> bucket_pairs([7, 3, 5])
    [(3, 5), (3, 7), (5, 7)]
    """
    ordered = sorted(set(members))
    if len(ordered) <= PAIRS_WITHIN:
        return list(combinations(ordered, 2))
    return sorted({*pairwise(ordered), *((ordered[0], other) for other in ordered[1:])})


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
