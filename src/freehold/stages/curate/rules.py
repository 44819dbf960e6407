"""The charter's rules as the judging workers need them: one JSON file in the scratch folder."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from freehold.charter import Charter, where
from freehold.errors import InputError
from freehold.stages.curate.parts import mark, marked
from freehold.text import privacy
from freehold.text.language import canonical
from freehold.text.rights import OptOuts, parse_opt_outs


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a source says of all its records."""

    name: str
    licence: str | None
    language: str | None
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything a record is judged by."""

    languages: dict[str, str]  # canonical ISO 639-3 → the charter's own code
    licences: frozenset[str]
    redact: tuple[str, ...]
    names: privacy.Finder | None  # of persons' names
    opt_outs: OptOuts
    min_characters: int
    max_characters: int
    language_confidence: float
    sources: dict[str, Declared]


def write_rules(charter: Charter, path: Path) -> None:
    """Put the rules where the workers find them. Raises InputError for an opt-out list that cannot be read."""
    policy, curation = charter.policy, charter.curate
    check_privacy(charter)
    mark(
        path,
        {
            "languages": {canonical(language.code): language.code for language in charter.languages},
            "licences": policy.licences,
            "redact": policy.redact,
            "names": policy.names,
            "opt_outs": None if policy.opt_out == "none" else read_opt_outs(charter.resolve(policy.opt_out)),
            "min_characters": curation.min_characters,
            "max_characters": curation.max_characters,
            "language_confidence": curation.language_confidence,
            "sources": {
                source.name: {field.name: getattr(source, field.name) for field in fields(Declared)}
                for source in charter.sources
            },
        },
    )


def check_privacy(charter: Charter) -> None:
    """Raises InputError for a country whose ids nothing can check, or a finder of names that cannot be loaded."""
    for position, kind in enumerate(charter.policy.redact):
        if not privacy.expand([kind]):
            place = where(charter.path, ("policy", "redact"))
            message = f"policy.redact[{position}]: no id of {kind.partition(':')[2]} can be checked"
            raise InputError(message, where=place, remedy="see docs/reference/curation/privacy.md for the countries")
    if charter.policy.names:
        try:
            privacy.finder(charter.policy.names)
        except InputError as error:
            raise InputError(
                error.message, where=where(charter.path, ("policy", "names")), remedy=error.remedy
            ) from None


def read_opt_outs(path: Path) -> str:
    """The text of an opt-out list."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        fault = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else f"cannot be read: {error.strerror}"
        raise InputError(f"the opt-out list {fault}", where=str(path), remedy="mend [policy].opt_out") from None


@cache
def read_rules(path: str) -> Rules:
    """The rules of this run, read once per worker."""
    found: dict[str, Any] | None = marked(Path(path))
    assert found is not None, "the rules are written before the first worker starts"
    return Rules(
        languages=found["languages"],
        licences=frozenset(found["licences"]),
        redact=tuple(found["redact"]),
        names=privacy.finder(found["names"]) if found["names"] else None,
        opt_outs=parse_opt_outs(found["opt_outs"] or ""),
        min_characters=found["min_characters"],
        max_characters=found["max_characters"],
        language_confidence=found["language_confidence"],
        sources={name: Declared(**declared) for name, declared in found["sources"].items()},
    )
