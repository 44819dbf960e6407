"""Text that was once decoded in the wrong encoding, line by line, by ftfy (Speer 2019, doi:10.5281/zenodo.2591652)."""

from __future__ import annotations

import re
from typing import Final

from ftfy import fix_encoding

from freehold.text.repair.edits import Change, Span, apply

# The first byte of a UTF-8 sequence, read as Latin-1, Windows-1252 or Windows-1251, then a byte of its rest. No
# language writes these pairs inside words; ftfy decides whether a line that has one is broken.
LATIN: Final = "[\u00c2-\u00f4]"
REST: Final = (
    "[\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc"
    "\u2013-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122]"
)
CYRILLIC: Final = "[\u0420\u0421][\u0080-\u00bf\u0402\u0403\u0453\u2013-\u203a\u20ac\u2122\u0409-\u040f\u0459-\u045f]"
SUSPECT: Final = re.compile(f"{LATIN}{REST}|{CYRILLIC}")
LONGEST: Final = 20_000  # characters of a line that ftfy is asked about


def decode_again(text: str) -> Change:
    r"""Lines decoded anew where that makes sense of them.

    >>> decode_again("Grundgesetz f\u00c3\u00bcr")[0]
    'Grundgesetz für'
    """
    if text.isascii() or not SUSPECT.search(text):
        return text, []
    spans: list[Span] = []
    start = 0
    for line in text.split("\n"):
        if SUSPECT.search(line) and len(line) <= LONGEST and (mended := fix_encoding(line)) != line:
            spans.append(difference(line, mended, start))
        start += len(line) + 1
    return apply(text, "mojibake", spans)


def difference(line: str, mended: str, start: int) -> Span:
    """The stretch in which two versions of a line differ."""
    head = 0
    while head < min(len(line), len(mended)) and line[head] == mended[head]:
        head += 1
    tail = 0
    while tail < min(len(line), len(mended)) - head and line[-1 - tail] == mended[-1 - tail]:
        tail += 1
    return start + head, start + len(line) - tail, mended[head : len(mended) - tail]
