"""AIPREF: what a publisher says about training, as `Content-Usage` states it in a header or in robots.txt.

A statement is a dictionary of structured fields (RFC 9651, 3.2 and 4.2.2) from categories of use to the tokens ``y``
and ``n`` (draft-ietf-aipref-vocab, section 6). What does not parse states nothing, as the draft has it.
"""

from __future__ import annotations

import re
from typing import Final

MAX_STATEMENT: Final = 4_000  # characters; a longer one states nothing
# Categories that cover the training of a generative model, most specific first. `train-ai` is the current draft's;
# the drafts of 2025 also had `train-genai` within it and `bots` around it.
CATEGORIES: Final = ("train-genai", "train-ai", "bots")

KEY: Final = re.compile(r"[a-z*][a-z0-9_.*-]*")
NUMBER: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,3})?(?![0-9.])")
DATE: Final = re.compile(r"@-?[0-9]{1,15}(?![0-9.])")
STRING: Final = re.compile(r'"(?:[ !#-\[\]-~]|\\["\\])*"')
DISPLAY: Final = re.compile(r'%"(?:[ !#$&-~]|%[0-9a-f]{2})*"')
TOKEN: Final = re.compile(r"[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*")
BYTES: Final = re.compile(r":[A-Za-z0-9+/=]*:")
BOOLEAN: Final = re.compile(r"\?[01]")
COMMA: Final = re.compile(",")
ITEMS: Final = (NUMBER, DATE, STRING, DISPLAY, BYTES, BOOLEAN, TOKEN)


class Malformed(ValueError):
    """A statement that is no dictionary of structured fields."""


def allows_training(statement: str) -> bool | None:
    """Whether a statement allows (True) or disallows (False) training; None where it says nothing of it.

    >>> allows_training("train-ai=n, search=y"), allows_training("search=n"), allows_training("train-ai=n,")
    (False, None, None)
    """
    preferences = parse_dictionary(statement) or {}
    for category in CATEGORIES:
        if preferences.get(category) in ("y", "n"):
            return preferences[category] == "y"
    return None


def parse_dictionary(statement: str) -> dict[str, str] | None:
    """The members of a dictionary, each with its bare item as written and without parameters; None if it is none.

    A key without a value is the boolean ``?1``, an inner list is ``()``, and of a repeated key the last one counts.

    >>> parse_dictionary('train-ai=n;why="no", a, b=(1 2)')
    {'train-ai': 'n', 'a': '?1', 'b': '()'}
    """
    if len(statement) > MAX_STATEMENT or not statement.isascii():
        return None
    text, place, members = statement.strip(" "), 0, dict[str, str]()
    try:
        while place < len(text):
            key, place = take(KEY, text, place)
            value, place = member(text, place)
            members.pop(key, None)
            members[key] = value
            place = skip(text, place, " \t")
            if place == len(text):
                return members
            _, place = take(COMMA, text, place)
            place = skip(text, place, " \t")
            if place == len(text):
                return None  # a trailing comma
    except Malformed:
        return None
    return members


def member(text: str, place: int) -> tuple[str, int]:
    """What stands behind a key: its value as written, and the place behind it and its parameters."""
    value = "?1"
    if text[place : place + 1] == "=":
        value, place = item_or_list(text, place + 1)
    return value, parameters(text, place)


def item_or_list(text: str, place: int) -> tuple[str, int]:
    """A bare item, or an inner list of items with parameters."""
    if text[place : place + 1] != "(":
        return item(text, place)
    place += 1
    while True:
        place = skip(text, place, " ")
        if text[place : place + 1] == ")":
            return "()", place + 1
        _, place = item(text, place)
        place = parameters(text, place)
        if text[place : place + 1] not in (" ", ")"):
            raise Malformed


def item(text: str, place: int) -> tuple[str, int]:
    """One bare item."""
    for kind in ITEMS:
        if found := kind.match(text, place):
            return found[0], found.end()
    raise Malformed


def parameters(text: str, place: int) -> int:
    """The place behind ``;key=item`` as often as it stands here."""
    while text[place : place + 1] == ";":
        _, place = take(KEY, text, skip(text, place + 1, " "))
        if text[place : place + 1] == "=":
            _, place = item(text, place + 1)
    return place


def take(kind: re.Pattern[str], text: str, place: int) -> tuple[str, int]:
    """What must stand here, and the place behind it. Raises Malformed."""
    found = kind.match(text, place)
    if found is None:
        raise Malformed
    return found[0], found.end()


def skip(text: str, place: int, letters: str) -> int:
    """The first place from here on that has none of these letters."""
    while place < len(text) and text[place] in letters:
        place += 1
    return place
