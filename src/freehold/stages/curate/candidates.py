"""Pairs worth a closer look: documents whose sketches agree in a whole band. Linear in the number of documents.

Positions stand for documents, the preferred ones first; sketches lie in a file and are read a few thousand at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from freehold.text.signatures import EMPTY, HASHES, ROWS, WIDTH, jaccard
from freehold.text.tokens import mixed

Pairs = NDArray[np.int64]  # (P, 2) positions, the smaller first

COMPARED_AT_ONCE: Final = 1 << 16  # pairs; 64 MB of sketches
BANDS_AT_ONCE: Final = 8  # whose pairs are made unique before they are compared
PAIRS_WITHIN: Final = 48  # members of a bucket compared all with all
NEIGHBOURS: Final = 3  # in a larger bucket each meets so many with the next hash alike, and the first
DEVIATIONS: Final = 2.5  # by which an estimate may fall below what is looked for and still be looked at


def candidates(
    sketches: NDArray[np.uint32],
    *,
    places: NDArray[np.int64],
    tokens: NDArray[np.int64],
    similarity: float,
    unspaced: bool,
) -> tuple[Pairs, NDArray[np.float64]]:
    """Pairs (P, 2) among `places` that may be as alike as `similarity`, ascending, with their agreement (P,).

    `sketches` (N, HASHES) and `tokens` (N,) belong to all positions; `unspaced` says of which kind these texts are.
    """
    places = places[[bool((sketches[place] != EMPTY).any()) for place in places.tolist()]]
    wanted = jaccard(similarity, width=WIDTH[unspaced])
    survivors = [np.empty((0, 2), dtype=np.int64)]
    agreed = [np.empty(0)]
    for pairs in banded(sketches, places, rows=ROWS[unspaced]):
        agreement = agreements(sketches, pairs)
        shorter = np.minimum(tokens[pairs[:, 0]], tokens[pairs[:, 1]])
        deviation = np.sqrt(wanted * (1 - wanted) / np.clip(shorter, 1, HASHES))
        near = agreement >= np.maximum(wanted - DEVIATIONS * deviation, wanted / 3)
        survivors.append(pairs[near])
        agreed.append(agreement[near])
    pairs, first = np.unique(np.concatenate(survivors), axis=0, return_index=True)
    return pairs, np.concatenate(agreed)[first]


def banded(sketches: NDArray[np.uint32], places: NDArray[np.int64], *, rows: int) -> Iterator[Pairs]:
    """Pairs that share a band, a few bands at a time, each pair once in that time."""
    bands = HASHES // rows
    for begun in range(0, bands, BANDS_AT_ONCE):
        found = []
        for band in range(begun, min(bands, begun + BANDS_AT_ONCE)):
            keys = np.zeros(len(places), dtype=np.uint64)
            for row in range(band * rows, (band + 1) * rows):
                keys = mixed(keys + sketches[places, row])
            found.append(bucket_pairs(keys, sketches[places, (band + 1) * rows % HASHES], places))
        yield np.unique(np.concatenate(found), axis=0)


def bucket_pairs(keys: NDArray[np.uint64], next_hash: NDArray[np.uint32], places: NDArray[np.int64]) -> Pairs:
    """Pairs of equal key, all of a small bucket; in a large one each with neighbours by the next hash and the first.

    >>> bucket_pairs(np.array([5, 9, 5], np.uint64), np.zeros(3, np.uint32), np.array([7, 8, 3])).tolist()
    [[3, 7]]
    """
    order = np.lexsort((places, next_hash, keys))
    keys, places = keys[order], places[order]
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))) if len(keys) else np.empty(0, np.int64)
    sizes = np.diff(starts, append=len(keys))
    size = np.repeat(sizes, sizes)
    found = [np.empty((0, 2), dtype=np.int64)]
    for step in range(1, min(PAIRS_WITHIN, len(keys))):
        together = keys[step:] == keys[:-step]
        if step > NEIGHBOURS:
            together &= size[step:] <= PAIRS_WITHIN
        if not together.any():
            break
        found.append(np.column_stack((places[:-step][together], places[step:][together])))
    if len(keys) and (large := size > PAIRS_WITHIN).any():
        best = np.repeat(np.minimum.reduceat(places, starts), sizes)[large]
        found.append(np.column_stack((best, places[large]))[best != places[large]])
    return np.sort(np.concatenate(found), axis=1)


def agreements(sketches: NDArray[np.uint32], pairs: Pairs) -> NDArray[np.float64]:
    """The estimated Jaccard similarity (P,) of each pair of positions."""
    parts = [
        (sketches[chunk[:, 0]] == sketches[chunk[:, 1]]).mean(axis=1)
        for chunk in (pairs[first : first + COMPARED_AT_ONCE] for first in range(0, len(pairs), COMPARED_AT_ONCE))
    ]
    return np.concatenate(parts) if parts else np.empty(0)
