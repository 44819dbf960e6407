"""The training chain: one line per segment of steps, each naming the line before it by digest.

A line says which steps it covers, which documents they saw, seed and rate, and the weights at its end. The next
line holds the SHA-256 of this line's bytes, so no line can be changed, dropped or moved without every later one.
A stage may begin with a line for step 0: the weights before any document, as drawn from the published seed. The
first line of a chain that goes on from an open model has a field more, `base`: the digest of that model's weights.
Where documents were withdrawn, lines have a field more from the first step on that would have used one: `withdrawn`.

What a chain proves, and what not: drift and later tampering show; a publisher who computes a consistent false
chain from the start is caught only by replaying segments.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freehold.errors import GateError, InputError
from freehold.proof import canonical, merkle
from freehold.proof.digests import sha256_file
from freehold.proof.form import is_digest
from freehold.proof.statements import STAGE
from freehold.records import canonical_json

GENESIS = "0" * 64  # what the first line of a chain names as its predecessor
FIELDS = {"stage", "first_step", "last_step", "documents", "seed", "learning_rate", "checkpoint", "previous"}
MAY = {"base", "withdrawn"}  # fields that a line has only where they say something
MAX_CHAIN_BYTES = 8 << 20  # 20,000 segments


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Steps `first_step` to `last_step`, both included; steps count from 1 within a stage, 0 is before the first."""

    stage: str
    first_step: int
    last_step: int
    documents: str  # Merkle root over the ids of the documents in the batches, in the order they were seen
    seed: int
    learning_rate: float  # at the last step
    checkpoint: str  # `weights_digest` of the weights after the last step, as they would ship
    previous: str  # SHA-256 of the line before, or GENESIS
    base: str | None = None  # `weights_digest` of the open model that step 0 was made from; None: drawn from the seed
    withdrawn: str | None = None  # `withdrawn_root` of what was cut off up to the last step; None: nothing so far


def line(segment: Mapping[str, Any]) -> bytes:
    """A segment as its line of chain.jsonl, without the line feed."""
    return canonical_json(dict(segment))


def line_digest(row: bytes) -> str:
    """What the next line gives as `previous`."""
    return hashlib.sha256(row.removesuffix(b"\n")).hexdigest()


def last_digest(chain: bytes) -> str:
    """`previous` for the line that continues a chain.jsonl of these bytes; GENESIS when it is empty."""
    return line_digest(chain.removesuffix(b"\n").rpartition(b"\n")[2]) if chain else GENESIS


def documents_root(ids: Iterable[str]) -> str:
    """The digest of the documents of a segment: Merkle root (RFC 6962) over their ids in the order they were seen."""
    return merkle.root(name.encode() for name in ids)


def withdrawn_root(ids: Iterable[str]) -> str:
    """The digest of the documents that a run cut off so far: `documents_root` of their ids in order of code points."""
    return documents_root(sorted(ids))


def weights_digest(files: Mapping[str, str]) -> str:
    """One digest for weights, {file name: SHA-256}: that of the file, or of the canonical table of several."""
    if len(files) == 1:
        return next(iter(files.values()))
    return hashlib.sha256(canonical_json(dict(files))).hexdigest()


def weights_digest_of(folder: Path) -> str:
    """The same for the safetensors files of a model folder. Raises InputError if it has none."""
    found = {path.name: sha256_file(path) for path in sorted(folder.glob("*.safetensors"))}
    if not found:
        raise InputError("model.safetensors is missing", where=str(folder), remedy="give a complete folder")
    return weights_digest(found)


def parse(parts: Sequence[tuple[str, bytes]]) -> tuple[Segment, ...]:
    """Segments of a chain that is kept in several files (name, bytes), oldest first, every link checked.

    Raises GateError with file and line: a wrong `previous`, a gap or an overlap of steps, a stage that comes back,
    a field of the wrong kind.
    """
    segments: list[Segment] = []
    previous = GENESIS
    for name, data in parts:
        values = canonical.lines(data, where=name, max_bytes=MAX_CHAIN_BYTES)
        rows = data.removesuffix(b"\n").split(b"\n")
        for number, (value, row) in enumerate(zip(values, rows, strict=False), 1):
            where = f"{name}:{number}"
            segment = checked(value, first=not segments, where=where)
            if segment.previous != previous:
                raise GateError(f"previous is {segment.previous}, the line before has {previous}", where=where)
            follows(segments, segment, where=where)
            segments.append(segment)
            previous = line_digest(row)
    return tuple(segments)


def checked(value: object, *, first: bool, where: str) -> Segment:
    """One line's value as a Segment. Raises GateError if a field is missing, unknown or of the wrong kind.

    Only the first line of all, and only for step 0, may name a base.
    """
    if not isinstance(value, dict) or set(value) - MAY != FIELDS:
        raise GateError(f"a segment has exactly the fields {', '.join(sorted(FIELDS))}", where=where)
    if "base" in value and (not first or value["first_step"] != 0):
        raise GateError("only the weights before the first step of all can come from a base", where=where)
    kinds = {
        "stage": isinstance(value["stage"], str) and STAGE.fullmatch(value["stage"]) is not None,
        "documents": is_digest(value["documents"]),
        "checkpoint": is_digest(value["checkpoint"]),
        "previous": is_digest(value["previous"]),
        "base": "base" not in value or is_digest(value["base"]),
        "withdrawn": "withdrawn" not in value or is_digest(value["withdrawn"]),
        "seed": type(value["seed"]) is int,
        "first_step": type(value["first_step"]) is int,
        "last_step": type(value["last_step"]) is int,
        "learning_rate": type(value["learning_rate"]) in (int, float) and math.isfinite(value["learning_rate"]),
    }
    if wrong := [name for name, fits in kinds.items() if not fits]:
        raise GateError(f"{wrong[0]} is {value.get(wrong[0])!r}", where=where)
    return Segment(**value)


def follows(segments: Sequence[Segment], segment: Segment, *, where: str) -> None:
    """Raise GateError unless `segment` continues the steps before it."""
    last = segments[-1] if segments else None
    if last is not None and last.stage == segment.stage:
        due = last.last_step + 1
        if last.withdrawn is not None and segment.withdrawn is None:
            raise GateError("names nothing withdrawn, the line before does: what is cut off stays out", where=where)
    else:
        due = 0 if segment.first_step == 0 else 1
        if segment.stage in {earlier.stage for earlier in segments}:
            raise GateError(f"the stage {segment.stage} comes back after {last.stage if last else ''}", where=where)
    if segment.first_step != due:
        raise GateError(f"begins at step {segment.first_step}, the step due is {due}", where=where)
    if segment.last_step < segment.first_step:
        raise GateError(f"ends at step {segment.last_step}, before it begins", where=where)
    if segment.first_step == 0 and segment.last_step != 0:
        raise GateError("step 0 is the state before the first step and stands alone", where=where)
