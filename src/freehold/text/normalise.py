"""One spelling for one text: NFC, no invisible characters, plain spaces and line ends.

What is taken out carries no meaning for a reader: soft hyphens, control and zero-width characters, byte order marks,
direction overrides, private-use characters, lone surrogates and noncharacters. Joiners stay where a script needs them
(Unicode Standard, 23.2), the ideographic space stays because Japanese paragraphs begin with it.
"""

from __future__ import annotations

import re
import unicodedata

LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f]")
INVISIBLE = re.compile(
    "["
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # control characters without tab and line ends
    "\u00ad"  # soft hyphen
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"  # zero width, direction marks, byte order mark
    "\ufff9-\ufffc"  # interlinear annotation, object replacement
    "\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufffe\uffff"  # surrogates, private use, noncharacters
    "\U000e0000-\U000e007f\U000f0000-\U0010ffff"  # tags, private use planes
    + "".join(chr(plane * 0x10000 + last) for plane in range(1, 15) for last in (0xFFFE, 0xFFFF))  # noncharacters
    + "]"
)
# Zero-width joiners shape Arabic, Indic, Khmer and Mongolian letters and emoji; anywhere else they are dirt.
LOOSE_JOINERS = re.compile(
    "(?<![\u0590-\u109f\u1780-\u18af\u1a00-\u1cff\u2190-\u2bff\ufb50-\ufdff\ufe0f\ufe70-\ufefe\U0001f000-\U0001faff])"
    "[\u200c\u200d]"
)
BLANK_LINES = re.compile(r"\n{3,}")


def normalise(text: str) -> str:
    r"""The text as it is kept: the same for texts that a reader cannot tell apart, and a fixed point of itself.

    >>> normalise("Grund\u00adgesetz\r\n\u200b fu\u0308r die\u00a0Bundesrepublik \n\n\n\n§ 1\ufeff")
    'Grundgesetz\n für die Bundesrepublik\n\n§ 1'
    """
    letters = "".join(set(text))  # one pass tells which of the rules below can have anything to do
    if LINE_ENDS.search(letters):
        text = LINE_ENDS.sub("\n", text)
    if SPACES.search(letters):
        text = SPACES.sub(" ", text)
    if INVISIBLE.search(letters):
        text = INVISIBLE.sub("", text)
    text = unicodedata.normalize("NFC", text)
    if "\u200c" in letters or "\u200d" in letters:
        # A joiner may have stood between a letter and its accent, hence NFC once more.
        text = unicodedata.normalize("NFC", LOOSE_JOINERS.sub("", text))
    text = "\n".join([line.rstrip(" \t") for line in text.split("\n")])
    if "\n\n\n" in text:
        text = BLANK_LINES.sub("\n\n", text)
    return text.strip(" \t\n")
