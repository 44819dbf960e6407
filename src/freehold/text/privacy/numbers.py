"""National ids in a text: groups of digits of the right sizes, or shapes with letters, that pass their country's check.

Of several ids that a number could be, the one whose word stands near is taken, else that of the text's language.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cache
from typing import Final

from freehold import plugins
from freehold.text.privacy import context
from freehold.text.privacy.digits import Window, plain
from freehold.text.privacy.national import ANY, TABLE, NationalId

INDEX: Final[dict[tuple[int, ...], tuple[NationalId, ...]]] = {
    sizes: tuple(each for each in TABLE if sizes in each.groups)
    for sizes in sorted({sizes for each in TABLE for sizes in each.groups})
}
EDGE: Final = r"(?<![0-9A-Za-z])(?:{})(?![0-9A-Za-z])"
SHAPES: Final = tuple((each, re.compile(EDGE.format(each.shape), re.IGNORECASE)) for each in TABLE if each.shape)
# Stretches of digits that could be the inside of an id with letters: six in a row, or the ways to group fewer.
INSIDE: Final = re.compile(
    r"[0-9](?:[0-9]{5}|[0-9] [0-9]{2} [0-9]{2}|\.[0-9]{3}\.[0-9]{3}| [0-9]{2} [0-9]{2} 2|[0-9]{2} [0-9]{3} [0-9]{2})"
)
# Two ids have no six digits: the year, month and day of an Italian one, the four digits of an Indian one.
SCATTERED: Final = re.compile(r"[0-9](?:[0-9] ?[A-Za-z] ?[0-9]{2} ?[A-Za-z][0-9]{3}|[0-9]{3}[A-Z](?<=[A-Z]{5}.{5}))")
# Where a digit of an Italian id is replaced by a letter to tell two people apart, nothing but the whole shape helps.
ITALIAN: Final = re.compile(r"[A-Z]{3} ?[A-Z]{3} ?[0-9LMNP-V]{2} ?[A-Z] ?[0-9LMNP-V]{2} ?[A-Z][0-9LMNP-V]{3}[A-Z]")
REACH: Final = 20  # characters of letters around the digits of an id


def with_digits(text: str, windows: Collection[Window], *, language: str) -> Iterator[tuple[int, int, str]]:
    """Ids of digits alone as (start, end, country)."""
    for window in windows:
        start, end = window.start, window.end
        if (rows := INDEX.get(window.sizes)) and apart(text, start, end) and whole(text, window):
            country = settled(rows, text, start, end, language=language)
            if country:
                yield start, end, country


def with_letters(text: str, stretches: Collection[tuple[int, int]], *, language: str) -> Iterator[tuple[int, int, str]]:
    """Ids with letters as (start, end, country)."""
    near = [place for place in stretches if INSIDE.search(text, *place) and lettered(text, *place)]
    near += [found.span() for found in SCATTERED.finditer(text)]
    if language == "ita" or "odice fiscale" in text:
        near += [found.span() for found in ITALIAN.finditer(text)]
    for begin, finish in near:
        low, high = max(0, begin - REACH), min(len(text), finish + REACH)
        for row, shape in SHAPES:
            for found in shape.finditer(text, low, high):
                country = settled((row,), text, *found.span(), language=language)
                if country:
                    yield *found.span(), country


def lettered(text: str, start: int, end: int) -> bool:
    """Whether an ASCII letter stands at a stretch of digits or one character away from it."""
    around = text[max(0, start - 2) : start] + text[end : end + 2]
    return any(letter.isascii() and letter.isalpha() for letter in around)


def apart(text: str, start: int, end: int) -> bool:
    """Whether a number ends where it ends: it is no part of a word, a decimal or a longer reference."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    if before and (alphanumeric(before[-1]) or (before[-1] in "-–./,:" and before[0].isdigit() and len(before) > 1)):
        return False
    return not after or not (alphanumeric(after[0]) or (after[0] in "-–./,:" and after[1:].isdigit()))


def whole(text: str, window: Window) -> bool:
    """Whether groups set apart by blanks are all there are: three of a longer row are some amount's."""
    if len(window.sizes) == 1 or " " not in text[window.start : window.end]:
        return True
    before, after = text[max(0, window.start - 2) : window.start], text[window.end : window.end + 2]
    return not (before[-1:] == " " and before[0].isdigit()) and not (after[:1] == " " and after[1:].isdigit())


def alphanumeric(letter: str) -> bool:
    """Whether a character would make a number part of a word; Korean and Japanese write none between."""
    return letter.isdigit() or (letter.isascii() and letter.isalpha()) or letter == "_"


def settled(rows: tuple[NationalId, ...], text: str, start: int, end: int, *, language: str) -> str | None:
    """The country whose id stands there: announced by its own word, at home in the language, or by a general word."""
    around = context.near(text, start, end)
    nearest = sorted(rows, key=lambda row: language not in row.languages)  # two countries may share a word
    likely = [row for row in nearest if alone(row, language)]
    if context.named(around, words_of(rows)):
        own = [row for row in nearest if context.named(around, row.words)]
        general = [row for row in nearest if row.check] if context.named(around, ANY) else []
        likely = [*own, *likely, *([] if own else general)]  # a wrong number beside its own word is no other country's
    return next((row.country for row in likely if checks(row, text[start:end])), None)


def alone(row: NationalId, language: str) -> bool:
    """Whether an id is taken without a word in a text of this language."""
    return row.alone == "sure" or (row.alone == "home" and language in row.languages)


@cache
def words_of(rows: tuple[NationalId, ...]) -> str:
    """The words that announce any of these ids, and the general ones."""
    return "|".join([*(row.words for row in rows), ANY])


def checks(row: NationalId, written: str) -> bool:
    """Whether the country's own check passes; the shape alone where there is none."""
    if not row.check:
        return True
    value = written if row.shape or row.marked else plain(written)
    return bool(plugins.need(f"stdnum.{row.check}").is_valid(value.upper()))
