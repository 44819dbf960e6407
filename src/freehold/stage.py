"""What a stage is handed, and what leaving it means.

A stage is a function `run(stage)`. Everything it reads is named by SHA-256; leaving it seals the folder it filled
and writes an attestation that names inputs, parameters, code and outputs. The same names are the cache: equal
inputs, parameters, code and format give the artifact that is already there.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from freehold import charter_file
from freehold.charter import Charter
from freehold.errors import InputError
from freehold.journey import STEPS, Step
from freehold.plugins import part
from freehold.progress import Progress
from freehold.proof.digests import sha256_file
from freehold.proof.log import withdrawals
from freehold.proof.statements import stage_statement
from freehold.records import canonical_json
from freehold.store.atomic import place
from freehold.store.closure import code_digest
from freehold.store.environment import environment
from freehold.store.workspace import Sealed, Workspace, seal, told

SCRATCH = ".scratch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Everything an artifact is a function of; its digest is the cache key."""

    stage: str
    format: int
    code: str
    parameters: dict[str, Any]
    inputs: dict[str, str]  # stage → digest of its artifact
    files: dict[str, str]  # outside file → SHA-256

    @property
    def key(self) -> str:
        """SHA-256 of all fields."""
        named = [self.stage, self.format, self.code, self.parameters, self.inputs, self.files]
        return hashlib.sha256(canonical_json(named)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a stage goes about its work, never what comes of it; no part of its identity."""

    runner: str = "local"  # or "ray", or "ray://HOST:PORT"
    shard: tuple[int, int] | None = None  # this share of the units of work: number, of how many


@dataclass(slots=True, kw_only=True)
class Stage:
    """What `run` is handed. `output` and `scratch` survive a kill and are found again by the next run."""

    charter: Charter
    identity: Identity
    inputs: dict[str, Sealed]
    workspace: Workspace
    output: Path
    run_folder: Path  # for eyes: logs, plots, speeds; never an input of anything
    progress: Progress
    manner: Manner = field(default_factory=Manner)
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def scratch(self) -> Path:
        """Working files of an unfinished stage; removed when it is sealed."""
        folder = self.output / SCRATCH
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def workspace_folder(self) -> Path:
        """The workspace, for what lives beside artifacts (keys)."""
        return self.workspace.folder

    def input(self, name: str) -> Path:
        """The sealed folder of an earlier stage."""
        return self.inputs[name].path

    def digest(self, name: str) -> str:
        """SHA-256 of an earlier stage's artifact."""
        return self.inputs[name].digest

    def put(self, name: str, data: bytes) -> None:
        """Write one file of the artifact, whole or not at all; a killed run leaves nothing beside it."""
        place(self.output / name, data, scratch=self.scratch)

    def attestation(self, name: str) -> bytes:
        """The in-toto statement of an earlier stage."""
        return self.inputs[name].attestation.read_bytes()


def identify(charter: Charter, step: Step, inputs: dict[str, Sealed]) -> Identity:
    """The identity of a stage's artifact, given the earlier artifacts it reads."""
    files = {name: path for section in step.reads for name, path in charter.files(section).items()}
    return Identity(
        stage=step.name,
        format=step.format,
        code=code_digest(step.module),
        parameters={section: charter.parameters(section) for section in step.reads} | withdrawn(charter, step),
        inputs={name: sealed.digest for name, sealed in inputs.items()},
        files={name: file_digest(path) for name, path in sorted(files.items())},
    )


def withdrawn(charter: Charter, step: Step) -> dict[str, list[dict[str, str]]]:
    """What the log of withdrawals asks of a stage, as its parameter `withdrawn`: level, id and key of each document.

    Nothing at all where the log has no entry of a level that concerns it, so that an empty log changes no identity.
    """
    entries = withdrawals.read(charter.withdrawals) if step.withdrawn else ()
    rows = [
        {"level": entry.level, "id": one.id, "key": one.key}
        for entry in entries
        if entry.level in step.withdrawn
        for one in entry.documents
    ]
    return {"withdrawn": rows} if rows else {}


def find(
    workspace: Workspace, charter: Charter, step: Step, *, known: dict[str, Sealed | None] | None = None
) -> Sealed | None:
    """The stage's artifact for this charter and this code, if it is done; None otherwise."""
    known = {} if known is None else known
    if step.name not in known:
        needs = {need: find(workspace, charter, STEPS[need], known=known) for need in step.needs}
        inputs = {name: sealed for name, sealed in needs.items() if sealed is not None}
        complete = len(inputs) == len(needs)
        known[step.name] = workspace.find(step.name, identify(charter, step, inputs).key) if complete else None
    return known[step.name]


def inputs_of(workspace: Workspace, charter: Charter, step: Step) -> dict[str, Sealed]:
    """The earlier artifacts a stage reads. Raises InputError naming the first that is missing."""
    known: dict[str, Sealed | None] = {}
    found = {}
    for need in step.needs:
        sealed = find(workspace, charter, STEPS[need], known=known)
        if sealed is None:
            advice = f"freehold run {charter.path.name} --until {need}"
            raise InputError(f"{step.name} needs {need}, which has not run for this charter", remedy=advice)
        found[need] = sealed
    return found


def file_digest(path: Path) -> str:
    """SHA-256 of an outside file, remembered while its size and time stay. Raises InputError if it is unreadable."""
    try:
        facts = path.stat()
        return remembered_digest(path, facts.st_size, facts.st_mtime_ns)
    except OSError as error:
        advice = "mend or remove the file"
        raise InputError(f"cannot be read: {error.strerror}", where=str(path), remedy=advice) from None


@cache
def remembered_digest(path: Path, _size: int, _changed_ns: int) -> str:
    """SHA-256 of a file; size and time are part of the memory's key."""
    return sha256_file(path)


def forget(workspace: Workspace, charter: Charter, step: Step) -> bool:
    """Throw away what an unfinished run of the stage left; whether there was anything. Finished artifacts stay."""
    identity = identify(charter, step, inputs_of(workspace, charter, step))
    with workspace.lock(step.name):
        unfinished = workspace.partial(step.name, identity.key)
        if there := unfinished.exists():
            shutil.rmtree(unfinished)
    return there


def perform(
    *,
    charter: str,
    workspace: str,
    stage: str,
    run_folder: str,
    overrides: dict[str, Any] | None = None,
    runner: str = "local",
    shard: tuple[int, int] | None = None,
) -> dict[str, Any]:
    """Run one stage unless it is done: the entry point of every stage's job. Returns artifact and figures.

    Shards of a stage work side by side in one unfinished artifact and leave it unfinished.
    """
    step = STEPS[stage]
    manner = Manner(runner=runner, shard=(shard[0], shard[1]) if shard else None)  # JSON knows no tuples
    home, declared = Workspace(Path(workspace)), charter_file.load(charter, overrides)
    inputs = inputs_of(home, declared, step)
    identity = identify(declared, step, inputs)
    with home.lock(step.name, shared=manner.shard is not None), told(home.folder):
        sealed = home.find(step.name, identity.key)
        if sealed is None:
            output = home.partial(step.name, identity.key)
            output.mkdir(parents=True, exist_ok=True)
            begun = Stage(
                charter=declared,
                identity=identity,
                inputs=inputs,
                workspace=home,
                output=output,
                run_folder=Path(run_folder),
                progress=Progress(events=Path(run_folder) / "events.jsonl"),
                manner=manner,
            )
            if manner.shard is not None:
                part(f"freehold.stages.{stage}.run:run_shard")(begun)
                return {"artifact": None, "figures": begun.figures}
            sealed = build(begun)
        else:
            home.point(step.name, identity.key)
    return summary(sealed)


def visit(*, charter: str, workspace: str, run_folder: str, needs: tuple[str, ...]) -> Stage:
    """The train stage as one that only looks is handed it: with the artifacts it needs, and no artifact of its own.

    Raises InputError naming the first of `needs` that has not run.
    """
    home, declared = Workspace(Path(workspace)), charter_file.load(charter)
    step = replace(STEPS["train"], needs=needs)
    inputs = inputs_of(home, declared, step)
    folder = Path(run_folder)
    folder.mkdir(parents=True, exist_ok=True)
    return Stage(
        charter=declared,
        identity=identify(declared, step, inputs),
        inputs=inputs,
        workspace=home,
        output=folder,
        run_folder=folder,
        progress=Progress(events=folder / "events.jsonl"),
    )


def build(stage: Stage) -> Sealed:
    """Run the stage's code and make the folder it filled permanent."""
    begun = time.time()
    part(f"freehold.stages.{stage.identity.stage}.run:run")(stage)
    shutil.rmtree(stage.output / SCRATCH, ignore_errors=True)
    digest, manifest = seal(stage.output)
    statement = stage_statement(
        stage=stage.identity.stage,
        format=stage.identity.format,
        code=stage.identity.code,
        parameters=stage.identity.parameters,
        inputs=stage.identity.inputs,
        files=stage.identity.files,
        output=digest,
        manifest=manifest,
        figures=stage.figures,
        environment=environment(),
        started=begun,
        finished=time.time(),
    )
    return stage.workspace.keep(stage.identity.stage, stage.identity.key, digest=digest, statement=statement)


def summary(sealed: Sealed) -> dict[str, Any]:
    """What a finished stage tells: its artifact and the figures its attestation carries."""
    predicate = json.loads(sealed.attestation.read_bytes())["predicate"]
    return {"artifact": {"path": str(sealed.path), "digest": sealed.digest}, "figures": predicate["figures"]}
