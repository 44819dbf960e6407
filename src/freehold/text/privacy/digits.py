"""The one scan that most kinds share: stretches of a text that are dense with digits, cut into groups of digits.

A plain character class repeated is the cheapest thing that the engine of `re` can look for, and it cannot backtrack:
law text has some 600 such stretches in a megabyte, and everything dearer looks only there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

DIGITS: Final = "0-9０-９٠-٩۰-۹"  # ASCII, full width, Arabic-Indic, Persian
SEPARATORS: Final = r" \t\n./()（）‐–－|+＋-"
DENSE: Final = re.compile(rf"[{DIGITS}][{DIGITS}{SEPARATORS}]{{5,}}")
GROUP: Final = re.compile(rf"[{DIGITS}]+")
# What may stand between two groups of one number. A line may break there.
BETWEEN: Final = re.compile(r"(?: ?[-–‐－./] ?|[ \t]|) ?\n?\Z")
PLAIN: Final = {ord(digit): str(place % 10) for place, digit in enumerate("０１２３４５６７８９٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹")}
MOST: Final = 7  # groups of one number
USUAL: Final = 8  # groups of a run that is worth remembering


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Neighbouring groups of digits that are as long as those of some kind, and where they stand."""

    sizes: tuple[int, ...]
    start: int
    end: int


def stretches(text: str) -> list[tuple[int, int]]:
    """Where digits stand close together, as character ranges."""
    return [found.span() for found in DENSE.finditer(text)]


def windows(text: str, places: list[tuple[int, int]], *, forms: frozenset[tuple[int, ...]]) -> Iterator[Window]:
    """Neighbouring groups within the stretches whose sizes are one of the forms, the longest first from each group."""
    for run in runs(text, places):
        sizes = tuple([end - start for start, end in run])
        for first, last in (remembered if len(sizes) <= USUAL else formed)(sizes, forms):
            yield Window(sizes=sizes[first:last], start=run[first][0], end=run[last - 1][1])


def runs(text: str, places: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """The groups of each stretch, parted where nothing that holds one number together stands between two."""
    for start, end in places:
        groups: list[tuple[int, int]] = []
        for found in GROUP.finditer(text, start, end):
            if groups and not BETWEEN.match(text, groups[-1][1], found.start()):
                yield groups
                groups = []
            groups.append(found.span())
        yield groups


def formed(sizes: tuple[int, ...], forms: frozenset[tuple[int, ...]]) -> list[tuple[int, int]]:
    """Which groups in a row have the sizes of a form, as half-open ranges of their numbers."""
    return [
        (first, last)
        for first in range(len(sizes))
        for last in range(min(first + MOST, len(sizes)), first, -1)
        if sizes[first:last] in forms
    ]


remembered = lru_cache(maxsize=1 << 14)(formed)  # the same few dates and citations make up most of a law's numbers


def plain(text: str) -> str:
    """The digits alone, as ASCII.

    >>> plain("０３-12")
    '0312'
    """
    return "".join(GROUP.findall(text)).translate(PLAIN)
