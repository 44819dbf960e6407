"""By which right a document may be used, or why it may not: before its text is looked at.

A person's decision comes first, then the licence of the record, else of its source, against the policy, then what the
host and the page said about training. A decision to allow also answers host and page; the list of those who opted
out is asked later and answers to nobody.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from freehold.stages.curate.readers import Raw
from freehold.stages.curate.rules import Declared, Rules
from freehold.text import rights
from freehold.text.overrides import Override


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a document may be used under, or the reason against it."""

    licence: str | None  # the one chosen; of a refused document the one named, where it is one
    ground: Literal["licence", "statute", "override"] | None = None
    override: int | None = None  # line of the decision
    reason: str | None = None
    detail: str | None = None


def grant(raw: Raw, *, declared: Declared, rules: Rules) -> Grant:
    """Judge the rights in a record.

    Reasons: ``refused-by-override``, ``licence-unknown``, ``licence-unparsable``, ``licence-not-allowed``,
    ``opted-out-robots``, ``opted-out-tdmrep``, ``opted-out-aipref``, ``opted-out-noai``.
    """
    decision = rules.overrides.match(raw.id, url=raw.url, digests=lambda: digests(raw))
    given = licence_of(raw, declared=declared, decision=decision, allowed=rules.licences)
    if given.reason or decision:
        return given
    page = raw.text if raw.markup else ""
    refusal = rules.notices.refuse(url=raw.url, retrieved=raw.retrieved, headers=raw.headers, page=page)
    if refusal:
        return Grant(licence=given.licence, ground=given.ground, reason=refusal.reason, detail=refusal.detail)
    return given


def licence_of(raw: Raw, *, declared: Declared, decision: Override | None, allowed: frozenset[str]) -> Grant:
    """The licence under which a record is taken, by the decision, the record or the source that names it."""
    line = decision.line if decision else None
    named = (decision and decision.licence) or raw.licence or declared.licence
    if decision and decision.decision == "refuse":
        known = named if named and rights.rule(named, allowed=allowed).readable else None
        return Grant(licence=known, override=line, reason="refused-by-override", detail=decision.named)
    if named is None:
        detail = "neither the record nor its source names one"
        return Grant(licence=None, override=line, reason="licence-unknown", detail=detail)
    ruling = rights.rule(named, allowed=allowed)
    if ruling.chosen is not None:
        statute = declared.statute is not None and rights.same(named, declared.licence)
        ground: Literal["licence", "statute", "override"] = "statute" if statute else "licence"
        return Grant(licence=ruling.chosen, ground="override" if decision else ground, override=line)
    if not ruling.readable:  # free text may name persons: it is measured, not repeated
        detail = f"{len(named)} characters that are no SPDX expression"
        return Grant(licence=None, override=line, reason="licence-unparsable", detail=detail)
    return Grant(licence=named[:200], override=line, reason="licence-not-allowed", detail=named[:200])


def digests(raw: Raw) -> list[str]:
    """The digests by which a decision may name a record: of its bytes, where the reader knows them, and of its text."""
    return [*([raw.checksum] if raw.checksum else []), hashlib.sha256(raw.text.encode("utf-8", "ignore")).hexdigest()]
