"""What curating learns from the sources before it judges them: imprints, bounds, the charter's own classifier."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from freehold.charter import Charter
from freehold.stages.curate.labels import Label, read_labels, train
from freehold.stages.curate.output import write_json
from freehold.stages.curate.overview import SAMPLE, Seen, Surveying, gathered, recurring_of, survey, thresholds_of
from freehold.stages.curate.rules import model_path

WEIGHTS = "classifier.npy"
Each = Callable[[Callable[[str], str], Sequence[str]], Iterable[str]]  # does a function for every task


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A raw part of a source, and how many records the source has."""

    source: str
    raw: Path
    number: int  # in reading order
    records: int


def learn_from(charter: Charter, parts: Sequence[Part], *, scratch: Path, output: Path, each: Each) -> dict[str, Any]:
    """Look over all parts; leaves `recurring.json`, `thresholds.json` and, with labels, `classifier.json`.

    Returns what judging needs of it (see `rules.write_rules`).
    """
    labels = read_labels(charter.resolve(charter.curate.labels)) if charter.curate.labels else ()
    tasks = surveyings(charter, parts, labels, scratch=scratch)
    for _ in each(survey, [json.dumps(asdict(task)) for task in tasks]):
        pass
    seen: dict[str, Seen] = {}
    for source in charter.sources:
        paths = [Path(task.found) for task, part in zip(tasks, parts, strict=True) if part.source == source.name]
        seen[source.name] = gathered(paths)
    recurring = {
        name: recurring_of(found, share=charter.curate.recurring_lines, rules=charter.policy.redact)
        for name, found in seen.items()
    }
    bounds = thresholds_of(seen[source.name] for source in charter.sources if source.reference)
    write_json(output / "recurring.json", recurring)
    write_json(output / "thresholds.json", bounds)
    if labels:
        texts = {identity: text for found in seen.values() for identity, text in found.labelled.items()}
        weights, told = train(labels, texts, where=str(charter.curate.labels))
        np.save(output / WEIGHTS, weights)
        write_json(output / "classifier.json", told)
    return learned_of(output)


def learned_of(artifact: Path) -> dict[str, Any]:
    """What judging needs of what a curation learned, from the files that it left in its artifact."""
    recurring, bounds = (json.loads((artifact / name).read_bytes()) for name in ("recurring.json", "thresholds.json"))
    keys = {name: sorted(line["key"] for line in lines) for name, lines in recurring.items()}
    weights = {"classifier": str(artifact / WEIGHTS)} if (artifact / WEIGHTS).is_file() else {}
    return {"recurring": keys, "thresholds": bounds, **weights}


def surveyings(charter: Charter, parts: Sequence[Part], labels: tuple[Label, ...], *, scratch: Path) -> list[Surveying]:
    """One task for each part."""
    sources = {source.name: source for source in charter.sources}
    wanted = tuple(sorted({label.id for label in labels if label.id is not None and not label.text}))
    return [
        Surveying(
            raw=str(part.raw),
            found=str(scratch / "survey" / f"{part.number:06d}.json"),
            every=max(1, part.records // SAMPLE),
            reference=sources[part.source].reference,
            language=sources[part.source].language,
            model=model_path(charter),
            wanted=wanted,
        )
        for part in parts
    ]
