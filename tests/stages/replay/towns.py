"""Releases of a town whose artifacts are all held, and forgeries of them that are signed again from end to end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from freehold.proof import bundle, chain
from freehold.proof.canonical import canonical_json
from freehold.proof.digests import digest_of, manifest_of
from freehold.proof.signing import keys
from freehold.proof.signing.keys import KeyFiles
from freehold.store.workspace import Workspace

STAGES = ("curate", "tokenize", "train", "refine")
Change = Callable[[str, Path, dict[str, Any]], None]  # stage, its folder, its statement's predicate


def released(home: Path, release: Path, pair: KeyFiles) -> Path:
    """A sealed and signed release of the latest artifacts in a workspace."""
    workspace, made = Workspace(home), {}
    for stage in STAGES:
        sealed = workspace.latest(stage)
        assert sealed is not None
        made[stage] = sealed.digest
        copy(sealed.attestation, release / bundle.step_path(stage))
    for place, (stage, path) in bundle.COPIES.items():
        if stage in made and (source := home / "artifacts" / stage / made[stage] / path).is_file():
            copy(source, release / place)
    for path in (home / "artifacts" / "refine" / made["refine"] / "model").iterdir():
        copy(path, release / "model" / path.name)
    bundle.write_policy(release, parties={"ministry": pair.fingerprint}, threshold=1)
    bundle.seal(release, name="tiny", version="0.1.0", licence="Apache-2.0", inputs=made)
    bundle.sign_bundle(release, party="ministry", key=keys.load_private(pair.private))
    return release


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def forged(home: Path, target: Path, change: Change) -> Path:
    """A copy of a workspace in which `change` had its way with every artifact, and each was sealed again as sound."""
    shutil.copytree(home, target)
    workspace, made = Workspace(target), dict[str, str]()
    previous = chain.GENESIS
    for stage in STAGES:
        sealed = workspace.latest(stage)
        assert sealed is not None
        statement = sealed.statement()
        told = statement["predicate"]
        change(stage, sealed.path, told)
        if (file := sealed.path / "chain.jsonl").exists():
            previous = linked(file, previous)
        told["inputs"] = {name: made[name] for name in told["inputs"]}
        told["manifest"] = manifest_of(sealed.path)
        made[stage] = digest_of(told["manifest"])
        statement["subject"][0]["digest"]["sha256"] = made[stage]
        sealed.attestation.write_bytes(canonical_json(statement) + b"\n")
        sealed.path.rename(sealed.path.with_name(made[stage]))
    return target


def linked(file: Path, previous: str) -> str:
    """Give every line of a chain its true `previous` again; the digest of the last."""
    rows = [json.loads(line) for line in file.read_bytes().splitlines()]
    lines = []
    for row in rows:
        lines.append(chain.line({**row, "previous": previous}))
        previous = chain.line_digest(lines[-1])
    file.write_bytes(b"".join(line + b"\n" for line in lines))
    return previous


def with_line(stage: str, number: int, **fields: Any) -> Change:
    """A change of one line of a stage's chain."""

    def change(name: str, folder: Path, told: dict[str, Any]) -> None:
        if name == stage:
            file = folder / "chain.jsonl"
            rows = [json.loads(line) for line in file.read_bytes().splitlines()]
            rows[number] |= fields
            file.write_bytes(b"".join(chain.line(row) + b"\n" for row in rows))

    return change


def on_another_processor(name: str, folder: Path, told: dict[str, Any]) -> None:
    """A change of the stack that every stage says it ran on."""
    told["environment"] = {**told["environment"], "processor": "another"}
