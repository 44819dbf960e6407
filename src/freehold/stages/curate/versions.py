"""Versions of one law: the same address, or the same title elsewhere, another date, and most of the text the same."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from freehold.stages.curate.preference import day

ALIKE: Final = 0.7  # share of equal tokens, as sketches estimate it, that a version keeps of the one after it
TITLE_WORDS: Final = 3  # a shorter title ("Decree") names no law
# A date or a version number where ids and addresses carry one: …/2019-05-01, …@20190501, …;v3. A date behind a dash or
# underscore tells orders of one title apart (coins_2019-08-07), one with slashes names an act (ELI): both stay.
DATED: Final = re.compile(r"(?<=[@/;=~])(?:1[6-9]|20)\d\d(-?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?!\d)")
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


def address(text: Text) -> str:
    """Where the law stands, without the date or version: the URL, or the id within its source.

    >>> law = Text(place=0, source="s", language="deu", id="x", title="Some Act", url="a.org/7@2019-05-01", date=None)
    >>> address(law)
    'a.org/7@'
    """
    return stem(text.url) if text.url else f"{text.source}\n{stem(text.id)}"


def stem(name: str) -> str:
    """A URL or id without a whole date or a version number; years alone tell laws apart and stay."""
    return NUMBERED.sub("", DATED.sub("", name)).casefold()


def successions(texts: Iterable[Text]) -> Iterator[tuple[int, int]]:
    """Places (newer, older) that may be versions of one law: each with the newest date and with the next newer.

    Within a source addresses alone decide: offices give one title to many orders. Across sources titles do.
    """
    addresses: dict[tuple[str, str], list[Text]] = defaultdict(list)
    titles: dict[tuple[str, str], dict[str, Text]] = defaultdict(dict)  # of each source its newest of that title
    for text in texts:
        if day(text.date):
            addresses[text.language, address(text)].append(text)
            words = (text.title or "").casefold().split()
            known = titles[text.language, " ".join(words)].get(text.source)
            if len(words) >= TITLE_WORDS and (known is None or day(known.date) < day(text.date)):
                titles[text.language, " ".join(words)][text.source] = text
    for group in (*addresses.values(), *(list(one.values()) for one in titles.values())):
        members = sorted((-day(text.date), text.place) for text in group)
        if len({date for date, _ in members}) > 1:
            yield from succession(members)


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
