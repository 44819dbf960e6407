"""Between reading and judging: what a source as a whole tells about its documents.

Imprints that recur across it, the bounds of quality that reference sources set, and the texts that labels name by id.
Looks at a sample chosen by a hash of the ids, so that time and memory do not grow with the source; leaves only hashes,
figures and the few lines that recur.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq

from freehold.stages.curate.models import language_model
from freehold.stages.curate.parts import mark, marked
from freehold.text import language
from freehold.text.privacy import redact
from freehold.text.repair import repair
from freehold.text.repair.recurring import imprints, recurs
from freehold.text.rules import RULES, Facts, measures

SAMPLE: Final = 1_000  # documents of a source that are looked at
LEAST: Final = 10  # documents in which a line must recur
ENOUGH: Final = 50  # reference documents of a language from which bounds are learned
TAIL: Final = 0.5  # per cent of the reference documents beyond a bound
ROOM: Final = 0.1  # of the bound, left beyond what was seen
SLACK: Final = 0.05  # as much again, so that nothing seen does not mean nothing allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveying:
    """One raw part to look over; every field survives JSON."""

    raw: str
    found: str  # path of what comes of it
    every: int  # one document in so many is looked at
    reference: bool
    language: str | None  # as the source declares
    model: str | None  # path of the language model
    wanted: tuple[str, ...]  # ids that labels name


@dataclass(slots=True, kw_only=True)
class Seen:
    """What was seen of a source."""

    documents: int = 0
    lines: Counter[str] = field(default_factory=Counter)  # key → documents
    examples: dict[str, str] = field(default_factory=dict)
    measured: dict[str, dict[str, list[float]]] = field(default_factory=dict)  # language → rule → values
    labelled: dict[str, str] = field(default_factory=dict)  # id → text


def survey(task: str) -> str:
    """Look over one part, unless that was done before. Takes a `Surveying` as JSON, returns what it counted."""
    surveying = Surveying(**json.loads(task))
    done = Path(surveying.found)
    if marked(done) is None:
        done.parent.mkdir(parents=True, exist_ok=True)
        mark(done, look_over(surveying))
    return str(done)


def look_over(surveying: Surveying) -> dict[str, Any]:
    """The lines, measures and labelled texts of a part."""
    seen = Seen()
    wanted = frozenset(surveying.wanted)
    for identity, text, markup, declared in texts_of(Path(surveying.raw)):
        if identity in wanted:
            seen.labelled[identity] = repair(text).text[:LABELLED]
        if not chosen(identity, every=surveying.every):
            continue
        seen.documents += 1
        if not markup:
            found = imprints(text)
            seen.lines.update(found.keys())
            seen.examples |= found
            if surveying.reference:
                measure(repair(text).text, declared or surveying.language, surveying=surveying, seen=seen)
    return {
        "documents": seen.documents,
        "lines": {key: [times, seen.examples[key]] for key, times in sorted(seen.lines.items())},
        "measured": seen.measured,
        "labelled": seen.labelled,
    }


LABELLED: Final = 4_000  # characters of a labelled text; the classifier looks at no more


def texts_of(path: Path) -> Iterator[tuple[str, str, bool, str | None]]:
    """Id, text, whether it is markup, and declared language of a part's records."""
    table = pq.read_table(path, columns=["id", "text", "markup", "language"])
    yield from zip(*(table.column(name).to_pylist() for name in table.column_names), strict=True)


def chosen(identity: str, *, every: int) -> bool:
    """Whether a document is in the sample: by its id, never by its place."""
    return every <= 1 or int.from_bytes(blake2b(identity.encode(), digest_size=8).digest()) % every == 0


def measure(text: str, declared: str | None, *, surveying: Surveying, seen: Seen) -> None:
    """What the rules measure of a reference document, under its language."""
    model = language_model(surveying.model)
    code = language.taken_for(language.identify(text, model=model), declared=declared, model=model)
    if code is None or not text:
        return
    values = seen.measured.setdefault(code, {})
    for name, value in measures(Facts(text, language=code)).items():
        values.setdefault(name, []).append(round(value, 6))


def gathered(found: Iterable[Path]) -> Seen:
    """What was seen of a source, over all its parts in reading order."""
    seen = Seen()
    for path in found:
        part = marked(path) or {}
        seen.documents += part["documents"]
        for key, (times, example) in part["lines"].items():
            seen.lines[key] += times
            seen.examples.setdefault(key, example)
        for code, values in part["measured"].items():
            for name, several in values.items():
                seen.measured.setdefault(code, {}).setdefault(name, []).extend(several)
        seen.labelled |= part["labelled"]
    return seen


def recurring_of(seen: Seen, *, share: float, rules: tuple[str, ...]) -> list[dict[str, Any]]:
    """The imprints that recur across a source, the most frequent first, personal data in them replaced."""
    return [
        {
            "key": key,
            "line": redact(seen.examples[key], rules=rules, language="").text,
            "documents": times,
            "of": seen.documents,
        }
        for key, times in sorted(seen.lines.items(), key=lambda each: (-each[1], each[0]))
        if share > 0 and recurs(times, seen.documents, share=share, least=LEAST)
    ]


def thresholds_of(references: Iterable[Seen]) -> dict[str, dict[str, dict[str, float]]]:
    """Language → rule → bounds, from the tails of what reference sources measure."""
    pooled: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for seen in references:
        for code, values in seen.measured.items():
            for name, several in values.items():
                pooled[code][name] += several
    return {code: bounds for code in sorted(pooled) if (bounds := learned_bounds(pooled[code]))}


def learned_bounds(values: Mapping[str, list[float]]) -> dict[str, dict[str, float]]:
    """The bounds of each rule that enough documents speak for."""
    bounds: dict[str, dict[str, float]] = {}
    for rule in RULES:
        several = values.get(rule.name, [])
        if not rule.learns or len(several) < ENOUGH:
            continue
        low, high = (float(value) for value in np.percentile(several, [TAIL, 100 - TAIL]))
        sides = {"low": round(low * (1 - ROOM) - SLACK, 6), "high": round(high * (1 + ROOM) + SLACK, 6)}
        bounds[rule.name] = {side: sides[side] for side in rule.learns}
    return bounds
