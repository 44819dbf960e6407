"""The charter's rules as the judging workers need them: one JSON file in the scratch folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from freehold.charter import Charter
from freehold.errors import InputError
from freehold.stages.curate.models import language_model
from freehold.stages.curate.parts import mark, marked
from freehold.text.language import canonical
from freehold.text.rights import OptOuts, parse_opt_outs
from freehold.text.rules import Bounds


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
    opt_outs: OptOuts
    min_characters: int
    max_characters: int
    language_confidence: float
    sources: dict[str, Declared]
    mixed: str = "keep"
    language_model: str | None = None  # path
    classifier: str | None = None  # path of its weights
    thresholds: dict[str, dict[str, Bounds]] = field(default_factory=dict)
    recurring: dict[str, frozenset[str]] = field(default_factory=dict)  # source → keys of lines


def write_rules(charter: Charter, path: Path, *, learned: Mapping[str, Any] | None = None) -> None:
    """Put the rules where the workers find them. Raises InputError for a file of the charter's that cannot be read.

    `learned` is what looking over the sources taught: `recurring`, `thresholds` and `classifier`.
    """
    policy, curation = charter.policy, charter.curate
    mark(
        path,
        {
            "languages": {canonical(language.code): language.code for language in charter.languages},
            "licences": policy.licences,
            "redact": policy.redact,
            "opt_outs": None if policy.opt_out == "none" else read_opt_outs(charter.resolve(policy.opt_out)),
            "min_characters": curation.min_characters,
            "max_characters": curation.max_characters,
            "language_confidence": curation.language_confidence,
            "mixed": curation.mixed,
            "language_model": model_path(charter),
            **(learned or {}),
            "sources": {
                source.name: {part.name: getattr(source, part.name) for part in fields(Declared)}
                for source in charter.sources
            },
        },
    )


def model_path(charter: Charter) -> str | None:
    """The charter's own language model, opened once so that a file that is none is refused before the work begins."""
    name = charter.curate.language_model
    if name is None:
        return None
    path = str(charter.resolve(name))
    language_model(path)
    return path


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
        opt_outs=parse_opt_outs(found["opt_outs"] or ""),
        min_characters=found["min_characters"],
        max_characters=found["max_characters"],
        language_confidence=found["language_confidence"],
        sources={name: Declared(**declared) for name, declared in found["sources"].items()},
        mixed=found["mixed"],
        language_model=found["language_model"],
        classifier=found.get("classifier"),
        thresholds={
            code: {name: Bounds(**bounds) for name, bounds in learned.items()}
            for code, learned in found.get("thresholds", {}).items()
        },
        recurring={name: frozenset(keys) for name, keys in found.get("recurring", {}).items()},
    )
