"""Which notices of a host count for a document, and what they, headers and pages say."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.text.notices import Notice, Notices, When, by_elements, by_headers, by_host, chosen

OPEN, SHUT = "User-agent: *\nAllow: /", "User-agent: CCBot\nDisallow: /"
URL = "https://www.e.org/a"


def notice(body: str, retrieved: str | None, *, kind: str = "robots", status: int | None = 200) -> Notice:
    return Notice(host="www.e.org", kind=kind, retrieved=retrieved, status=status, body=body, sha256=f"of {body[-9:]}")


def refused(*known: Notice, when: When = "both", retrieved: str | None = None, url: str = URL) -> str | None:
    notices = Notices(by_host=by_host(known), when=when, agents=("CCBot",), own=None)
    found = notices.refuse(url=url, retrieved=retrieved, headers=None, page="")
    return found and found.reason


@pytest.mark.parametrize(
    ("when", "retrieved", "days"),
    [
        ("at_fetch", "2024-06-30T12:00:00Z", ["", "2024-05-01"]),
        ("at_fetch", "2024-05-01", ["", "2024-05-01"]),  # the same day counts as before
        ("at_fetch", "2023-01-01", ["", "2024-01-01"]),  # nothing earlier: the first behind it
        ("at_fetch", None, ["", "2024-01-01", "2024-05-01", "2026-01-01"]),  # not known when: every one may be it
        ("latest", "2024-06-30", ["", "2026-01-01"]),
        ("latest", None, ["", "2026-01-01"]),
        ("both", "2024-06-30", ["", "2024-05-01", "2026-01-01"]),
    ],
)
def test_which_notices_count(when: When, retrieved: str | None, days: list[str]) -> None:
    known = [notice("a", day) for day in ("2026-01-01", "2024-01-01T10:00:00Z", None, "2024-05-01")]
    assert [each.day for each in chosen(known, retrieved=retrieved, when=when)] == days


def test_a_host_that_changed_its_mind() -> None:
    known = notice(OPEN, "2024-01-01"), notice(SHUT, "2026-01-01")
    assert refused(*known, when="at_fetch", retrieved="2024-02-01") is None
    assert refused(*known, when="latest", retrieved="2024-02-01") == "opted-out-robots"
    assert refused(*known, when="both", retrieved="2024-02-01") == "opted-out-robots"
    back = notice(SHUT, "2024-01-01"), notice(OPEN, "2026-01-01")
    assert refused(*back, when="at_fetch", retrieved="2024-02-01") == "opted-out-robots"
    assert refused(*back, when="latest", retrieved="2024-02-01") is None
    assert refused(*back, when="both", retrieved="2024-02-01") == "opted-out-robots"


def test_two_notices_of_one_moment_both_count() -> None:
    assert refused(notice(OPEN, "2024-01-01"), notice(SHUT, "2024-01-01"), when="latest") == "opted-out-robots"


@pytest.mark.parametrize(
    ("status", "reason"),
    [(None, "opted-out-robots"), (200, "opted-out-robots"), (301, None), (404, None), (403, None), (429, None),
     (500, "opted-out-robots"), (503, "opted-out-robots"), (0, "opted-out-robots")],
)  # fmt: skip
def test_a_status_that_says_more_than_the_body(status: int | None, reason: str | None) -> None:
    assert refused(notice(SHUT, "2024-01-01", status=status)) == reason
    if status in (0, 500, 503):
        assert refused(notice(OPEN, "2024-01-01", status=status)) == reason  # nobody may assume permission


def test_tdmrep_of_the_host() -> None:
    rules = json.dumps([{"location": "/a", "tdm-reservation": 1}])
    assert refused(notice(rules, None, kind="tdmrep")) == "opted-out-tdmrep"
    assert refused(notice(rules, None, kind="tdmrep"), url="https://www.e.org/b") is None
    assert refused(notice(rules, None, kind="tdmrep", status=404)) is None
    assert refused(notice("", None, kind="tdmrep", status=503)) is None  # the report knows no such rule
    assert refused(notice("[", None, kind="tdmrep")) is None


def test_a_notice_is_for_its_own_host() -> None:
    assert refused(notice(SHUT, None), url="https://e.org/a") is None  # robots.txt is of one authority
    assert refused(notice(SHUT, None), url="https://www.e.org:8080/a") is None
    assert refused(notice(SHUT, None), url="http://WWW.E.ORG:80/a") == "opted-out-robots"
    assert refused(notice(SHUT, None), url="no address") is None


def test_the_detail_names_host_day_and_bytes() -> None:
    notices = Notices(by_host=by_host([notice(SHUT, "2024-01-01T10:00:00Z")]), when="both", agents=("CCBot",), own=None)
    found = notices.refuse(url=URL, retrieved=None, headers=None, page="")
    assert found is not None
    assert found.detail == "robots.txt of www.e.org, 2024-01-01, sha256 of sallow: /: agent CCBot"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"tdm-reservation": "1", "tdm-policy": "https://e.org/p"}, "opted-out-tdmrep"),
        ({"tdm-reservation": "0"}, None),
        ({"content-usage": "search=y, train-ai=n"}, "opted-out-aipref"),
        ({"content-usage": "train-ai=n, ="}, None),
        ({"x-robots-tag": "noindex, noai"}, "opted-out-noai"),
        ({"x-robots-tag": "noimageai"}, None),
        ({"content-usage": ["train-ai=n"]}, None),
        (["tdm-reservation"], None),
        (7, None),
    ],
)
def test_headers(headers: object, reason: str | None) -> None:
    found = by_headers(json.dumps(headers))
    assert (found and found.reason) == reason


@given(st.text(max_size=60))
def test_any_headers(headers: str) -> None:
    assert by_headers(headers) is None or '"' in headers


def test_elements_and_what_only_looks_like_one() -> None:
    said = by_elements('<html><head><meta name="robots" content="index,noai"></head>')
    assert said is not None
    assert said.reason == "opted-out-noai"
    said = by_elements('<meta name="tdm-reservation" content="0"><meta name="tdm-reservation" content="1">')
    assert said is not None
    assert said.reason == "opted-out-tdmrep"
    assert by_elements("tdm-reservation: 1") is None
