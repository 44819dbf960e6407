"""The table of national ids, the page that shows it, and the words of the charter agree."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from freehold import plugins
from freehold.charter_tables import Personal, Policy
from freehold.text.privacy import ALL, expand
from freehold.text.privacy.national import COUNTRIES, TABLE

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "curation" / "privacy.md"


def test_every_row_is_on_the_page() -> None:
    shown = PAGE.read_text(encoding="utf-8")
    for row in TABLE:
        check = f"`{row.check}`" if row.check else "none: shape"
        groups = ", ".join("-".join(map(str, sizes)) for sizes in row.groups) or "with letters"
        assert f"| {row.country} | {row.words.split('|')[0]} | {check} | {groups} |" in shown


def test_every_check_is_in_stdnum() -> None:
    for row in TABLE:
        assert not row.check or callable(plugins.need(f"stdnum.{row.check}").is_valid)
        assert bool(row.groups) != bool(row.shape)
        assert row.words


def test_the_charter_knows_the_kinds() -> None:
    words: TypeAdapter[str] = TypeAdapter(Personal)
    for kind in ALL:
        assert words.validate_python(kind) == kind
    with pytest.raises(ValidationError):
        words.validate_python("name-of-my-cat")
    default = Policy(licences=("CC0-1.0",)).redact
    assert set(expand(default)) == set(ALL)
    assert len(COUNTRIES) > 50


def test_the_union_is_covered_as_far_as_stdnum_goes() -> None:
    states = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
    assert set(states.split()) - set(COUNTRIES) == {"CY", "HU", "LU", "MT"}
