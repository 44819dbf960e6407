"""What differs between two texts, in pieces small enough to show: lines first, words inside the lines that differ.

Longest matching blocks after Ratcliff and Obershelp, as in Python's `difflib`. Scripts without spaces are compared
character by character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Final, Literal

from freehold.text.normalise import INVISIBLE
from freehold.text.scripts import UNSPACED

Kind = Literal["same", "removed", "added", "replaced", "gap"]

WORD: Final = re.compile(rf"(?:[{UNSPACED}]|[^\s{UNSPACED}]+)\s*|\s+")
PLACEHOLDER: Final = re.compile(r"<[A-Z][A-Z0-9_:-]{1,40}>")
HIDDEN: Final = "▒▒▒"  # stands where a personal value stood
LINES: Final = 4_000  # compared; what follows them is left out
WORDS: Final = 20_000  # of a changed run compared
EXACT: Final = 1_200  # words up to which frequent ones may be anchors too: the cost grows with their square
CONTEXT: Final = 120  # characters left around a change


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of text: in both, only in the first, only in the second, a placeholder in both, or a number of characters
    left out."""

    kind: Kind
    text: str


def differences(before: str, after: str) -> list[Piece]:
    """The two texts as one sequence of pieces.

    >>> [(piece.kind, piece.text) for piece in differences("the old law", "the new law")]
    [('same', 'the '), ('removed', 'old '), ('added', 'new '), ('same', 'law')]
    """
    pieces: list[Piece] = []
    for kind, one, other in runs(lines_of(before), lines_of(after), quick=True):
        if kind != "replace":
            pieces += pieces_of(kind, one, other)
            continue
        words, others = WORD.findall(one)[:WORDS], WORD.findall(other)[:WORDS]
        for inner, *texts in runs(words, others, quick=max(len(words), len(others)) > EXACT):
            pieces += pieces_of(inner, *texts)
    return joined(pieces)


def lines_of(text: str) -> list[str]:
    """The first lines of a text with their ends."""
    return text.splitlines(keepends=True)[:LINES]


def runs(first: Sequence[str], second: Sequence[str], *, quick: bool) -> Iterator[tuple[str, str, str]]:
    """What `difflib` says of two sequences of strings, each run joined; `quick` does not anchor on frequent ones."""
    head = common(first, second)
    tail = common(first[head:][::-1], second[head:][::-1])
    one, other = first[head : len(first) - tail], second[head : len(second) - tail]
    matcher = SequenceMatcher(None, one, other, autojunk=quick)
    yield "equal", "".join(first[:head]), ""
    for kind, begin, end, other_begin, other_end in matcher.get_opcodes():
        yield kind, "".join(one[begin:end]), "".join(other[other_begin:other_end])
    yield "equal", "".join(first[len(first) - tail :]), ""


def common(first: Sequence[str], second: Sequence[str]) -> int:
    """How many strings two sequences begin with alike."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(first), len(second)))


def pieces_of(kind: str, one: str, other: str) -> Iterator[Piece]:
    """One run as pieces, none of them empty."""
    if kind == "equal":
        if one:
            yield Piece(kind="same", text=one)
        return
    if one:
        yield Piece(kind="removed", text=one)
    if other:
        yield Piece(kind="added", text=other)


def joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Neighbours of one kind as one piece."""
    found: list[Piece] = []
    for piece in pieces:
        if found and found[-1].kind == piece.kind:
            found[-1] = replace(piece, text=found[-1].text + piece.text)
        else:
            found.append(piece)
    return found


def concealed(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces without what a placeholder took the place of: a value that was replaced is never shown.

    >>> [piece.text for piece in concealed(differences("ask a.b@c.de now", "ask <EMAIL> now"))]
    ['ask ', '▒▒▒', '<EMAIL> ', 'now']
    """
    found: list[Piece] = []
    for group in groups(pieces):
        replaced = any(piece.kind == "added" and PLACEHOLDER.search(piece.text) for piece in group)
        found += [replace(piece, text=HIDDEN) if replaced and piece.kind == "removed" else piece for piece in group]
    return found


def groups(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Runs of changes with nothing in common between them, and the pieces in between one by one.

    A space or a sign in common does not end a run: a telephone number may be replaced in several steps.
    """
    held: list[Piece] = []
    for piece in pieces:
        if piece.kind == "same" and len(piece.text.strip()) > 3:
            if held:
                yield held
                held = []
            yield [piece]
        else:
            held.append(piece)
    if held:
        yield held


def with_placeholders(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces with each placeholder in what is in common as a piece of its own.

    >>> [piece.kind for piece in with_placeholders([Piece(kind="same", text="ask <EMAIL> now")])]
    ['same', 'replaced', 'same']
    """
    for piece in pieces:
        done = 0
        for found in PLACEHOLDER.finditer(piece.text) if piece.kind == "same" else ():
            if found.start() > done:
                yield Piece(kind="same", text=piece.text[done : found.start()])
            yield Piece(kind="replaced", text=found[0])
            done = found.end()
        if done < len(piece.text):
            yield replace(piece, text=piece.text[done:])


def excerpt(pieces: Sequence[Piece], *, limit: int) -> list[Piece]:
    """The changes with a little around them, at most about `limit` characters; what is left out is a gap."""
    found: list[Piece] = []
    room = limit
    for place, piece in enumerate(pieces):
        first, last = place == 0, place == len(pieces) - 1
        parts = shortened(piece, first=first, last=last) if piece.kind == "same" else [clipped(piece, room)]
        if room <= 0:
            left = sum(len(rest.text) for rest in pieces[place:])
            return [*found, Piece(kind="gap", text=str(left))]
        found += parts
        room -= sum(len(part.text) for part in parts if part.kind != "gap")
    return found


def shortened(piece: Piece, *, first: bool, last: bool) -> list[Piece]:
    """What is in common, its middle left out if it is long."""
    head = 0 if first and not last else CONTEXT
    tail = 0 if last and not first else CONTEXT
    left = len(piece.text) - head - tail
    if left <= CONTEXT:
        return [piece]
    ends = (piece.text[:head], str(left), piece.text[len(piece.text) - tail :] if tail else "")
    kinds: tuple[Kind, ...] = ("same", "gap", "same")
    return [Piece(kind=kind, text=text) for kind, text in zip(kinds, ends, strict=True) if text]


def clipped(piece: Piece, room: int) -> Piece:
    """A change cut to the room there is, with a mark that it goes on."""
    room = max(room, CONTEXT)
    return piece if len(piece.text) <= room else replace(piece, text=piece.text[:room] + " …")


def visible(text: str) -> str:
    r"""The text with what nobody sees written out.

    >>> visible("Grund\u00adgesetz")
    'Grund⟨U+00AD⟩gesetz'
    """
    return INVISIBLE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)
