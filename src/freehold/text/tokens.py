"""A text as a row of 64-bit hashes, one for each word, or for each character of a script that writes no spaces.

Everything that compares texts begins here: case, punctuation and white space are gone, what is left can be counted,
sorted and aligned without the text. All of it is arithmetic on whole arrays, some 30 nanoseconds a character.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from freehold.text.scripts import UNSPACED_CHARACTER

Hashes = NDArray[np.uint64]

SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio (Knuth, TAOCP 3, 6.4)
BASE: Final = 0xD6E8FEB86659FD93  # odd, so that no power of it loses bits
LONGEST: Final = 64  # characters of a word that count; what follows counts with the last one's weight
WORD, CHARACTER = np.uint8(1), np.uint8(2)


def tokens(text: str) -> Hashes:
    """The hashes (T,) of a text's tokens in order.

    >>> len(tokens("Die Würde des Menschen, § 1")), len(tokens("日本国民は、正当に"))
    (5, 8)
    """
    points = np.frombuffer(text.casefold().encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    kinds = kind_table().take(points)
    before = np.concatenate(([np.uint8(0)], kinds[:-1])) if len(kinds) else kinds
    begins = (kinds == CHARACTER) | ((kinds == WORD) & (before != WORD))
    inside = np.flatnonzero(kinds)
    starts = np.flatnonzero(begins[inside])
    if not len(starts):
        return np.empty(0, dtype=np.uint64)
    lengths = np.diff(starts, append=len(inside))
    offsets = np.arange(len(inside)) - np.repeat(starts, lengths)
    weighed = (points[inside].astype(np.uint64) + np.uint64(1)) * powers().take(offsets, mode="clip")
    return mixed(np.add.reduceat(weighed, starts))


def kinds_of(text: str) -> NDArray[np.uint8]:
    """What each character (T,) is: 0 stands between tokens, 1 belongs to a word, 2 is a token by itself."""
    return kind_table().take(np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32))


@cache
def kind_table() -> NDArray[np.uint8]:
    """The kind of every code point (0x110000,)."""
    kinds = np.zeros(0x110000, dtype=np.uint8)
    for point in range(0x110000):
        if unicodedata.category(chr(point))[0] in "LMN":
            kinds[point] = CHARACTER if UNSPACED_CHARACTER.match(chr(point)) else WORD
    return kinds


@cache
def powers() -> Hashes:
    """The weight (LONGEST,) of a character by its place in the word."""
    return np.array([pow(BASE, place + 1, 1 << 64) for place in range(LONGEST)], dtype=np.uint64)


def mixed(hashes: Hashes) -> Hashes:
    """The same hashes with every bit depending on all bits (the finaliser of MurmurHash3, Appleby)."""
    hashes = hashes ^ (hashes >> np.uint64(33))
    hashes *= np.uint64(0xFF51AFD7ED558CCD)
    hashes ^= hashes >> np.uint64(33)
    hashes *= np.uint64(0xC4CEB9FE1A85EC53)
    return hashes ^ (hashes >> np.uint64(33))


def windows(hashes: Hashes, width: int) -> Hashes:
    """One hash (T - width + 1,) for every run of `width` tokens; none of a shorter text.

    >>> len(windows(tokens("eins zwei drei vier"), 3)), len(windows(tokens("eins"), 3))
    (2, 0)
    """
    if len(hashes) < width:
        return np.empty(0, dtype=np.uint64)
    rolled, done = hashes, 1
    while done < width:  # a window of 2w is two windows of w, one shifted and scaled
        step = min(done, width - done)
        rolled = rolled[:-step] * np.uint64(pow(BASE, step, 1 << 64)) + rolled[step:]
        done += step
    return mixed(rolled)
