"""Documents cut into passages that can be read and cited alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from freehold.text.scripts import writes_spaces

SPACED_CHARACTERS = 1000  # at most; about 150 words
UNSPACED_CHARACTERS = 500  # Han, Kana and Thai say about twice as much with a character
PARAGRAPH = re.compile(r"\n\s*\n|\n")
SENTENCE = re.compile(r"(?<=[.!?;])\s+|(?<=[。！？；])")


def passages(text: str) -> Iterator[tuple[int, str]]:
    """(first character, passage) for every passage: whole paragraphs up to the limit, a longer one cut at sentences.

    >>> list(passages("  § 1\\n\\nEins.\\n"))
    [(2, '§ 1\\n\\nEins.')]
    """
    limit = SPACED_CHARACTERS if writes_spaces(text[:4000]) else UNSPACED_CHARACTERS
    begin = end = 0  # of the passage being filled
    for start, stop in parts(text, limit=limit):
        if end > begin and stop - begin > limit:
            yield begin, text[begin:end]
            begin = end
        if end == begin:
            begin = start
        end = stop
    if end > begin:
        yield begin, text[begin:end]


def parts(text: str, *, limit: int) -> Iterator[tuple[int, int]]:
    """Ranges of paragraphs, or of their sentences, or of their words, none longer than `limit`."""
    for start, stop in cut(text, 0, len(text), PARAGRAPH):
        if stop - start <= limit:
            yield start, stop
            continue
        for first, last in cut(text, start, stop, SENTENCE):
            yield from hard(text, first, last, limit=limit)


def cut(text: str, start: int, stop: int, separator: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """The ranges between separators that hold more than blanks, without blanks at their ends."""
    begin = start
    for match in separator.finditer(text, start, stop):
        yield from trimmed(text, begin, match.start())
        begin = match.end()
    yield from trimmed(text, begin, stop)


def trimmed(text: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """The range without the blanks around it, if anything is left."""
    whole = text[start:stop]
    if kept := whole.strip():
        first = start + len(whole) - len(whole.lstrip())
        yield first, first + len(kept)


def hard(text: str, start: int, stop: int, *, limit: int) -> Iterator[tuple[int, int]]:
    """A range without sentence ends: cut at the last blank before the limit, or at the limit."""
    while stop - start > limit:
        blank = text.rfind(" ", start + limit // 2, start + limit)
        edge = blank if blank > 0 else start + limit
        yield from trimmed(text, start, edge)
        start = edge
    yield from trimmed(text, start, stop)
