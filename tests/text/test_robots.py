"""robots.txt as a statement about training."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.text.robots import MAX_BYTES, Disagreement, parse_robots

AGENTS = ("GPTBot", "Google-Extended", "CCBot")
HOST = "https://e.org"


def said(text: str, path: str = "/a", own: str | None = None) -> tuple[str, str] | None:
    found: Disagreement | None = parse_robots(text).disagrees(HOST + path, agents=AGENTS, own=own)
    return (found.kind, found.agent) if found else None


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("", "/a", None),
        ("User-agent: *\nDisallow:\n", "/a", None),
        ("User-agent: *\nDisallow: /", "/a", ("robots", "*")),
        ("User-agent: GPTBot\nDisallow: /", "/a", ("robots", "GPTBot")),
        ("user-agent:gptbot # me\nDISALLOW : /a", "/a/b", ("robots", "GPTBot")),
        ("User-agent: Googlebot\nDisallow: /", "/a", None),  # a search engine's is no word on training
        ("User-agent: GPTBot\nUser-agent: CCBot\nDisallow: /a", "/a", ("robots", "GPTBot")),
        ("User-agent: CCBot\nDisallow: /a\nAllow: /a/free", "/a/free/1", None),
        ("User-agent: CCBot\nDisallow: /*.pdf$", "/x.pdf", ("robots", "CCBot")),
        ("User-agent: CCBot\nDisallow: /*.pdf$", "/x.pdf?a", None),
        ("User-agent: CCBot\nDisallow: /%7Ea", "/~a", ("robots", "CCBot")),
        ("User-agent: *\nDisallow: /\nUser-agent: GPTBot\nAllow: /", "/a", ("robots", "*")),  # the others are out
        ("\ufeffUser-agent: CCBot\r\nDisallow: /\r\n", "/a", ("robots", "CCBot")),
        ("User-agent: CCBot\rDisallow: /", "/a", ("robots", "CCBot")),
        ("Disallow: /", "/a", None),  # nobody's rule
        ("User-agent: CCBot\nDisallow: /", "/robots.txt", None),
        ("<html><body>User-agent soft 404</body></html>", "/a", None),
        ("User-agent: *\nContent-Usage: train-ai=n", "/a", ("aipref", "*")),
        ("User-agent: *\nContent-Usage: train-ai=n\nContent-Usage: /ok/ train-ai=y", "/ok/1", None),
        ("User-agent: *\nContent-Usage: train-ai=y\nContent-Usage: train-ai=n", "/a", ("aipref", "*")),  # strictest
        ("User-agent: *\ncontent-usage : /law/\ttrain-ai=n", "/law/1", ("aipref", "*")),
        ("User-agent: *\nContent-Usage: search=n", "/a", None),
        ("User-agent: *\nContent-Usage: TRAIN-AI=n", "/a", None),
        ("User-agent: GPTBot\nContent-Usage: train-ai=n", "/a", ("aipref", "GPTBot")),
        ("User-agent: Googlebot\nContent-Usage: train-ai=n", "/a", None),
        ("Content-Usage: train-ai=n", "/a", None),
        ("User-agent: CCBot\nSitemap: /s\nUser-agent: GPTBot\nDisallow: /", "/a", ("robots", "GPTBot")),
    ],
)
def test_rules(text: str, path: str, expected: tuple[str, str] | None) -> None:
    assert said(text, path) == expected


def test_a_group_of_our_own_decides_alone() -> None:
    text = "User-agent: GPTBot\nDisallow: /\nUser-agent: ArchiveBot\nAllow: /\nDisallow: /secret\n"
    text += "Content-Usage: /law train-ai=n"
    assert said(text) == ("robots", "GPTBot")
    assert said(text, own="archivebot") is None
    assert said(text, "/secret", own="ArchiveBot") == ("robots", "ArchiveBot")
    assert said(text, "/law/1", own="ArchiveBot") == ("aipref", "ArchiveBot")
    assert said(text, own="OtherBot") == ("robots", "GPTBot")


def test_only_the_beginning_of_a_huge_file_is_read() -> None:
    filler = "# " + "ü" * 100 + "\n"
    late = filler * (MAX_BYTES // len(filler.encode()) + 1) + "User-agent: *\nDisallow: /"
    assert said(late) is None
    assert said("User-agent: *\nDisallow: /\n" + late) == ("robots", "*")


def test_hostile_files_take_no_time() -> None:
    before = time.process_time()
    for text in (
        "User-agent: *\n" + "Disallow: /*a*b*c*d*e$\n" * 20_000,
        "".join(f"User-agent: a{n}\n" for n in range(20_000)),
        "User-agent: *\nDisallow: " + "*a" * 200_000,
        "User-agent: *\nContent-Usage: " + "a=(" * 100_000,
        "\0\x01\x02" * 100_000,
        "\u2028" * 100_000,
    ):
        robots = parse_robots(text)
        for n in range(10):
            robots.disagrees(f"{HOST}/{'abcd' * 50}{n}", agents=AGENTS, own=None)
    assert time.process_time() - before < 8


@given(st.text(alphabet="User-agent:*Dislow /CcBt\n#$%", max_size=200) | st.text(max_size=200))
def test_any_text_is_a_robots_txt(text: str) -> None:
    found = said(text)
    assert found is None or (found[0] in ("robots", "aipref") and found[1] in (*AGENTS, "*"))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_robots_txt(data: bytes) -> None:
    parse_robots(data.decode("utf-8", "replace")).disagrees(f"{HOST}/a", agents=AGENTS, own="x")
