"""The reference to beat: an interpolated Witten-Bell 5-gram over bytes.

The next byte w is predicted from the four before it, h = b4 b3 b2 b1. With c(h, w) how often w followed h in the
training text, c(h) its sum over w, and T(h) how many different bytes followed h,

    P5(w | b4 b3 b2 b1) = (c(h, w) + T(h) P4(w | b3 b2 b1)) / (c(h) + T(h)),

likewise P4 from b3 b2 b1, P3 from b2 b1, P2 from b1 and P1 from nothing, and P0(w) = 1/256. A context that never
occurred leaves the shorter one's estimate as it is (Witten and Bell 1991; Chen and Goodman 1998, section 2.6).

Text arrives as symbols: bytes 0-255, `BEGIN` before the first byte of a document and `GAP` where a piece of text
begins inside a document, four of them each, so that every byte has four symbols before it. `GAP` never occurs in the
text that is judged, so contexts that would reach over a gap count only where they are short enough not to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Symbols = NDArray[np.int16]
Keys = NDArray[np.int64]

ORDER = 5
BEGIN, GAP = 256, 257
SYMBOL_BITS = 9  # a context symbol: byte, BEGIN or GAP
BYTE_BITS = 8  # the predicted byte
PAD = ORDER - 1  # symbols of context


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What one order saw: sorted keys, so that looking up is a bisection."""

    pairs: Keys  # context and next byte, in one integer
    pair_counts: NDArray[np.int64]
    contexts: Keys
    totals: NDArray[np.int64]  # c(h)
    kinds: NDArray[np.int64]  # T(h)


@dataclass(frozen=True, slots=True, kw_only=True)
class WittenBell:
    """The counts of orders 1 to 5, the shortest first."""

    orders: tuple[Counts, ...]
    bytes_seen: int

    @classmethod
    def trained_on(cls, symbols: Symbols) -> WittenBell:
        """Count every byte of `symbols` after its 0 to 4 predecessors."""
        contexts, following = events(symbols)
        orders = tuple(count(contexts, following, order) for order in range(1, ORDER + 1))
        return cls(orders=orders, bytes_seen=len(following))

    def bits(self, symbols: Symbols) -> float:
        """Total code length of the bytes in `symbols`, in bits: the sum of -log2 P5."""
        contexts, following = events(symbols)
        return float(-np.log2(self.probabilities(contexts, following)).sum())

    def probabilities(self, contexts: Keys, following: Keys) -> NDArray[np.float64]:
        """P5 of each byte after its context, as `events` gives them."""
        estimate = np.full(len(following), 1 / 256)
        for order, seen in enumerate(self.orders, start=1):
            shorter = cut(contexts, order)
            place, known = found(seen.contexts, shorter)
            total, kinds = seen.totals[place], seen.kinds[place]
            place, paired = found(seen.pairs, shorter << BYTE_BITS | following)
            joint = np.where(paired, seen.pair_counts[place], 0)
            estimate = np.where(known, (joint + kinds * estimate) / (total + kinds), estimate)
        return estimate


def events(symbols: Symbols) -> tuple[Keys, Keys]:
    """Return for every byte in `symbols` its context (four symbols in one integer, the nearest lowest) and itself."""
    if len(symbols) <= PAD:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    wide = symbols.astype(np.int64)
    contexts = np.zeros(len(wide) - PAD, np.int64)
    for distance in range(PAD, 0, -1):
        contexts = contexts << SYMBOL_BITS | wide[PAD - distance : len(wide) - distance]
    following = wide[PAD:]
    is_byte = following < BEGIN
    return contexts[is_byte], following[is_byte]


def cut(contexts: Keys, order: int) -> Keys:
    """Keep the nearest `order` - 1 symbols of each context."""
    return contexts & ((1 << (order - 1) * SYMBOL_BITS) - 1)


def count(contexts: Keys, following: Keys, order: int) -> Counts:
    """Count pairs and contexts of one order."""
    pairs, pair_counts = np.unique(cut(contexts, order) << BYTE_BITS | following, return_counts=True)
    owners = pairs >> BYTE_BITS
    begins = np.flatnonzero(np.diff(owners, prepend=-1))  # pairs are sorted, so a context's pairs stand together
    totals = np.add.reduceat(pair_counts, begins) if len(begins) else pair_counts
    kinds = np.diff(begins, append=len(pairs))
    return Counts(pairs=pairs, pair_counts=pair_counts, contexts=owners[begins], totals=totals, kinds=kinds)


def found(known: Keys, wanted: Keys) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return where each wanted key stands in the sorted known ones (any place if absent), and whether it does."""
    if not len(known):
        raise ValueError("no text to count")
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return place, known[place] == wanted


def document(text: bytes) -> Symbols:
    """Return the symbols of one whole document."""
    return np.concatenate((np.full(PAD, BEGIN, np.int16), np.frombuffer(text, np.uint8).astype(np.int16)))
