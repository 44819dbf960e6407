"""Repair: what was broken on the way into the file is mended, and every change can be taken back.

Steps run in a fixed order. Each first asks a cheap question, so that clean text costs one look at its distinct
characters; each leaves the edits it made, and `undo` gives the text back as it came.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Final

from freehold.text.repair.characters import compose, exchange
from freehold.text.repair.edits import Change
from freehold.text.repair.edits import Edit as Edit
from freehold.text.repair.edits import undo as undo
from freehold.text.repair.mojibake import decode_again
from freehold.text.repair.pages import margins, page_numbers, rejoin
from freehold.text.repair.recurring import leave_out
from freehold.text.repair.spacing import tidy
from freehold.text.repair.webscript import cut_scripts

STEPS: Final[tuple[Callable[[str], Change], ...]] = (
    decode_again,  # first: it needs the very characters that later steps take out
    exchange,
    compose,
    cut_scripts,
    tidy,
    page_numbers,
    margins,
    rejoin,
)
RULES: Final = (
    "mojibake", "line-end", "space", "soft-hyphen", "private-use", "zero-width", "control", "joiner", "nfc", "script",
    "literal", "spacing", "blank-lines", "page-number", "margin", "line-hyphen", "recurring-line",
)  # fmt: skip
ROUNDS: Final = 3  # taking something out can bring two things together that ask for another look


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """A mended text and what was done to it, in order."""

    text: str
    edits: tuple[Edit, ...]


def repair(text: str, *, recurring: Collection[str] = frozenset()) -> Repaired:
    r"""Mend a text; `recurring` are the keys of lines that recur across its source (see `recurring.key`).

    >>> mended = repair("Grund\u00adgesetz f\u00c3\u00bcr die\u00a0Bundesrepublik \r\n")
    >>> mended.text, [edit.rule for edit in mended.edits]
    ('Grundgesetz für die Bundesrepublik', ['mojibake', 'line-end', 'space', 'soft-hyphen', 'spacing'])
    >>> undo(mended.text, mended.edits) == "Grund\u00adgesetz f\u00c3\u00bcr die\u00a0Bundesrepublik \r\n"
    True
    """
    edits: list[Edit] = []
    for number in range(ROUNDS):
        found: list[Edit] = []
        for step in STEPS:
            text, made = step(text)
            found += made
        if recurring:
            text, made = leave_out(text, recurring)
            found += made
        if not found:
            break
        edits += [replace(edit, round=number) for edit in found]
    return Repaired(text=text, edits=tuple(edits))
