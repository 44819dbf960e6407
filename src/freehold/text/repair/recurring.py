"""Lines that recur across a source because its pages do: headers, footers, imprints; never sentences or headings.

A line is known by its key: folded case, single spaces, every number one zero, so that "page 3 of 9" and "page 4 of 9"
are the same line. What recurs is not enough, for enacting formulae and headings recur as well and are content: a line
must also carry the marks of an imprint (an address, a bar code, a page number behind a name).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from hashlib import blake2b
from typing import Final

from freehold.text.repair.edits import Change, Span, apply

SHORTEST: Final = 8  # characters
LONGEST: Final = 240
DIGITS: Final = re.compile(r"\d+")
# Marks of an imprint. Statutes rarely have one on a line of its own.
IMPRINT: Final = re.compile(
    r"https?://|\bwww\.|[\w.]@[\w-]+\.|\bISSN\b|\bISBN\b|©|\(c\) \d{4}|^\*\d{6,}\*$"
    r"|\b(?:tel|fax|phone|τηλ|тел)\b[.:]{0,2} ?[+(\d]"
    r"|\b(?:page|seite|pagina|página|pág|strona|strana|sida|sivu|lehekülg|oldal|σελίδα|сторінка)\.? \d"
    r"|\b(?:cve|boletín oficial|journal officiel|dziennik ustaw|monitorul oficial|bundesgesetzblatt)\b.*\d",
    re.IGNORECASE,
)


def key(line: str) -> str:
    """The name of a line, 16 hex digits; equal for lines that differ only in case, spaces and numbers.

    >>> key("Seite 3  von 9") == key("SEITE 12 von 9")
    True
    """
    folded = DIGITS.sub("0", " ".join(line.split()).casefold())
    return blake2b(folded.encode("utf-8", "ignore"), digest_size=8).hexdigest()


def imprint(line: str) -> bool:
    """Whether a line looks like a header or a footer.

    >>> imprint("www.gazette.example – page 3"), imprint("Der Bundestag hat das folgende Gesetz beschlossen:")
    (True, False)
    """
    line = line.strip()
    return SHORTEST <= len(line) <= LONGEST and IMPRINT.search(line) is not None


def imprints(text: str) -> dict[str, str]:
    """The distinct lines of a text that look like headers or footers, by key."""
    return {key(line): " ".join(line.split()) for line in set(text.split("\n")) if imprint(line)}


def leave_out(text: str, recurring: Collection[str]) -> Change:
    """The text without the lines whose keys are among `recurring`."""
    spans: list[Span] = []
    start = 0
    for line in text.split("\n"):
        if imprint(line) and key(line) in recurring:
            spans.append((start, min(len(text), start + len(line) + 1), ""))
        start += len(line) + 1
    return apply(text, "recurring-line", spans)


def recurs(documents: int, of: int, *, share: float, least: int) -> bool:
    """Whether a line in so many of the documents looked at is the source's, not the documents' own."""
    return documents >= max(least, share * of)
