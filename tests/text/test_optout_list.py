"""The list of those who asked to be left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.text.optout_list import parse_opt_outs

DIGEST = "AB" * 32
LIST = f"""\ufeff# asked us by letter
law/17
id:https://not.a.url/but-an-id   # a comment behind an entry
https://www.Example.org/private/
https://whole.example
https://stars.example/*/drafts/*.html$
https://*.news.example/archive/
domain:publisher.example
*.blog.example
sha256:{DIGEST}
name#3
"""


@pytest.mark.parametrize(
    ("identity", "url", "kind"),
    [
        ("law/17", None, "id"),
        ("https://not.a.url/but-an-id", None, "id"),
        ("name#3", None, "id"),
        ("law/1", None, None),
        ("x", "http://example.org/private/a", "url"),
        ("x", "http://EXAMPLE.org/%70rivate/a", "url"),
        ("x", "http://example.org/public", None),
        ("x", "https://whole.example/", "url"),
        ("x", "https://whole.example.org/", None),
        ("x", "https://stars.example/2024/drafts/a.html", "url"),
        ("x", "https://stars.example/2024/drafts/a.html?b", None),
        ("x", "https://a.b.news.example/archive/1", "url"),
        ("x", "https://news.example/archive/1", None),
        ("x", "https://a.publisher.example/x", "domain"),
        ("x", "https://publisher.example", "domain"),
        ("x", "https://otherpublisher.example", None),
        ("x", "https://www.blog.example/", "domain"),
        ("x", "https://evil.org/?u=https://publisher.example/", None),
        ("x", "https://publisher.example@evil.org/", None),
        ("x", "", None),
    ],
)
def test_entries(identity: str, url: str | None, kind: str | None) -> None:
    assert parse_opt_outs(LIST).match(identity, url=url, digests=[]) == kind


def test_digests_and_an_empty_list() -> None:
    assert parse_opt_outs(LIST).match("x", url=None, digests=["00", DIGEST.lower()]) == "sha256"
    assert parse_opt_outs("").match("x", url="http://a.b/", digests=[DIGEST.lower()]) is None


@given(st.text(max_size=200), st.text(max_size=60))
def test_any_text_is_a_list(text: str, url: str) -> None:
    assert parse_opt_outs(text).match("an id nobody wrote", url=url, digests=[]) in (None, "url", "domain")
