"""Check 7: a sample of the evaluation's answers is scored again."""

from __future__ import annotations

from freehold.stages.verify.asked import Asked
from freehold.stages.verify.contents import Contents
from freehold.stages.verify.report import Check


def check(contents: Contents, asked: Asked) -> Check | None:
    """Not made by this version, and not asked for either."""
    return None
