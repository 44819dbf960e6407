"""AIPREF statements as structured fields."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.text.content_usage import allows_training, parse_dictionary


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("train-ai=n", False),
        ("train-ai=y", True),
        ("search=y, train-ai=n", False),
        ("train-ai=n, train-ai=y", True),  # the last one counts
        ("train-ai=y, train-ai", None),  # a boolean is no token
        ('train-ai="n"', None),
        ("train-ai=N", None),
        ("Train-AI=n", None),  # keys are lower case: no dictionary
        ("train-ai=n;exceptions=cc-cr", False),
        ("train-ai;allow=n, train-ai=y", True),
        ("train-ai=n,", None),
        ("train-ai = n", None),
        ("  train-ai=n  ", False),
        ('train-ai=n;why="a, b; c=\\"d\\"" , search=y', False),
        ("train-genai=n, train-ai=y", False),  # the more particular category
        ("bots=n", False),
        ("bots=n, train-ai=y", True),
        ('a=(1 2;x=y "s");z, train-ai=n, b=:aGk=:, c=?0, d=-1.5, e=@1700000000, f=%"f%c3%bc"', False),
        ("a=(1 2, train-ai=n", None),
        ("train-ai=n\x00", None),
        ("träin-ai=n", None),
        ("", None),
        ("train-ai=n, " * 400 + "a", None),  # longer than a statement may be
    ],
)
def test_statements(statement: str, allowed: bool | None) -> None:
    assert allows_training(statement) is allowed


@given(st.text(alphabet='ayn=,;()?:"@%\\ -1*', max_size=60) | st.text(max_size=60))
def test_any_text_parses_or_not(statement: str) -> None:
    members = parse_dictionary(statement)
    assert members is None or all(key and value for key, value in members.items())


KEYS = st.from_regex(r"[a-z*][a-z0-9_.*-]{0,8}", fullmatch=True)
VALUES = st.sampled_from(["y", "n", "1", "2.5", '"a, b"', "?0", ":aGk=:", "@17", "tok/en"])


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=6))
def test_what_is_written_is_read(members: dict[str, str]) -> None:
    text = " ,\t".join(f"{key}={value};p=1;q" for key, value in members.items())
    assert parse_dictionary(text) == members


def test_a_hostile_statement_takes_no_time() -> None:
    before = time.process_time()
    for statement in ("a=" + '"\\"' * 1900, "a;" * 1999, "a=(" + "1 " * 1990, "a=" + "(" * 3990, '%"%' * 1300):
        assert allows_training(statement) is None
    assert time.process_time() - before < 0.5
