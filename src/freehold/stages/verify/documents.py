"""Check 5: whether a document was learned from, by inclusion or non-inclusion in the tree of documents."""

from __future__ import annotations

from freehold.stages.verify.asked import Asked
from freehold.stages.verify.contents import Contents
from freehold.stages.verify.report import Check


def check(contents: Contents, asked: Asked) -> Check | None:
    """The verdict on the document asked about; None where none was asked about."""
    if asked.document is None:
        return None
    detail = "this version makes no proof of documents: the release carries no document tree that it reads"
    return Check(number=5, verdict="NOT CHECKED", detail=detail)
