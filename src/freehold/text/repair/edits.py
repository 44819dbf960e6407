"""Edits that can be taken back: which rule took what out of a text, where, and what it put there instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

Span = tuple[int, int, str]  # from, to, what stands there afterwards


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change. `position` counts characters in the text as it was after all edits of the same rule and round."""

    rule: str
    position: int
    removed: str
    inserted: str
    round: int = 0  # of the repair; a rule passes over a text once in each


Change = tuple[str, list[Edit]]


def apply(text: str, rule: str, spans: Iterable[Span]) -> Change:
    """The text with ascending, disjoint spans exchanged, and the edits that say so."""
    pieces: list[str] = []
    edits: list[Edit] = []
    end = length = 0
    for start, stop, inserted in spans:
        length += start - end + len(inserted)
        pieces += (text[end:start], inserted)
        edits.append(Edit(rule=rule, position=length - len(inserted), removed=text[start:stop], inserted=inserted))
        end = stop
    return ("".join([*pieces, text[end:]]), edits) if edits else (text, edits)


def substitute(text: str, rule: str, pattern: re.Pattern[str], inserted: str) -> Change:
    """Every match of a pattern exchanged for one and the same string."""
    return apply(text, rule, ((found.start(), found.end(), inserted) for found in pattern.finditer(text)))


def undo(text: str, edits: Sequence[Edit]) -> str:
    r"""The text before the edits, which are given in the order in which they were made.

    >>> text, edits = apply("a\u00adb", "soft-hyphen", [(1, 2, "")])
    >>> text, undo(text, edits)
    ('ab', 'a\xadb')
    """
    passes = [list(group) for _, group in groupby(edits, key=lambda edit: (edit.rule, edit.round))]
    for made in reversed(passes):
        pieces: list[str] = []
        end = 0
        for edit in made:
            pieces += (text[end : edit.position], edit.removed)
            end = edit.position + len(edit.inserted)
        text = "".join([*pieces, text[end:]])
    return text
