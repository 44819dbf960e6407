"""The kinds of personal data, what stands for each in a text, and what a charter's word for several of them means."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from freehold.text.privacy.national import COUNTRIES

NATIONAL: Final = "national-id"
NAME: Final = "name"  # only a finder that the user brings yields it, so no rule asks for it
SIMPLE: Final = ("email", "iban", "crypto", "ip", "imei", "card", "phone")
ALL: Final = (*SIMPLE, *(f"{NATIONAL}:{country}" for country in COUNTRIES))


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """A half-open range of characters and the kind of personal data that stands there."""

    start: int
    end: int
    kind: str


def placeholder(kind: str) -> str:
    """What stands in the text instead of a value; it never holds a digit.

    >>> placeholder("iban"), placeholder("national-id:DE")
    ('<IBAN>', '<NATIONAL-ID:DE>')
    """
    return f"<{kind.upper()}>"


def expand(rules: Collection[str]) -> tuple[str, ...]:
    """Every kind that a charter's words mean: ``national-id`` is that of every country.

    >>> expand(["national-id:DE", "email"]), len(expand(["national-id"])) > 50
    (('email', 'national-id:DE'), True)
    """
    return tuple(kind for kind in ALL if kind in rules or kind.partition(":")[0] in rules)


def looked_for(rules: Collection[str], *, names: str | None) -> tuple[str, ...]:
    """Every kind whose count belongs into an account, with ``name`` where a finder looked for names."""
    return (*expand(rules), *((NAME,) if names else ()))
