"""What a stage swears: an in-toto Statement (v1) that names inputs, parameters, code and outputs by digest.

https://github.com/in-toto/attestation/tree/main/spec/v1
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from freehold.errors import GateError
from freehold.proof.canonical import canonical_json, load
from freehold.proof.digests import digest_of
from freehold.proof.form import is_digest, named_digests
from freehold.proof.names import problem

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
STAGE_PREDICATE = "https://freehold/stage/v1"
INSTANT = re.compile(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d\.\d{3}Z", re.ASCII)
STAGE = re.compile(r"[a-z][a-z0-9_]{0,63}")
PREDICATE = {
    "stage",
    "format",
    "code",
    "parameters",
    "inputs",
    "files",
    "manifest",
    "figures",
    "environment",
    "started",
    "finished",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStatement:
    """A stage's statement after its form was checked."""

    stage: str
    output: str  # digest of the artifact's manifest
    manifest: Mapping[str, Mapping[str, Any]]  # path → {"sha256", "size"}
    inputs: Mapping[str, str]  # earlier stage → digest of its artifact
    files: Mapping[str, str]  # outside file → SHA-256
    parameters: Mapping[str, Any]
    figures: Mapping[str, Any]  # as they were told
    environment: Mapping[str, Any]  # as it was told; nothing rests on its form
    seconds: float  # that it took where it ran; 0 where its times are none


def stage_statement(
    *,
    stage: str,
    format: int,
    code: str,
    parameters: Mapping[str, Any],
    inputs: Mapping[str, str],
    files: Mapping[str, str],
    output: str,
    manifest: Mapping[str, Mapping[str, Any]],
    figures: Mapping[str, Any],
    environment: Mapping[str, Any],
    started: float,
    finished: float,
) -> bytes:
    """The statement of one run as one line of canonical JSON; `started` and `finished` in seconds since 1970 (UTC)."""
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": f"artifact/{stage}", "digest": {"sha256": output}}],
        "predicateType": STAGE_PREDICATE,
        "predicate": {
            "stage": stage,
            "format": format,
            "code": code,
            "parameters": parameters,
            "inputs": inputs,
            "files": files,
            "manifest": manifest,
            "figures": figures,
            "environment": environment,
            "started": instant(started),
            "finished": instant(finished),
        },
    }
    return canonical_json(statement) + b"\n"


def instant(seconds: float) -> str:
    """RFC 3339 in UTC, to the millisecond: ``instant(0) == '1970-01-01T00:00:00.000Z'``."""
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(data: bytes, *, where: str) -> StageStatement:
    """A stage's statement, its form checked and its output's digest recomputed from its manifest.

    Raises GateError at `where` for anything else: another type, a missing or unknown field, a digest that is none.
    """

    def hold(condition: bool, message: str) -> None:
        if not condition:
            raise GateError(message, where=where)

    statement = load(data, where=where)
    hold(isinstance(statement, dict) and statement.get("_type") == STATEMENT_TYPE, "no in-toto Statement v1")
    hold(statement.get("predicateType") == STAGE_PREDICATE, f"no statement of type {STAGE_PREDICATE}")
    hold(set(statement) == {"_type", "subject", "predicateType", "predicate"}, "a field too many or too few")
    predicate, subject = statement["predicate"], statement["subject"]
    hold(isinstance(predicate, dict) and set(predicate) == PREDICATE, "the predicate has a field too many or too few")
    stage = predicate["stage"]
    hold(isinstance(stage, str) and STAGE.fullmatch(stage) is not None, "the stage has no name")
    digest = digest_of(checked_manifest(predicate["manifest"], where=where))
    wanted = [{"name": f"artifact/{stage}", "digest": {"sha256": digest}}]
    hold(subject == wanted, f"its subject is not artifact/{stage} with the digest {digest} of its own manifest")
    hold(isinstance(predicate["parameters"], dict), "its parameters are no table")
    hold(isinstance(predicate["environment"], dict), "its environment is no table")
    hold(isinstance(predicate["figures"], dict), "its figures are no table")
    hold(is_digest(predicate["code"]), "its code is no digest")
    hold(type(predicate["format"]) is int and predicate["format"] > 0, "its format is no number")
    times = [predicate["started"], predicate["finished"]]
    hold(all(map(is_instant, times)) and times[0] <= times[1], "its times are none, or end before they begin")
    return StageStatement(
        stage=stage,
        output=digest,
        manifest=predicate["manifest"],
        inputs=named_digests(predicate["inputs"], where=where, what="inputs"),
        files=named_digests(predicate["files"], where=where, what="files"),
        parameters=predicate["parameters"],
        figures=predicate["figures"],
        environment=predicate["environment"],
        seconds=seconds_between(predicate["started"], predicate["finished"]),
    )


def seconds_between(started: object, finished: object) -> float:
    """Seconds from one instant to another as `instant` writes them; 0 for anything else.

    >>> seconds_between(instant(1), instant(3.5))
    2.5
    """
    try:
        begun, ended = (datetime.fromisoformat(str(moment)) for moment in (started, finished))
        return max(0.0, (ended - begun).total_seconds())
    except (ValueError, TypeError):  # TypeError: one instant with a time zone, one without
        return 0.0


def is_instant(value: object) -> bool:
    """Whether a value is an instant as `instant` writes it; such texts are in the order of time."""
    return isinstance(value, str) and INSTANT.fullmatch(value) is not None


def checked_manifest(value: object, *, where: str) -> dict[str, dict[str, Any]]:
    """A table path → {"sha256", "size"} with safe paths. Raises GateError if it is anything else."""
    if not isinstance(value, dict):
        raise GateError("the manifest is no table", where=where)
    for path, facts in value.items():
        if reason := problem(path):
            raise GateError(f"the manifest names {path!r}: {reason}", where=where)
        if not isinstance(facts, dict) or set(facts) != {"sha256", "size"} or not is_digest(facts["sha256"]):
            raise GateError(f"the manifest does not give sha256 and size of {path!r}", where=where)
        if type(facts["size"]) is not int or facts["size"] < 0:
            raise GateError(f"the manifest gives {path!r} no size", where=where)
    return value
