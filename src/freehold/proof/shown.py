"""Text from strangers as people are shown it: it can neither steer a terminal nor look like something else."""

from __future__ import annotations

import unicodedata

LONGEST = 4000  # characters of one text


def plain(text: str) -> str:
    """Text without signs that hide or reorder others, at a bearable length.

    >>> plain("a\\u202eb\\n")
    'a[U+202E]b[U+000A]'
    """
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]} … ({len(text):,} characters)"
    return "".join(f"[U+{ord(sign):04X}]" if hidden(sign) else sign for sign in cut)


def hidden(sign: str) -> bool:
    """Whether a character is a control, a format, a surrogate or a private one."""
    return unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
