"""What rules ask of a text, each fact worked out once, when a rule first asks for it."""

from __future__ import annotations

import unicodedata
from functools import cache, cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from freehold.text.scripts import writes_spaces

SPACED_SAMPLE: Final = 4_000  # characters that tell whether a script sets words apart
SPACES: Final = " \n\t\u3000"


class Facts:
    """The facts of one text. `language` is what it is declared or taken to be, ISO 639-3, or None."""

    def __init__(self, text: str, *, language: str | None = None) -> None:
        self.text, self.language = text, language

    @cached_property
    def points(self) -> NDArray[np.uint32]:
        """Its code points (T,)."""
        return np.frombuffer(self.text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)

    @cached_property
    def lines(self) -> list[str]:
        """Its lines that are not blank, without the spaces around them."""
        return [line for line in map(str.strip, self.text.split("\n")) if line]

    @cached_property
    def words(self) -> list[str]:
        """What spaces set apart; nothing in scripts that set no words apart."""
        return self.text.split() if self.spaced else []

    @cached_property
    def spaced(self) -> bool:
        """Whether its script sets words apart by spaces; not so Chinese, Japanese, Thai, Khmer, Lao, Myanmar."""
        return writes_spaces(self.text[:SPACED_SAMPLE])

    @cached_property
    def letters(self) -> NDArray[np.bool_]:
        """Which of its characters (T,) are letters or marks."""
        return letter_table().take(self.points)

    @cached_property
    def written(self) -> int:
        """Characters that are not space."""
        return len(self.text) - sum(self.text.count(space) for space in SPACES)


@cache
def letter_table() -> NDArray[np.bool_]:
    """For every code point (0x110000,) whether it is a letter or a mark; marks are half of Thai and Indic writing."""
    return np.array([unicodedata.category(chr(point))[0] in "LM" for point in range(0x110000)])
