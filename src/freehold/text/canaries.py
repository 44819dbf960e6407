"""Canaries: random letters planted in the training text, so that what a model keeps by heart can be measured.

Carlini et al., The Secret Sharer (arXiv:1802.08232), section 4. Each is drawn from the charter's published seed, so
anyone can draw it again; nobody wrote it, so it harms nobody. The same draw gives sequences that were never planted,
the measure that planted ones are held against.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

SOURCE: Final = "canaries"  # the source that they are in the evidence; no source of a charter may be called so
LICENCE: Final = "CC0-1.0"
ORIGIN: Final = "synthetic: random letters drawn from the seed, planted to measure memorisation"
TIMES: Final = (1, 4, 16)  # documents that hold the same canary
WORDS: Final = 16
LETTERS: Final = 4  # of a word
ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz"
BITS: Final = WORDS * LETTERS * math.log2(len(ALPHABET))  # of chance in one: what it could give away at most
FAIR: Final = 256 - 256 % len(ALPHABET)  # bytes below this give every letter the same chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """One sequence, and in how many documents of which language it stands."""

    language: str  # ISO 639-3
    times: int
    number: int  # among those of its language and times, from 0
    text: str

    @property
    def id(self) -> str:
        """The beginning of its documents' ids."""
        return f"{SOURCE}/{self.language}/{self.times}/{self.number}"

    @property
    def documents(self) -> list[str]:
        """The ids of the documents that hold it and nothing else."""
        return [f"{self.id}/{copy}" for copy in range(self.times)]


def planted(languages: Iterable[str], *, seed: int, count: int) -> list[Canary]:
    """`count` canaries for each of `languages` and each of TIMES."""
    return [
        Canary(language=code, times=times, number=number, text=drawn(seed, "planted", code, times, number))
        for code in sorted(languages)
        for times in TIMES
        for number in range(count)
    ]


def never_planted(count: int, *, seed: int) -> list[str]:
    """Sequences of the same kind that stand in no document."""
    return [drawn(seed, "never planted", number) for number in range(count)]


def drawn(*parts: object) -> str:
    """The sequence that the parts name: letters from SHAKE-256, every one as likely as the others.

    >>> drawn(7, "planted", "deu", 1, 0)
    'rvxd pqto hqnb dnhr xkjl bsxm dxul ulew zvas nmuq dvbs vyxh lhlr owui isdu ybmv'
    """
    named = "\x1f".join(("freehold canary", *map(str, parts))).encode()
    data = hashlib.shake_256(named).digest(4 * WORDS * LETTERS)
    letters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in data if byte < FAIR)[: WORDS * LETTERS]
    return " ".join(letters[start : start + LETTERS] for start in range(0, len(letters), LETTERS))
