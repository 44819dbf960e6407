"""The ledger told as a story: from weights back to their sources, from a document on to everything it went into."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from freehold.errors import InputError
from freehold.proof.log import withdrawals
from freehold.stages.lineage.learned import learned, runs_of
from freehold.stages.lineage.ledger import Attested, attested, back, onward
from freehold.store.workspace import Workspace

SHORTEST: Final = 8  # digits of a digest that name something
FATES: Final = {"documents": "trained on", "held_out": "held out"}
ADVICE: Final = "give a charter, a release, 8 or more digits of an artifact's or of weights' digest, or a document id"


def story(workspace: Workspace, where: str, *, log: Path | None = None) -> dict[str, Any]:
    """Every attested step that leads to `where` or starts from it, with sources or the uses of a document.

    `where` is a charter (the newest artifact of every stage), a release folder, the beginning of an artifact's or of
    weights' digest, or the id of a document in a curated corpus; `log` is that of withdrawals. Raises InputError if
    the ledger knows none of them.
    """
    steps = attested(workspace)
    start = named(workspace, steps, where)
    if start:
        path = back(steps, start)
        path += [step for step in onward(steps, start) if step not in path]
        return told(where, [step for step in steps if step in path]) | {"sources": sources(path)}
    homes = {step.digest: facts for step in steps if step.stage == "curate" and (facts := fate_of(step.folder, where))}
    if not homes:
        raise InputError(f"the ledger knows nothing called {where!r}", where=str(workspace.folder), remedy=ADVICE)
    begun = [step for step in steps if step.digest in homes]
    path = onward(steps, begun)
    return told(where, [step for step in steps if step in path]) | {
        "document": next(reversed(homes.values())),
        "learned": learned_in(path, where),
        "evaluated": [step.digest for step in path if step.stage == "evaluate" and held_out(step, homes)],
        "releases": [step.digest for step in path if step.stage == "release"],
        "withdrawals": [
            {"number": entry.number, "level": level, "date": entry.date, "by": entry.by, "reason": entry.reason}
            for level, entry in withdrawals.levels_of(withdrawals.read(log), where).items()
        ],
    }


def named(workspace: Workspace, steps: Sequence[Attested], where: str) -> list[Attested]:
    """The steps that `where` names by path or digest; none for anything else."""
    place = Path(where)
    if (place / "evidence" / "steps").is_dir():
        found = [json.loads(path.read_bytes()) for path in sorted((place / "evidence" / "steps").iterdir())]
        digests = {statement["subject"][0]["digest"]["sha256"] for statement in found}
        own = [step for step in steps if step.stage == "release" and set(step.inputs.values()) == digests]
        return own or [step for step in steps if step.digest in digests]
    if place.exists():
        stages = {step.stage for step in steps}
        latest = {sealed.digest for stage in stages if (sealed := workspace.latest(stage))}
        return [step for step in steps if step.digest in latest]
    if len(where) < SHORTEST:
        return []
    return [step for step in steps if step.digest.startswith(where) or (step.weights or "").startswith(where)]


def told(where: str, steps: Sequence[Attested]) -> dict[str, Any]:
    """The question and its steps as JSON values."""
    return {"question": where, "steps": [asdict(step) | {"folder": str(step.folder)} for step in steps]}


def sources(path: Sequence[Attested]) -> list[dict[str, Any]]:
    """The sources of the corpora on the way: name, licences, where they were published."""
    found: dict[str, dict[str, Any]] = {}
    for step in path:
        table = step.folder / "sources.jsonl"
        if step.stage == "curate" and table.is_file():
            for row in map(json.loads, table.read_text(encoding="utf-8").splitlines()):
                several = row.get("licences")
                licences = sorted(several) if several else [row["licence"]] if row.get("licence") else []
                before = found.get(row["name"], {"curated": []})["curated"]
                facts = {"name": row["name"], "licences": licences, "origin": row.get("origin")}
                found[row["name"]] = facts | {"curated": [*before, step.digest]}
    return list(found.values())


def fate_of(artifact: Path, document: str) -> dict[str, Any] | None:
    """What a curated corpus did with a document: None where it never met it."""
    for folder, fate in FATES.items():
        for path in sorted((artifact / folder).glob("part-*.parquet")):
            columns = ["id", "source", "language", "licence", "title", "url", "origin"]
            if rows := pq.read_table(path, columns=columns, filters=[("id", "=", document)]).to_pylist():
                return {**rows[0], "fate": fate}
    if (artifact / "ledger.parquet").is_file():
        rows = pq.read_table(artifact / "ledger.parquet", filters=[("id", "=", document)]).to_pylist()
        if rows:
            return {**rows[0], "fate": f"dropped: {rows[0]['reason']}"}
    return None


def held_out(evaluate: Attested, homes: dict[str, dict[str, Any]]) -> bool:
    """Whether an evaluation measured bits per byte on the document: it was held out of the corpus it read."""
    return homes.get(evaluate.inputs.get("curate", ""), {}).get("fate") == "held out"


def learned_in(path: Sequence[Attested], document: str) -> list[dict[str, Any]]:
    """What every training run on the way took of the document."""
    shards = {step.digest: step for step in path if step.stage == "tokenize"}
    runs = [step for step in path if step.stage == "train" and step.inputs.get("tokenize") in shards]
    return [learned(run, shards[run.inputs["tokenize"]], document) for run in runs]


def lines(found: dict[str, Any]) -> list[str]:
    """The story for a reader."""
    out = [
        f"source {row['name']} ({', '.join(row['licences'])}) {row['origin'] or ''}" for row in found.get("sources", [])
    ]
    if document := found.get("document"):
        out.append(f"document {document['id']} ({document.get('licence') or document['source']}): {document['fate']}")
    for run in found.get("learned", []):
        out.append(f"  {taught(run)}")
    out += [f"  held out: measured by evaluate {digest[:16]}" for digest in found.get("evaluated", [])]
    out += [
        f"  withdrawn at {row['level']} on {row['date']} by {row['by']}: {row['reason']}"
        for row in found.get("withdrawals", [])
    ]
    for step in found["steps"]:
        weights = f"  weights {step['weights'][:16]}" if step["weights"] else ""
        out.append(f"{step['stage']:<10} {step['digest'][:16]}  {step['finished']}{weights}")
        out += [f"  from {name} {digest[:16]}" for name, digest in step["inputs"].items()]
        out += [f"  read {name} {digest[:16]}" for name, digest in step["files"].items()]
    return out


def taught(run: dict[str, Any]) -> str:
    """One training run's use of a document, in words."""
    name = f"train {run['artifact'][:16]}"
    if run["steps"] is None:
        return f"{name}: its steps cannot be told, the artifacts are no longer here"
    if not run["steps"]:
        return f"{name}: in none of {run['of']:,} batches"
    count = sum(entry["tokens"] * entry["times"] for entry in run["ranges"])
    how = "cut off, in the batches as filler" if run["cut_off"] else f"{count:,} tokens learned"
    return f"{name}: {how}, in the batches of steps {runs_of(run['steps'])} of {run['of']:,}"
