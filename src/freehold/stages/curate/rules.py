"""The charter's rules as the judging workers need them: one JSON file in the scratch folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from freehold.charter import Charter, where
from freehold.errors import InputError
from freehold.proof.tree import sparse
from freehold.stages.curate.models import language_model
from freehold.stages.curate.notices import agents
from freehold.stages.curate.parts import mark, marked
from freehold.text import privacy, rights
from freehold.text.language import canonical
from freehold.text.notices import Notice, Notices, by_host
from freehold.text.optout_list import OptOuts, parse_opt_outs
from freehold.text.overrides import Override, Overrides, indexed, parse_overrides
from freehold.text.rules import Bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a source says of all its records."""

    name: str
    licence: str | None
    language: str | None
    origin: str
    statute: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """Documents that may not come back (W1 of the log of withdrawals), known by id and, if that changes, by text."""

    ids: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()  # of texts in the tree of documents, hex

    def names(self, identity: str, text: str) -> str | None:
        """By what a document is known to be withdrawn, or None."""
        if identity in self.ids:
            return "id"
        return "text" if self.keys and sparse.key_of_text(text).hex() in self.keys else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything a record is judged by."""

    languages: dict[str, str]  # canonical ISO 639-3 → the charter's own code
    licences: frozenset[str]
    redact: tuple[str, ...]
    names: privacy.Finder | None  # of persons' names
    opt_outs: OptOuts
    overrides: Overrides
    notices: Notices
    min_characters: int
    max_characters: int
    language_confidence: float
    sources: dict[str, Declared]
    packs: tuple[str, ...]
    contaminated: str
    mixed: str = "keep"
    language_model: str | None = None  # path
    classifier: str | None = None  # path of its weights
    thresholds: dict[str, dict[str, Bounds]] = field(default_factory=dict)
    recurring: dict[str, frozenset[str]] = field(default_factory=dict)  # source → keys of lines
    withdrawn: Withdrawn = Withdrawn()


def write_rules(
    charter: Charter,
    path: Path,
    notices: Iterable[Notice] = (),
    *,
    learned: Mapping[str, Any] | None = None,
    withdrawn: Sequence[Mapping[str, str]] = (),
) -> None:
    """Put the rules where the workers find them. Raises InputError for files of the charter's that cannot be read and
    for a source's licence that the policy does not allow.

    `learned` is what looking over the sources taught: `recurring`, `thresholds` and `classifier`; `withdrawn` are the
    documents (id, key) that may not come back.
    """
    policy, curation = charter.policy, charter.curate
    check_licences(charter)
    check_privacy(charter)
    mark(
        path,
        {
            "languages": {canonical(language.code): language.code for language in charter.languages},
            "licences": policy.licences,
            "redact": policy.redact,
            "names": policy.names,
            "opt_outs": None if policy.opt_out == "none" else read_list(charter, "opt_out"),
            "overrides": [asdict(override) for override in read_overrides(charter)],
            "notices": {
                "notices": [asdict(notice) for notice in notices],
                "when": policy.opt_out_time,
                "agents": agents(),
                "own": policy.agent,
            },
            "min_characters": curation.min_characters,
            "max_characters": curation.max_characters,
            "language_confidence": curation.language_confidence,
            "mixed": curation.mixed,
            "language_model": model_path(charter),
            "packs": [str(path) for path in charter.packs],
            "contaminated": curation.contaminated,
            "withdrawn": {"ids": [row["id"] for row in withdrawn], "keys": [row["key"] for row in withdrawn]},
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


def check_licences(charter: Charter) -> None:
    """Refuse a source whose licence cannot be met by the policy. Raises InputError with the charter's line."""
    for position, source in enumerate(charter.sources):
        if source.licence is None:
            continue
        ruling = rights.rule(source.licence, allowed=charter.policy.licences)
        if ruling.chosen is None:
            fault = "is not allowed by [policy].licences" if ruling.readable else "is no SPDX expression"
            raise InputError(
                f'sources[{position}].licence: "{source.licence}" {fault}',
                where=where(charter.path, ("sources", position, "licence")),
                remedy="remove the source or allow the licence",
            )


def read_overrides(charter: Charter) -> tuple[Override, ...]:
    """The decisions on single documents. Raises InputError naming file and line."""
    if charter.policy.overrides is None:
        return ()
    return parse_overrides(read_list(charter, "overrides"), where=charter.policy.overrides)


def read_list(charter: Charter, key: str) -> str:
    """The text of a list that a key of [policy] names."""
    path = charter.resolve(getattr(charter.policy, key))
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        fault = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else f"cannot be read: {error.strerror}"
        raise InputError(f"the list {fault}", where=str(path), remedy=f"mend [policy].{key}") from None


def notices_of(found: dict[str, Any]) -> Notices:
    """The notices of hosts, ready to be asked."""
    known = by_host(Notice(**notice) for notice in found["notices"])
    return Notices(by_host=known, when=found["when"], agents=tuple(found["agents"]), own=found["own"])


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
        overrides=indexed(Override(**override) for override in found["overrides"]),
        notices=notices_of(found["notices"]),
        min_characters=found["min_characters"],
        max_characters=found["max_characters"],
        language_confidence=found["language_confidence"],
        packs=tuple(found["packs"]),
        contaminated=found["contaminated"],
        sources={name: Declared(**declared) for name, declared in found["sources"].items()},
        mixed=found["mixed"],
        language_model=found["language_model"],
        classifier=found.get("classifier"),
        thresholds={
            code: {name: Bounds(**bounds) for name, bounds in learned.items()}
            for code, learned in found.get("thresholds", {}).items()
        },
        withdrawn=Withdrawn(**{name: frozenset(values) for name, values in found["withdrawn"].items()}),
        recurring={name: frozenset(keys) for name, keys in found.get("recurring", {}).items()},
    )
