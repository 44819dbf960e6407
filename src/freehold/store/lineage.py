"""The ledger told as a story: from an artifact back to its sources, from a document on to what it went into."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from freehold.errors import InputError
from freehold.plugins import need
from freehold.store.workspace import Workspace


def story(workspace: Workspace, where: str) -> dict[str, Any]:
    """Every attested step that leads to `where` or starts from it.

    `where` is a charter or release (the latest of every stage), the beginning of an artifact's digest, or the id of
    a document in the curated corpus. Raises InputError if the ledger knows none of them.
    """
    steps = attested(workspace)
    if Path(where).exists():
        latest = {sealed.digest for stage in ledger_stages(workspace) if (sealed := workspace.latest(stage))}
        return {"question": where, "steps": [step for step in steps if step["digest"] in latest]}
    named = [step for step in steps if len(where) >= 8 and step["digest"].startswith(where)]
    if named:
        back, on = closure(steps, named, forward=False), closure(steps, named, forward=True)
        return {"question": where, "steps": [step for step in steps if step in back or step in on]}
    sealed = workspace.latest("tokenize")
    document = find_document(sealed.path, where) if sealed else None
    if sealed is None or document is None:
        advice = "give a charter, 8 or more digits of an artifact's digest, or a document id of the curated corpus"
        raise InputError(f"the ledger knows nothing called {where!r}", where=str(workspace.folder), remedy=advice)
    start = [step for step in steps if step["digest"] == sealed.digest]
    chain = closure(steps, start, forward=False) + closure(steps, start, forward=True)
    return {"question": where, "document": document, "steps": [step for step in steps if step in chain]}


def ledger_stages(workspace: Workspace) -> list[str]:
    """Stages that have attested something here."""
    return sorted(folder.name for folder in (workspace.folder / "attestations").glob("*"))


def attested(workspace: Workspace) -> list[dict[str, Any]]:
    """Every attestation of the workspace, oldest first."""
    found = []
    for path in (workspace.folder / "attestations").glob("*/*.intoto.json"):
        statement = json.loads(path.read_bytes())
        predicate = statement["predicate"]
        found.append(
            {
                "stage": predicate["stage"],
                "digest": statement["subject"][0]["digest"]["sha256"],
                "inputs": predicate["inputs"],
                "files": predicate["files"],
                "finished": predicate["finished"],
            }
        )
    return sorted(found, key=lambda step: (step["finished"], step["stage"]))


def closure(steps: list[dict[str, Any]], start: list[dict[str, Any]], *, forward: bool) -> list[dict[str, Any]]:
    """Steps reachable from `start` along inputs, or against them for `forward`."""
    found, pending = list(start), list(start)
    while pending:
        here = pending.pop()
        for step in steps:
            linked = here["digest"] in step["inputs"].values() if forward else step["digest"] in here["inputs"].values()
            if linked and step not in found:
                found.append(step)
                pending.append(step)
    return found


def find_document(tokens: Path, document: str) -> dict[str, Any] | None:
    """Where a document's tokens stand in the shards, with its licence; None if no shard holds it."""
    parquet = need("pyarrow.parquet")

    for sidecar in sorted((tokens / "shards").glob("*.parquet")):
        rows = parquet.read_table(sidecar, filters=[("document", "=", document)]).to_pylist()
        if rows:
            return {"shard": sidecar.stem, **rows[0]}
    return None


def lines(found: dict[str, Any]) -> list[str]:
    """The story for a reader."""
    told = []
    if document := found.get("document"):
        told.append(f"document {document['document']} ({document['language']}, {document['licence']})")
        told.append(f"  {document['length']} tokens from {document['start']} in {document['shard']}")
    for step in found["steps"]:
        told.append(f"{step['stage']:<10} {step['digest'][:16]}  {step['finished']}")
        told += [f"  from {name} {digest[:16]}" for name, digest in step["inputs"].items()]
        told += [f"  read {name} {digest[:16]}" for name, digest in step["files"].items()]
    return told
