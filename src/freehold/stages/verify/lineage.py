"""Check 3: no gap from release to corpus. Every step's inputs are an earlier step's outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from freehold.errors import GateError
from freehold.proof import canonical, statements
from freehold.proof.bundle import (
    COPIES,
    MAX_RELEASE_BYTES,
    RELEASE,
    REQUIRED,
    SOURCES,
    STEPS,
    TREE,
    WITHDRAWN_KEYS,
    step_path,
)
from freehold.proof.form import is_digest
from freehold.proof.statements import StageStatement
from freehold.stages.verify import readings
from freehold.stages.verify.contents import Contents

BESIDE = ("policy", "curate", "against", "packs")  # what curate reads beside the sources; no source has such a name
READS = {"tokenize": "curate", "train": "tokenize", "refine": "train"}  # what each must have read, among others
APART = ("withdrawn",)  # parameters that are no table of the charter: each stage has its own
CARD = "model/README.md"  # the one file of the model that the release itself writes
TOKENIZER = "tokenizer.json"
MAKERS = ("refine", "train")  # whose model is shipped: the first of them that the release was made from
MAX_STEPS, MAX_STEPS_BYTES = 64, 7 << 20
WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".h5", ".onnx", ".msgpack", ".pkl", ".npz")


def check(contents: Contents) -> str:
    """What held, in words. Raises GateError at the first gap."""
    steps = read_steps(contents)
    linked(steps)
    agreed(steps)
    copied(contents, steps)
    shipped(contents, steps)
    files = read_sources(contents, steps)
    readings.check(contents, steps)
    return f"{len(steps)} steps, from {files} files of sources to the shipped model"


def read_steps(contents: Contents) -> dict[str, StageStatement]:
    """The statement of every stage that the release was made from. Raises GateError: one missing, one too many."""
    index = contents.required_index()
    named = {step_path(stage) for stage in index.inputs}
    present = {path for path in contents.listed if path.startswith(f"{STEPS}/")}
    if spare := sorted(present - named):
        raise GateError("a statement of no stage that the release was made from", where=spare[0])
    if len(named) > MAX_STEPS or sum(contents.size(path) for path in named) > MAX_STEPS_BYTES:
        message = f"more than {MAX_STEPS} steps, or more than {MAX_STEPS_BYTES:,} bytes of statements"
        raise GateError(message, where=STEPS)
    steps = {}
    for stage, digest in index.inputs.items():
        where = step_path(stage)
        step = statements.parse(contents.read(where).removesuffix(b"\n"), where=where)
        if step.stage != stage:
            raise GateError(f"a statement of {step.stage}", where=where)
        if step.output != digest:
            raise GateError(f"made {step.output}, {RELEASE} was made from {digest}", where=where)
        steps[stage] = step
    return steps


def linked(steps: Mapping[str, StageStatement]) -> None:
    """Raise GateError unless every input is an output of an earlier step, and all of it begins with the corpus."""
    if "curate" not in steps:
        raise GateError("the lineage does not reach the corpus: no step curate", where=RELEASE)
    for stage, step in steps.items():
        for name, digest in step.inputs.items():
            if name not in steps:
                raise GateError(f"its input {name} has no statement", where=step_path(stage))
            if digest != steps[name].output:
                raise GateError(f"read {name} {digest}, which is not what {name} made", where=step_path(stage))
    pending = dict(steps)
    while pending:
        ready = [stage for stage, step in pending.items() if not step.inputs.keys() & pending.keys()]
        if not ready:
            raise GateError("steps are one another's inputs", where=step_path(min(pending)))
        for stage in ready:
            del pending[stage]
    if rootless := sorted(stage for stage, step in steps.items() if not step.inputs and stage != "curate"):
        raise GateError("has no input: only the corpus may begin", where=step_path(rootless[0]))


def agreed(steps: Mapping[str, StageStatement]) -> None:
    """Raise GateError where stages that belong together did not: other inputs than due, other words of one charter."""
    needs = READS | ({"evaluate": maker_of(steps)} if "evaluate" in steps else {})
    for stage, need in needs.items():
        if stage in steps and need in steps and need not in steps[stage].inputs:
            raise GateError(f"did not read {need}", where=step_path(stage))
    told: dict[str, tuple[str, Any]] = {}
    for stage, step in steps.items():
        for table, words in step.parameters.items():
            if table in APART:
                continue
            first, said = told.setdefault(table, (stage, words))
            if said != words:
                raise GateError(f"its [{table}] is not that of {first}: one charter has one", where=step_path(stage))


def copied(contents: Contents, steps: Mapping[str, StageStatement]) -> None:
    """Raise GateError unless evidence that is a stage's output is in the release byte for byte."""
    for place, (stage, path) in COPIES.items():
        if place == TREE and WITHDRAWN_KEYS in contents.listed:
            continue  # curate's tree less what was withdrawn since: check 10 puts it together again
        if place in contents.listed:
            made = steps[stage].manifest.get(path, {}) if stage in steps else {}
            if made.get("sha256") != contents.listed[place] or made["size"] != contents.size(place):
                raise GateError(f"is not the {path} that {stage} made", where=place)
        elif place in REQUIRED and stage in steps:
            raise GateError("is not part of the release", where=place)


