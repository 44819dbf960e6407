"""Names of people, by a finder that the user brings: no pattern knows one, and no model comes with this program.

The finder decides what a person's name is. Nothing here takes the names of those who hold an office out of a law, and
nothing takes them out of what a finder returns: a finder for law should leave signatures and offices alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Final

from freehold import plugins
from freehold.errors import InputError
from freehold.text.privacy.kinds import NAME, Span

# Takes a text and its language (ISO 639-3), gives half-open ranges of characters; the same for the same text.
Finder = Callable[[str, str], Iterable[tuple[int, int]]]
PLACEHOLDER: Final = re.compile(r"<[A-Z][A-Z:-]*>")


@cache
def finder(entry: str) -> Finder:
    """The user's function named ``module:function``. Raises InputError where there is none."""
    try:
        found = plugins.part(entry)
    except ModuleNotFoundError as missing:
        raise InputError(
            f"{entry!r} cannot be loaded: no module named {missing.name!r}",
            remedy="install the module that finds names, or put its folder on PYTHONPATH",
        ) from None
    if not callable(found):
        raise InputError(f"{entry!r} is no function", remedy="name a function (text, language) -> ranges")
    function: Finder = found
    return function


def named(text: str, *, finder: Finder, language: str) -> list[Span]:
    """Where the finder sees names, in order and apart; what lies on a placeholder is left out."""
    taken = bytearray(len(text))
    for mark in PLACEHOLDER.finditer(text):
        taken[mark.start() : mark.end()] = b"\1" * len(mark[0])
    found = []
    for start, end in sorted(finder(text, language)):
        if not 0 <= start < end <= len(text):
            raise InputError(
                f"the finder of names gave the range {start}–{end} in a text of {len(text)} characters",
                remedy="mend [policy].names: ranges are half-open, in characters",
            )
        if taken.find(1, start, end) < 0:
            taken[start:end] = b"\1" * (end - start)
            found.append(Span(start=start, end=end, kind=NAME))
    return found
