"""The rights report: by source and licence, what was kept and what was refused, and on which ground.

It is counted from the same rows as the account and adds up to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from freehold.charter import Charter
from freehold.stages.curate.account import Account
from freehold.stages.curate.output import Decisions
from freehold.stages.curate.parts import read_rows
from freehold.text.addresses import parse_address
from freehold.text.notices import Notice
from freehold.text.overrides import Override

REFUSALS: Final = ("licence-", "opted-out-", "refused-by-override")  # how reasons of rights begin
COLUMNS: Final = ("row", "source", "licence", "ground", "override", "reason", "bytes", "url", "evidence")
HOSTS_TOLD: Final = 100_000  # of all sources together, an equal part of each: verify reads JSON of bounded size
EVIDENCE_TOLD: Final = 20  # kinds of evidence named for a source; the rest are summed


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts over judged rows."""

    hosts: frozenset[str]  # of which a notice is known
    documents: Counter[tuple[str, ...]] = field(default_factory=Counter)  # source, licence, ground, outcome, reason
    sizes: Counter[tuple[str, ...]] = field(default_factory=Counter)  # the same → bytes
    evidence: Counter[tuple[str, str]] = field(default_factory=Counter)  # source, evidence → documents kept
    volumes: Counter[tuple[str, str]] = field(default_factory=Counter)  # source, host → bytes kept
    overrides: Counter[int] = field(default_factory=Counter)  # line → records
    without_url: int = 0
    without_notice: int = 0

    def add(self, row: dict[str, Any], *, dropped: frozenset[int]) -> None:
        """Count one judged record."""
        outcome, reason = outcome_of(row, dropped=dropped)
        key = (row["source"], row["licence"] or "", row["ground"] or "", outcome, reason)
        self.documents[key] += 1
        self.sizes[key] += row["bytes"]
        if row["override"] is not None:
            self.overrides[row["override"]] += 1
        if outcome == "kept":
            self.evidence[row["source"], row["evidence"] or ""] += 1
            address = parse_address(row["url"]) if row["url"] else None
            self.without_url += address is None
            if address is not None:
                self.volumes[row["source"], address.host] += row["bytes"]
            self.without_notice += address is not None and address.authority not in self.hosts


def outcome_of(row: dict[str, Any], *, dropped: frozenset[int]) -> tuple[str, str]:
    """What became of a record (kept, refused for want of a right, dropped for another reason), and the reason.

    Copies are dropped after judging, so their reason stands in the ledger alone.
    """
    if row["reason"] is None:
        return ("dropped", "repeats another") if row["row"] in dropped else ("kept", "")
    return ("refused" if row["reason"].startswith(REFUSALS) else "dropped"), row["reason"]


def report(
    charter: Charter,
    account: Account,
    *,
    judged: Sequence[Path],
    decisions: Decisions,
    notices: Sequence[Notice],
    overrides: Sequence[Override],
) -> dict[str, Any]:
    """The contents of rights.json."""
    dropped = frozenset(decisions.dropped.tolist())
    tally = Tally(hosts=frozenset(notice.host for notice in notices))
    dropped = frozenset(decisions.dropped.tolist())
    for path in judged:
        for row in read_rows(path, columns=COLUMNS):
            tally.add(row, dropped=dropped)
    policy, most = charter.policy, HOSTS_TOLD // len(charter.sources)
    return {
        "format": 1,
        "policy": {
            "licences": sorted(policy.licences),
            "opt_out": policy.opt_out,
            "opt_out_time": policy.opt_out_time,
            "agent": policy.agent,
        },
        "rows": list(rows(tally, {source.name: source.statute for source in charter.sources})),
        "unread": account.kept.total() + account.dropped.total() - tally.documents.total(),
        "evidence": {source.name: evidence_of(tally, source.name) for source in charter.sources},
        "hosts": {source.name: hosts_of(tally, source.name, most=most) for source in charter.sources},
        "opt_outs": {
            "notices": len(notices),
            "kept_without_url": tally.without_url,
            "kept_without_notice": tally.without_notice,
        },
        "overrides": [
            {"line": each.line, "decision": each.decision, "date": each.date, "records": tally.overrides[each.line]}
            for each in overrides
        ],
        "totals": {
            "documents_read": account.kept.total() + account.dropped.total(),
            "documents_kept": outcomes(tally.documents, "kept"),
            "documents_refused": outcomes(tally.documents, "refused"),
            "documents_dropped": outcomes(tally.documents, "dropped"),
            "bytes_kept": outcomes(tally.sizes, "kept"),
        },
    }


def rows(tally: Tally, statutes: dict[str, str | None]) -> Iterable[dict[str, Any]]:
    """The report's table, sorted."""
    for key, documents in sorted(tally.documents.items()):
        source, licence, ground, outcome, reason = key
        yield {
            "source": source,
            "licence": licence or None,
            "ground": ground or None,
            "statute": statutes.get(source) if ground == "statute" else None,
            "outcome": outcome,
            "reason": reason or None,
            "documents": documents,
            "bytes": tally.sizes[key],
        }


def outcomes(counts: Counter[tuple[str, ...]], outcome: str) -> int:
    """All that one thing became of."""
    return sum(count for key, count in counts.items() if key[3] == outcome)


def evidence_of(tally: Tally, source: str) -> dict[str, int]:
    """What says the licence of a source's kept documents, the most frequent first; "" is the source itself."""
    found = Counter({said: count for (name, said), count in tally.evidence.items() if name == source})
    ordered = sorted(found.items(), key=lambda entry: (-entry[1], entry[0]))
    told = dict(ordered[:EVIDENCE_TOLD])
    rest = sum(count for _, count in ordered[EVIDENCE_TOLD:])
    named = {said or "declared by record or source": count for said, count in told.items()}
    return named | ({"other": rest} if rest else {})


def hosts_of(tally: Tally, name: str, *, most: int) -> dict[str, Any]:
    """How many hosts a source's kept documents are from, and at most so many of the largest with their bytes."""
    found = [(host, size) for (source, host), size in tally.volumes.items() if source == name]
    ordered = sorted(found, key=lambda row: (-row[1], row[0]))
    return {"count": len(ordered), "bytes": dict(ordered[:most])}
