"""Versions of one law: the same title or address, another date, and most of the text the same."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from freehold.stages.curate.preference import day

ALIKE: Final = 0.7  # share of equal tokens, as sketches estimate it, that a version keeps of the one after it
TITLE_WORDS: Final = 2  # a shorter title ("Decree") names no law
# A date or a version number where ids and addresses of laws carry one: …/2019-05-01, …@20190501, …;v3.
DATED: Final = re.compile(r"(?<!\d)(?:1[6-9]|20)\d\d([-_./]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?!\d)")
NUMBERED: Final = re.compile(r"[@~;/_-]v(?:ersion)?[-_.]?\d{1,4}(?!\w)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What tells a version: where a document stands, what it is called, and when it was in force."""

    place: int
    source: str
    language: str
    id: str
    title: str | None
    url: str | None
    date: str | None


def law_of(text: Text) -> str | None:
    """What all versions of a law have in common, or None if nothing says which law it is.

    An address or id that carries a date decides; else the title does.

    >>> law = Text(place=0, source="s", language="deu", id="x", title="Some Act", url="a.org/7@2019-05-01", date=None)
    >>> law_of(law)
    'a.org/7@'
    """
    for name in (text.url, text.id):
        if name and (stem := NUMBERED.sub("", DATED.sub("", name))) != name:
            return stem.casefold()
    words = (text.title or "").casefold().split()
    return " ".join(words) if len(words) >= TITLE_WORDS else None


def successions(texts: Iterable[Text]) -> Iterator[tuple[int, int]]:
    """Places (newer, older) that may be versions of one law: each with the next newer date and with the newest."""
    laws: dict[tuple[str, str, str], list[tuple[int, int]]] = defaultdict(list)
    for text in texts:
        law = law_of(text)
        if law is not None and day(text.date):
            laws[text.source, text.language, law].append((-day(text.date), text.place))
    for members in laws.values():
        if len({date for date, _ in members}) > 1:
            yield from succession(sorted(members))


def succession(members: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The pairs of one law's versions, (minus date, place) ascending; texts of one date are parts, not versions."""
    newest: dict[int, int] = {}
    for date, place in members:
        newest.setdefault(date, place)
    dates = list(newest)
    for date, place in members:
        position = dates.index(date)
        if position:
            yield from ((newest[other], place) for other in dict.fromkeys((dates[0], dates[position - 1])))
