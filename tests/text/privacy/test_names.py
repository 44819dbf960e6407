"""Names of people: only what the user's own finder says, checked before it is believed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from freehold.errors import InputError
from freehold.text.privacy import ALL, finder, redact


def ada(text: str, language: str) -> Iterator[tuple[int, int]]:
    """A finder as a user would write it: one name, in German texts."""
    if language == "deu":
        yield from (found.span() for found in re.finditer(r"Ada Beispiel|IBAN", text))


def beyond(text: str, language: str) -> list[tuple[int, int]]:
    return [(0, len(text) + 1)]


def test_names_are_replaced_and_counted_but_not_in_placeholders() -> None:
    told = redact("Ada Beispiel, DE89 3704 0044 0532 0130 00", rules=ALL, language="deu", names=ada)
    assert told.text == "<NAME>, <IBAN>"
    assert (told.counts["name"], told.counts["iban"]) == (1, 1)
    assert "name" not in redact("Ada Beispiel", rules=ALL, language="deu").counts


def test_a_range_outside_the_text_is_refused() -> None:
    with pytest.raises(InputError, match="half-open"):
        redact("Ada", rules=[], language="deu", names=beyond)


@pytest.mark.parametrize("entry", ["no_such_module:find", "re:no_such_function", "re:__doc__"])
def test_a_finder_that_is_not_there(entry: str) -> None:
    with pytest.raises(InputError):
        finder(entry)


def test_a_finder_is_loaded_by_its_name() -> None:
    assert finder("re:search") is re.search
