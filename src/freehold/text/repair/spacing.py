"""Spaces at line ends, more than one blank line, blank beginnings and ends."""

from __future__ import annotations

import re
from typing import Final

from freehold.text.repair.edits import Change, apply

TRAILING: Final = re.compile(r"[ \t]+(?=\n)")
BLANK: Final = re.compile(r"\n{3,}")
ENDS: Final = " \t\n"


def tidy(text: str) -> Change:
    r"""The text without spaces that no reader sees.

    >>> tidy("a \t\n\n\n\nb ")[0]
    'a\n\nb'
    """
    start = len(text) - len(text.lstrip(ENDS))
    stop = max(start, len(text.rstrip(ENDS)))
    spans = [(0, start, "")] if start else []
    if " \n" in text or "\t\n" in text:
        spans += [(found.start(), found.end(), "") for found in TRAILING.finditer(text, start, stop)]
    spans += [(stop, len(text), "")] if stop < len(text) else []
    text, edits = apply(text, "spacing", spans)
    if "\n\n\n" not in text:
        return text, edits
    text, made = apply(text, "blank-lines", ((found.start() + 2, found.end(), "") for found in BLANK.finditer(text)))
    return text, edits + made
