"""Characters that no reader sees or that are spelled in two ways: line ends, spaces, invisible ones, NFC.

The classes are those of `normalise`, one rule for each, so that the log says what was taken out. Joiners stay where a
script needs them (Unicode Standard 16, 23.2): Persian, Indic scripts, Khmer, Mongolian, emoji.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from freehold.text.normalise import INVISIBLE, LINE_ENDS, LOOSE_JOINERS, SPACES
from freehold.text.repair.edits import Change, Edit, apply, substitute

PRIVATE: Final = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]+")
ZERO_WIDTH: Final = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]+")
EXCHANGES: Final[tuple[tuple[str, re.Pattern[str], str], ...]] = (
    ("line-end", LINE_ENDS, "\n"),
    ("space", SPACES, " "),
    ("soft-hyphen", re.compile("\u00ad+"), ""),
    ("private-use", PRIVATE, ""),
    ("zero-width", ZERO_WIDTH, ""),
    ("control", INVISIBLE, ""),  # what is left of them: control characters, noncharacters, tags
)
JOINERS: Final = frozenset("\u200c\u200d")
WORD: Final = re.compile(r"\S+")


def exchange(text: str) -> Change:
    r"""Line ends and spaces in one spelling, invisible characters gone.

    >>> exchange("می\u200cخواهم Auf\u200clage\u200b")[0] == "می\u200cخواهم Auflage"
    True
    """
    edits: list[Edit] = []
    if text.isascii() and text.isprintable():
        return text, edits
    letters = "".join(set(text))  # one pass tells which of the rules can have anything to do
    for rule, pattern, inserted in EXCHANGES:
        if pattern.search(letters):
            text, made = substitute(text, rule, pattern, inserted)
            edits += made
    if not JOINERS.isdisjoint(letters):
        text, made = substitute(text, "joiner", LOOSE_JOINERS, "")
        edits += made
    return text, edits


def compose(text: str) -> Change:
    r"""NFC (UAX #15), word by word: nothing composes across white space.

    >>> compose("fu\u0308r")[0] == "für"
    True
    """
    if unicodedata.is_normalized("NFC", text):
        return text, []
    spans = []
    for found in WORD.finditer(text):
        word = found[0]
        if not word.isascii() and (composed := unicodedata.normalize("NFC", word)) != word:
            spans.append((found.start(), found.end(), composed))
    return apply(text, "nfc", spans)
