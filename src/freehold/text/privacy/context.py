"""Words near a number that tell what it is: laws are full of numbers, and a weak check needs a word beside it."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

BEFORE: Final = 48  # characters before a number in which its word may stand
AFTER: Final = 16  # characters behind it
SHORT: Final = 5  # letters; a shorter word must end where it ends
UNSPACED: Final = re.compile("[\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
LETTER: Final = re.compile(r"[^\W\d_]")  # a table of numbers has none, and is done with at once
PLACEHOLDER: Final = re.compile(r"<[A-Z][A-Z:-]*>")


@cache
def pattern(words: str) -> re.Pattern[str]:
    """Matches any of the words (separated by ``|``) at the start of a word; short ones only as whole words.

    It is for folded text: without a flag for case, the engine passes over a choice by its first letter.
    """
    spaced, unspaced = [], []
    for word in words.casefold().split("|"):
        written = re.escape(word).replace(r"\ ", r"[ \n-]?").replace(r"\.", r"\.?").replace(r"\-", r"[ -]?")
        if UNSPACED.match(word):
            unspaced.append(written)
        else:
            spaced.append(written + (r"(?![^\W_])" if len(word) <= SHORT else ""))
    return re.compile("|".join([rf"(?<![^\W_])(?:{'|'.join(spaced)})"] * bool(spaced) + unspaced))


def near(text: str, start: int, end: int) -> str:
    """What stands around a range, folded; a placeholder there is no word."""
    before, after = text[max(0, start - BEFORE) : start], text[end : end + AFTER]
    around = f"{before} \x00 {after}"
    return (PLACEHOLDER.sub(" ", around) if "<" in around else around).casefold()


def named(around: str, words: str) -> bool:
    """Whether one of the words stands in `around`.

    >>> named(near("Steuer-ID: 12 345 678 901", 11, 25), "Steuer-ID|IdNr")
    True
    """
    return LETTER.search(around) is not None and pattern(words).search(around) is not None
