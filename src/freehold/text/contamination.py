"""Does a text hold what a model will be examined with: windows of 13 tokens, shorter questions as a whole.

Windows of 13 words are the measure of GPT-3 (Brown et al. 2020, appendix C). A single one is only an overlap: statutes
are quoted in questions about them. A text is contaminated by an item where it holds at least half of the windows of
the question, and the right answer too. Cost is one hash and one look into a table for each token.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from freehold.text.signatures import unspaced
from freehold.text.tokens import Hashes, tokens, windows

WINDOW: Final = 13  # tokens
BEGINNING: Final = 5  # tokens by which a shorter question is looked for
SHORTEST: Final = {False: 5, True: 10}  # tokens, words or characters; a shorter question may stand anywhere
HELD: Final = 0.5  # of a question's windows
TABLE_BITS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One question of a pack with its right answer, as tokens."""

    pack: str
    id: str
    question: Hashes  # (Q,)
    answer: Hashes  # (A,)

    @property
    def whole(self) -> bool:
        """Whether the question is too short for windows and is looked for as a whole."""
        return len(self.question) < WINDOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Windows of one width, sorted, with the item each belongs to, behind a table that few other windows pass."""

    width: int
    hashes: Hashes  # (K,)
    items: NDArray[np.int64]  # (K,)
    table: NDArray[np.bool_]

    def found(self, text: Hashes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where in `text` (T,) a known window begins, and its place among `hashes`; the first item's, if several."""
        seen = windows(text, self.width)
        hits = np.flatnonzero(self.table[seen & np.uint64(len(self.table) - 1)])
        places = np.searchsorted(self.hashes, seen[hits])
        known = places < len(self.hashes)
        known[known] = self.hashes[places[known]] == seen[hits][known]
        return hits[known], places[known]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """All items of all packs, ready to be looked for."""

    items: tuple[Item, ...]
    long: Keys
    short: Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Items of which a text holds something, and those it holds with their answers."""

    touched: tuple[int, ...] = ()
    held: tuple[int, ...] = ()


def item(pack: str, identity: str, *, question: str, answer: str) -> Item | None:
    """An item to look for; a question too short to mean anything takes its answer along, and None if that is too.

    >>> item("p", "1", question="Ja?", answer="Nein") is None
    True
    """
    shortest = SHORTEST[unspaced(question)]
    asked, answered = tokens(question), tokens(answer)
    if len(asked) < shortest:
        asked, answered = tokens(f"{question}\n{answer}"), answered[:0]
    return Item(pack=pack, id=identity, question=asked, answer=answered) if len(asked) >= shortest else None


def exam(items: Sequence[Item]) -> Exam:
    """Index the items."""
    long = [
        (int(window), place)
        for place, item in enumerate(items)
        if not item.whole
        for window in np.unique(windows(item.question, WINDOW)).tolist()
    ]
    short = [
        (int(windows(item.question[:BEGINNING], BEGINNING)[0]), place) for place, item in enumerate(items) if item.whole
    ]
    return Exam(items=tuple(items), long=keys(long, width=WINDOW), short=keys(short, width=BEGINNING))


def keys(pairs: Iterable[tuple[int, int]], *, width: int) -> Keys:
    """Windows with their items, sorted."""
    ordered = sorted(pairs)
    hashes = np.array([window for window, _ in ordered], dtype=np.uint64)
    table = np.zeros(1 << TABLE_BITS, dtype=np.bool_)
    table[hashes & np.uint64(len(table) - 1)] = True
    return Keys(
        width=width, hashes=hashes, items=np.array([place for _, place in ordered], dtype=np.int64), table=table
    )


def overlap(text: Hashes, known: Exam) -> Overlap:
    """What of an exam a text's tokens (T,) hold.

    >>> words = " ".join(f"word{n}" for n in range(20))
    >>> one = item("p", "1", question=words, answer="forty two")
    >>> found = overlap(tokens(f"{words} is forty two"), exam([one]))
    >>> found.touched, found.held, overlap(tokens(words), exam([one])).held
    ((0,), (0,), ())
    """
    met: Counter[int] = Counter()
    if len(known.long.hashes):
        for place in np.unique(known.long.found(text)[1]).tolist():
            met.update(owners(known.long, place))
    held = {
        place
        for place, times in met.items()
        if times >= HELD * len(np.unique(windows(known.items[place].question, WINDOW)))
    }
    if len(known.short.hashes):
        for start, place in zip(*(array.tolist() for array in known.short.found(text)), strict=True):
            for owner in owners(known.short, place):
                question = known.items[owner].question
                if owner not in met and np.array_equal(text[start : start + len(question)], question):
                    met[owner] += 1
                    held.add(owner)
    return Overlap(
        touched=tuple(sorted(met)), held=tuple(sorted(each for each in held if holds(text, known.items[each].answer)))
    )


def owners(known: Keys, place: int) -> list[int]:
    """All items that have the window at this place, which is its first."""
    last = int(np.searchsorted(known.hashes, known.hashes[place], side="right"))
    return [int(item) for item in known.items[place:last]]


def holds(text: Hashes, part: Hashes) -> bool:
    """Whether `part` stands in `text` as a whole."""
    if not len(part):
        return True
    starts = (
        np.flatnonzero(text[: len(text) - len(part) + 1] == part[0]) if len(part) <= len(text) else np.empty(0, int)
    )
    return any(np.array_equal(text[start : start + len(part)], part) for start in starts.tolist())
