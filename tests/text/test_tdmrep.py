"""TDMRep: the file, the header, the element."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.text.tdmrep import declared, elements, parse_tdmrep, refuses_ai, reserved_by_file, reserved_by_header

FILE = json.dumps(
    [
        {"location": "/free/*", "tdm-reservation": 0},
        {"location": "/über/", "tdm-reservation": 1, "tdm-policy": "https://e.org/policy.json"},
        {"location": "/*.pdf$", "tdm-reservation": "1"},
        {"location": "/odd", "tdm-reservation": 2},
        {"location": "/true", "tdm-reservation": True},
        {"location": 7, "tdm-reservation": 1},
        "no object",
        {"location": "/free/", "tdm-reservation": 1},
    ],
    ensure_ascii=False,
)


@pytest.mark.parametrize(
    ("path", "reserved"),
    [
        ("/free/1", False),  # the first rule that covers it counts
        ("/%C3%BCber/1", True),
        ("/a/b.pdf", True),
        ("/a/b.pdf?x", False),
        ("/odd", False),
        ("/true", False),
        ("/", False),
    ],
)
def test_the_file(path: str, reserved: bool) -> None:
    rules = parse_tdmrep("\ufeff" + FILE)
    assert rules is not None
    assert (reserved_by_file(rules, path) is not None) == reserved


@pytest.mark.parametrize("text", ["", "{}", "1", "[", "<html>", "[" * 100_000, '[{"location": "/"}' + " " * 2_000_000])
def test_files_that_cannot_be_read(text: str) -> None:
    assert parse_tdmrep(text) is None


def test_headers_and_tags() -> None:
    assert [reserved_by_header(value) for value in (None, "", "0", " 1 ", "0, 1", "11", "yes")] == [
        False, False, False, True, True, False, False,
    ]  # fmt: skip
    assert [declared(value) for value in (1, 0, "1", 1.0, None, [1], True)] == [
        True,
        False,
        True,
        None,
        None,
        None,
        None,
    ]
    assert refuses_ai("NoAI")
    assert not refuses_ai("noindex, nofollow, noimageai")


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ('<meta name="tdm-reservation" content="1">', ["1"]),
        ("<META CONTENT='1' NAME='TDM-Reservation' />", ["1"]),
        ("<meta content=1 name=tdm-reservation>", ["1"]),
        ('<meta name="tdm-reservation" content="0"><meta name="tdm-reservation" content="&#49;">', ["0", "1"]),
        ('<!-- <meta name="tdm-reservation" content="1"> -->', []),
        ('<!-- <meta name="tdm-reservation" content="1">', []),
        ('<meta name="tdm-reservation">', [""]),
        ("<p>tdm-reservation</p>", []),
    ],
)
def test_elements(page: str, found: list[str]) -> None:
    assert elements(page).get("tdm-reservation", []) == found


def test_hostile_pages_take_no_time() -> None:
    before = time.process_time()
    for page in (
        "<!--" * 50_000,
        "<meta " * 40_000,
        "<meta " + "a=" * 100_000 + ">",
        '<meta name="' * 20_000,
        "<" * 200_000,
    ):
        elements(page)
    assert time.process_time() - before < 2


@given(st.text(alphabet="<meta nco=\"'>!-1", max_size=200) | st.text(max_size=100))
def test_any_text_is_a_page_and_a_file(text: str) -> None:
    assert isinstance(elements(text), dict)
    parse_tdmrep(text)


KEYS = st.sampled_from(["location", "tdm-reservation", "tdm-policy", "x"])
ATOMS = st.none() | st.booleans() | st.integers() | st.text(max_size=8)


@given(st.recursive(ATOMS, lambda parts: st.lists(parts) | st.dictionaries(KEYS, parts)))
def test_any_json_is_read_or_refused(value: object) -> None:
    rules = parse_tdmrep(json.dumps(value))
    assert rules is None or all(isinstance(rule.reserved, bool) for rule in rules)
