"""Licences against a policy."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.text.rights import permits, rule

ALLOWED = [
    "CC0-1.0",
    "public-domain-law",
    "MIT",
    "LicenseRef-House",
    "GPL-2.0-only WITH Linux-syscall-note",
    "Etalab 2.0",
]


@pytest.mark.parametrize(
    ("licence", "chosen"),
    [
        ("cc0-1.0", "CC0-1.0"),
        ("public-domain-law", "public-domain-law"),
        ("LicenseRef-House", "LicenseRef-House"),
        ("etalab  2.0", "Etalab 2.0"),  # a name of the house
        ("CC-BY-NC-4.0", None),
        ("MIT OR CC-BY-NC-4.0", "MIT"),
        ("CC-BY-NC-4.0 or mit", "MIT"),
        ("CC0-1.0 OR MIT", "CC0-1.0"),  # the first
        ("MIT AND CC-BY-NC-4.0", None),
        ("MIT AND CC0-1.0 AND MIT", "MIT AND CC0-1.0"),
        ("(MIT OR GPL-3.0-only) AND CC0-1.0", "MIT AND CC0-1.0"),
        ("GPL-3.0-only OR MIT AND CC-BY-4.0", None),  # AND binds more tightly
        ("GPL-2.0-only WITH Classpath-exception-2.0", None),
        ("gpl-2.0-only WITH linux-syscall-note", "GPL-2.0-only WITH Linux-syscall-note"),
        ("MIT WITH Linux-syscall-note", None),  # an exception is allowed with its licence, never by itself
        ("MIT+", "MIT"),
        ("DocumentRef-a:LicenseRef-House", None),
    ],
)
def test_expressions(licence: str, chosen: str | None) -> None:
    ruling = rule(licence, allowed=ALLOWED)
    assert (ruling.chosen, ruling.readable) == (chosen, True)
    assert permits(licence, allowed=ALLOWED) is (chosen is not None)


@pytest.mark.parametrize(
    "licence",
    ["", "()", "MIT AND", "(MIT", "MIT MIT", "OR MIT", "MIT WITH", "WITH", "© Jane Doe, all rights reserved", "MIT/X11",
     "https://example.org/licence", "(MIT OR X) WITH Y", "(" * 400 + "MIT" + ")" * 400, "MIT OR " * 2000 + "X"],
)  # fmt: skip
def test_what_is_no_expression_is_told_apart(licence: str) -> None:
    ruling = rule(licence, allowed=ALLOWED)
    assert (ruling.chosen, ruling.readable) == (None, False)


@given(st.text(alphabet="MITORANDWH ()+.-\n", max_size=60) | st.text(max_size=40))
def test_nonsense_is_refused_and_never_crashes(licence: str) -> None:
    assert not permits(licence, allowed=[])
    chosen = rule(licence, allowed=["CC0-1.0"]).chosen
    assert chosen in (None, "CC0-1.0")


NAMES = st.sampled_from(["MIT", "CC0-1.0", "GPL-3.0-only"])
TREES = st.recursive(
    NAMES,
    lambda parts: st.tuples(parts, st.sampled_from(["AND", "OR"]), parts).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
)


@given(TREES)
def test_what_is_chosen_meets_the_expression(expression: str) -> None:
    ruling = rule(expression, allowed=["MIT", "CC0-1.0"])
    python = expression.replace("AND", "and").replace("OR", "or")
    truth = {"MIT": "True", "CC0-1.0": "True", "GPL-3.0-only": "False"}
    for name, value in truth.items():
        python = python.replace(name, value)
    assert ruling.readable
    assert (ruling.chosen is not None) == eval(python)
    assert set((ruling.chosen or "MIT").split(" AND ")) <= {"MIT", "CC0-1.0"}


def test_a_long_expression_takes_no_time() -> None:
    before = time.process_time()
    assert not permits("(" * 49 + "MIT OR X" * 10, allowed=ALLOWED)
    assert not permits("A" * 999, allowed=ALLOWED)
    assert time.process_time() - before < 0.5
