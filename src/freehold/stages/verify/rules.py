"""Checks 5 to 10 as far as this version goes: what it can judge it judges, the rest it names as not checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from freehold.errors import GateError, IncompleteError
from freehold.proof import canonical, chain
from freehold.proof.bundle import SOURCES, WITHDRAWALS, step_path
from freehold.stages.verify.contents import Contents
from freehold.stages.verify.lineage import read_steps, source_rows
from freehold.stages.verify.report import Check, judged

GENERATED = ("evidence/law/", "evidence/bom/")  # check 8 regenerates them, in a later version


def checks(contents: Contents, *, document: Path | None, replay: int | None) -> Iterator[Check]:
    """Those of checks 5 to 10 that apply to this release and this question."""
    if document is not None:
        detail = "this version makes no proof of documents: the release carries no document tree that it reads"
        yield Check(number=5, verdict="NOT CHECKED", detail=detail)
    if replay is not None:
        yield Check(number=6, verdict="NOT CHECKED", detail="this version does not recompute segments")
    if any(path.startswith(GENERATED) for path in contents.listed):
        detail = "this version does not regenerate law documents and bill of materials from the facts"
        yield Check(number=8, verdict="NOT CHECKED", detail=detail)
    yield judged(9, lambda: licences(contents))
    if WITHDRAWALS in contents.listed:
        yield judged(10, lambda: withdrawals(contents))


def licences(contents: Contents) -> str:
    """Every source's licence is one that the curation's policy allows. Raises GateError naming the source."""
    steps = read_steps(contents)
    if "curate" not in steps:
        raise GateError("no statement of the curation", where=step_path("curate"))
    policy = steps["curate"].parameters.get("policy")
    allowed = policy.get("licences") if isinstance(policy, dict) else None
    if not isinstance(allowed, list) or not all(isinstance(name, str) for name in allowed):
        raise GateError("names no licences that its policy allows", where=step_path("curate"))
    seen: set[str] = set()
    for number, row in enumerate(source_rows(contents), 1):
        joined = licences_of(row, where=f"{SOURCES}:{number}")
        named = {name for licence in joined for name in ([licence] if licence in allowed else licence.split(" AND "))}
        if wrong := sorted(named - set(allowed)):
            message = f"{row['name']}: the licence {wrong[0]} is not one that the policy allows"
            raise GateError(message, where=f"{SOURCES}:{number}")
        seen |= named
    return f"{', '.join(sorted(seen)) or 'no licence'}: all allowed by the policy"


def licences_of(row: dict[str, Any], *, where: str) -> set[str]:
    """The licences of a source: its own, or those counted over its records. Raises GateError if there is neither."""
    single, several = row.get("licence"), row.get("licences")
    named = [] if single is None else [single]
    named += list(several) if isinstance(several, dict | list) else []
    if not named or not all(isinstance(name, str) and name for name in named):
        raise GateError(f"{row['name']}: no licence is given", where=where)
    return set(named)


def withdrawals(contents: Contents) -> str:
    """The log is append-only as far as its links tell. Raises GateError at a broken link."""
    data = contents.read(WITHDRAWALS)
    previous = chain.GENESIS
    values = canonical.lines(data, where=WITHDRAWALS)
    for number, (value, row) in enumerate(zip(values, data.split(b"\n"), strict=False), 1):
        if not isinstance(value, dict) or value.get("previous") != previous:
            raise GateError("does not name the entry before it", where=f"{WITHDRAWALS}:{number}")
        previous = chain.line_digest(row)
    if values:
        raise IncompleteError(f"{len(values)} entries are linked; this version does not check their evidence")
    return "the log is empty"
