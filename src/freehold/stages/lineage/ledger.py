"""The attestations of a workspace as a graph: steps, and which of them lead to which."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from freehold.proof.chain import weights_digest
from freehold.store.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """One finished stage, as its attestation tells."""

    stage: str
    digest: str  # of its artifact
    inputs: Mapping[str, str]  # earlier stage → digest of its artifact
    files: Mapping[str, str]  # outside file → SHA-256
    weights: str | None  # digest of the weights it made, None: it made none
    finished: str
    folder: Path  # the artifact; it may have been swept


def attested(workspace: Workspace) -> list[Attested]:
    """Every attestation of the workspace, oldest first; of equal artifacts the first one."""
    found: dict[tuple[str, str], Attested] = {}
    for path in (workspace.folder / "attestations").glob("*/*.intoto.json"):
        statement = json.loads(path.read_bytes())
        told, digest = statement["predicate"], statement["subject"][0]["digest"]["sha256"]
        one = Attested(
            stage=told["stage"],
            digest=digest,
            inputs=told["inputs"],
            files=told["files"],
            weights=weights_of(told["manifest"]),
            finished=told["finished"],
            folder=workspace.folder / "artifacts" / told["stage"] / digest,
        )
        other = found.get((one.stage, digest))
        found[one.stage, digest] = one if other is None or one.finished < other.finished else other
    return sorted(found.values(), key=lambda step: (step.finished, step.stage))


def weights_of(manifest: Mapping[str, Mapping[str, str]]) -> str | None:
    """The digest of the weights in an artifact's model folder."""
    files = {
        path.removeprefix("model/"): facts["sha256"]
        for path, facts in manifest.items()
        if path.startswith("model/") and path.endswith(".safetensors")
    }
    return weights_digest(files) if files else None


def back(steps: Iterable[Attested], start: Iterable[Attested]) -> list[Attested]:
    """The steps that lead to `start`, and those themselves."""
    known, pending = {step.digest: step for step in steps}, list(start)
    found = {step.digest: step for step in pending}
    while pending:
        for digest in pending.pop().inputs.values():
            if digest in known and digest not in found:
                found[digest] = known[digest]
                pending.append(known[digest])
    return list(found.values())


def onward(steps: Iterable[Attested], start: Iterable[Attested]) -> list[Attested]:
    """The steps that `start` leads to, and those themselves."""
    every, pending = list(steps), list(start)
    found = {step.digest: step for step in pending}
    while pending:
        here = pending.pop().digest
        for step in every:
            if here in step.inputs.values() and step.digest not in found:
                found[step.digest] = step
                pending.append(step)
    return list(found.values())
