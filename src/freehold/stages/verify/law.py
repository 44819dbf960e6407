"""Check 8: law documents and bill of materials follow from the facts, byte for byte."""

from __future__ import annotations

from freehold.stages.verify.asked import Asked
from freehold.stages.verify.contents import Contents
from freehold.stages.verify.report import Check

GENERATED = ("evidence/law/", "evidence/bom/")


def check(contents: Contents, asked: Asked) -> Check | None:
    """The verdict on what was generated; None where a release carries nothing of the kind."""
    if not any(path.startswith(GENERATED) for path in contents.listed):
        return None
    detail = "this version does not regenerate law documents and bill of materials from the facts"
    return Check(number=8, verdict="NOT CHECKED", detail=detail)
