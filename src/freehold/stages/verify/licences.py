"""Check 9: every source's licence is one that the curation's policy allowed, and the bill of materials is complete."""

from __future__ import annotations

from typing import Any

from freehold.errors import GateError
from freehold.proof.bundle import SOURCES, step_path
from freehold.stages.verify import accounts, materials
from freehold.stages.verify.asked import Asked
from freehold.stages.verify.contents import Contents
from freehold.stages.verify.lineage import read_steps, source_rows
from freehold.stages.verify.report import Check, judged


def check(contents: Contents, asked: Asked) -> Check:
    """The verdict on licences and bill of materials."""
    return judged(9, lambda: licences(contents) + materials.check(contents))


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
    accounts.check(contents, steps["curate"])
    return f"{', '.join(sorted(seen)) or 'no licence'}: all allowed by the policy"


def licences_of(row: dict[str, Any], *, where: str) -> set[str]:
    """The licences of a source: its own, or those counted over its records. Raises GateError if there is neither."""
    single, several = row.get("licence"), row.get("licences")
    named = [] if single is None else [single]
    named += list(several) if isinstance(several, dict | list) else []
    if not named or not all(isinstance(name, str) and name for name in named):
        raise GateError(f"{row['name']}: no licence is given", where=where)
    return set(named)
