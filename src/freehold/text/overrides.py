"""What a person decided about single documents: a licence, or a refusal, with the ground, the name and the day.

JSON Lines. Every line names documents by exactly one of `id`, `sha256` (of the text or the original bytes) and `url`
(its beginning), and says `decision` ("allow" or "refuse"), `ground`, `by` and `date`; `licence` takes the place of
what record and source say. The most particular line wins: an id before a digest, a digest before a URL, and of two
URLs the longer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final, Literal

from freehold.errors import InputError
from freehold.text.addresses import parse_address

SELECTORS: Final = ("id", "sha256", "url")
HEX: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One line of the file."""

    line: int
    decision: Literal["allow", "refuse"]
    ground: str
    by: str
    date: str  # ISO 8601
    licence: str | None = None
    id: str | None = None
    sha256: str | None = None
    url: str | None = None

    @property
    def named(self) -> str:
        """How the ledger and the report name it; the decision and its ground are in the charter's own file."""
        return f"overrides line {self.line}, {self.date}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """All decisions, by what they name."""

    ids: Mapping[str, Override]
    digests: Mapping[str, Override]
    urls: tuple[tuple[str, Override], ...]  # host and beginning of the path; longest first

    def match(self, identity: str, *, url: str | None, digests: Callable[[], Iterable[str]]) -> Override | None:
        """The decision on a document, or None; `digests` is only called where a decision names one."""
        if found := self.ids.get(identity):
            return found
        if self.digests and (found := next((self.digests[each] for each in digests() if each in self.digests), None)):
            return found
        place = plain(url) if url and self.urls else None
        return next((entry for start, entry in self.urls if place and place.startswith(start)), None)


def parse_overrides(text: str, *, where: str) -> tuple[Override, ...]:
    """Read the file. Raises InputError naming `where` and the line of the first fault."""
    found: list[Override] = []
    seen: dict[tuple[str, str], int] = {}
    for number, row in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        if not row.strip():
            continue
        try:
            entry = parse_override(row, number)
        except (ValueError, RecursionError) as error:
            fault = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            raise InputError(fault, where=f"{where}:{number}", remedy="mend that line") from None
        key = next((name, str(getattr(entry, name))) for name in SELECTORS if getattr(entry, name) is not None)
        if key in seen:
            message = f"line {seen[key]} decides on the same {key[0]}"
            raise InputError(message, where=f"{where}:{number}", remedy="keep one of them")
        seen[key] = number
        found.append(entry)
    return tuple(found)


def parse_override(row: str, number: int) -> Override:
    """One line. Raises ValueError saying what is wrong with it."""
    values: Any = json.loads(row)
    if not isinstance(values, dict) or not all(isinstance(value, str) and value.strip() for value in values.values()):
        raise ValueError("is no object of words")
    known = {field.name for field in fields(Override)} - {"line"}
    if strange := sorted(set(values) - known):
        raise ValueError(f'unknown key "{strange[0]}"')
    if missing := [name for name in ("decision", "ground", "by", "date") if name not in values]:
        raise ValueError(f"{missing[0]} is missing")
    if sum(name in values for name in SELECTORS) != 1:
        raise ValueError(f"names no document, or in several ways; give one of {', '.join(SELECTORS)}")
    if values["decision"] not in ("allow", "refuse"):
        raise ValueError('decision is neither "allow" nor "refuse"')
    if "sha256" in values and not HEX.fullmatch(values["sha256"]):
        raise ValueError("sha256 is not 64 digits of lower-case hex")
    if "url" in values and parse_address(values["url"]) is None:
        raise ValueError("url names no host")
    date.fromisoformat(values["date"])
    return Override(line=number, **values)


def indexed(entries: Iterable[Override]) -> Overrides:
    """The decisions, ready to be asked."""
    entries = list(entries)
    urls = [(plain(entry.url), entry) for entry in entries if entry.url]
    return Overrides(
        ids={entry.id: entry for entry in entries if entry.id},
        digests={entry.sha256: entry for entry in entries if entry.sha256},
        urls=tuple(sorted(((start or "", entry) for start, entry in urls), key=lambda pair: (-len(pair[0]), pair[0]))),
    )


def plain(url: str) -> str | None:
    """A URL as host and path in one spelling, or None."""
    address = parse_address(url)
    return address.host + address.path if address else None
