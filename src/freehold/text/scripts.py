"""Which characters belong to scripts that write no spaces between words."""

from __future__ import annotations

import re

# Unicode blocks, as the inside of a regular expression's character class.
UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u0f00-\u0fff"  # Tibetan
    "\u1000-\u109f"  # Myanmar
    "\u1780-\u17ff"  # Khmer
    "\u3005-\u3007\u3031-\u3035\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # Kana and iteration marks
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
HANGUL = "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"  # spaced, but a word carries its particles

UNSPACED_CHARACTER = re.compile(f"[{UNSPACED}]")
LETTER = re.compile(r"[^\W\d_]")
ENOUGH = 0.3  # of the letters; Japanese law has 0.97 of them, a German text that quotes it far fewer


def writes_spaces(text: str) -> bool:
    """Whether words in this text are set apart by spaces, judged by its letters.

    >>> writes_spaces("Alle Menschen sind frei."), writes_spaces("すべて国民は、法の下に平等")
    (True, False)
    """
    letters = len(LETTER.findall(text))
    return len(UNSPACED_CHARACTER.findall(text)) <= ENOUGH * letters
