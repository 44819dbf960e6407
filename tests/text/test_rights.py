"""Licences against a policy, and lists of those who opted out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.text.optout_list import parse_opt_outs
from freehold.text.rights import permits

ALLOWED = ["CC0-1.0", "public-domain-law", "MIT", "LicenseRef-House"]


@pytest.mark.parametrize(
    ("licence", "permitted"),
    [
        ("cc0-1.0", True),
        ("public-domain-law", True),
        ("LicenseRef-House", True),
        ("CC-BY-NC-4.0", False),
        ("MIT OR CC-BY-NC-4.0", True),
        ("MIT AND CC-BY-NC-4.0", False),
        ("(MIT OR GPL-3.0-only) AND CC0-1.0", True),
        ("GPL-3.0-only OR MIT AND CC-BY-4.0", False),  # AND binds more tightly
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("", False),
        ("MIT AND", False),
        ("(MIT", False),
        ("MIT MIT", False),
        ("OR MIT", False),
    ],
)
def test_expressions(licence: str, permitted: bool) -> None:
    assert permits(licence, allowed=ALLOWED) is permitted


@given(st.text(alphabet="MITORANDWH ()", max_size=60))
def test_nonsense_is_refused_and_never_crashes(licence: str) -> None:
    assert isinstance(permits(licence, allowed=["CC0-1.0"]), bool)
    assert not permits(licence, allowed=[])


def test_opt_outs() -> None:
    digest = "AB" * 32
    listed = parse_opt_outs(f"# asked us by letter\n\nlaw/17\nhttps://www.Example.org/private/\nsha256:{digest}\n")
    assert listed.match("law/17", url=None, digests=[]) == "id"
    assert listed.match("law/1", url=None, digests=[]) is None
    assert listed.match("x", url="http://example.org/private/a", digests=[]) == "url"
    assert listed.match("x", url="http://example.org/public", digests=[]) is None
    assert listed.match("x", url=None, digests=["ab" * 32]) == "sha256"
    assert parse_opt_outs("").match("x", url="http://a.b/", digests=["ab" * 32]) is None