def shipped(contents: Contents, steps: Mapping[str, StageStatement]) -> None:
    """Raise GateError unless model/ holds what the last training stage left there, and the card beside it alone."""
    maker = maker_of(steps)
    made = {path: facts for path, facts in steps[maker].manifest.items() if path.startswith("model/")}
    if not any(path.endswith(WEIGHTS) for path in made):
        raise GateError("made no weights", where=step_path(maker))
    for path, facts in made.items():
        if path not in contents.listed:
            if path.endswith(WEIGHTS):
                raise GateError(f"{maker} made it, the release does not carry it", where=path)
        elif contents.listed[path] != facts["sha256"] or contents.size(path) != facts["size"]:
            raise GateError(f"is not what {maker} made", where=path)
    present = {path for path in contents.listed if path.startswith("model/") and path != CARD}
    if foreign := sorted(present - made.keys(), key=lambda path: (not path.endswith(WEIGHTS), path)):
        what = "weights" if foreign[0].endswith(WEIGHTS) else "a file"
        raise GateError(f"{what} that {maker} did not make", where=foreign[0])
    cut = steps["tokenize"].manifest.get(TOKENIZER) if "tokenize" in steps else None
    if cut is not None and (of_model := made.get(f"model/{TOKENIZER}")) is not None and of_model != cut:
        raise GateError("is not the tokenizer that tokenize made", where=f"model/{TOKENIZER}")


def maker_of(steps: Mapping[str, StageStatement]) -> str:
    """The stage whose model is shipped. Raises GateError if none trained."""
    for stage in MAKERS:
        if stage in steps:
            return stage
    raise GateError("made from no training stage", where=RELEASE)


def read_sources(contents: Contents, steps: Mapping[str, StageStatement]) -> int:
    """Number of source files, the same in sources.jsonl and in what curate read. Raises GateError if they differ."""
    read = steps["curate"].files
    rows = {row["name"]: row for row in source_rows(contents)}
    named = {name: {file["sha256"] for file in row["files"]} for name, row in rows.items()}
    for name, digests in named.items():
        if strange := sorted(digests - set(read.values())):
            raise GateError(f"{name} lists a file {strange[0]} that curate did not read", where=SOURCES)
        for file in rows[name]["files"]:
            if read.get(file.get("path")) != file["sha256"]:
                raise GateError(
                    f"{name} lists {file.get('path')}, which curate did not read as it stands there", where=SOURCES
                )
    for name, digest in read.items():
        source = name.split("/")[0]
        if source not in BESIDE and digest not in named.get(source, set()):
            raise GateError(f"curate read {name}, which no source lists", where=SOURCES)
    return sum(len(digests) for digests in named.values())


def source_rows(contents: Contents) -> list[dict[str, Any]]:
    """Rows of sources.jsonl with a name and digests of files. Raises GateError if one is malformed or named twice."""
    rows = canonical.lines(contents.read(SOURCES), where=SOURCES, max_bytes=MAX_RELEASE_BYTES)
    seen: set[str] = set()
    for number, row in enumerate(rows, 1):
        where = f"{SOURCES}:{number}"
        if not isinstance(row, dict) or not isinstance(row.get("name"), str) or row["name"] in seen:
            raise GateError("a source without a name of its own", where=where)
        files = row.get("files")
        if not isinstance(files, list) or not all(isinstance(file, dict) and "sha256" in file for file in files):
            raise GateError("a source without digests of its files", where=where)
        if not all(is_digest(file["sha256"]) for file in files):
            raise GateError("a digest that is none", where=where)
        seen.add(row["name"])
    return rows
