"""Long paragraphs as hashes, to count those that recur across documents, and to cut them.

A paragraph is a line of at least 25 words, or 60 characters where a script puts no spaces between words: shorter ones
recur by nature (headings, formulas of promulgation, "in the version of …").
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Final

from freehold.text.scripts import UNSPACED_CHARACTER

WORDS: Final = 25
CHARACTERS: Final = 60


def paragraphs(text: str, *, unspaced: bool) -> list[int]:
    """The 64-bit hash of every different long paragraph, in order.

    >>> line = "word " * 30
    >>> len(paragraphs(f"{line}\\nshort\\n  {line}", unspaced=False))
    1
    """
    found = (paragraph_hash(line, unspaced=unspaced) for line in text.split("\n"))
    return list(dict.fromkeys(each for each in found if each is not None))


def paragraph_hash(line: str, *, unspaced: bool) -> int | None:
    """BLAKE2b of a line without regard to white space; None for a line that is too short."""
    if len(line) < CHARACTERS:
        return None
    words = line.split()
    if len(words) < WORDS and not (unspaced and len(UNSPACED_CHARACTER.findall(line)) >= CHARACTERS):
        return None
    return int.from_bytes(hashlib.blake2b(" ".join(words).encode(), digest_size=8).digest(), "little")


def without(text: str, cut: Collection[int], *, unspaced: bool) -> str:
    """The text without the long paragraphs of these hashes.

    >>> line = "word " * 30
    >>> without(f"Act\\n{line}\\nend", paragraphs(line, unspaced=False), unspaced=False)
    'Act\\nend'
    """
    return "\n".join(line for line in text.split("\n") if paragraph_hash(line, unspaced=unspaced) not in cut)
