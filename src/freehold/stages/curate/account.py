"""The account of a run: what was read, kept, held out and dropped, by source, language and reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from freehold.charter import Charter
from freehold.charter_tables import Policy
from freehold.stages.curate.output import Decisions
from freehold.stages.curate.parts import rows_of
from freehold.text import canaries, privacy
from freehold.text.repair import RULES as REPAIRS
from freehold.text.rights import rule

REASONS_TOLD = 4  # of a source that is left with nothing


@dataclass(slots=True, kw_only=True)
class Account:
    """Counts that add up: what was read is what was kept and what was dropped."""

    dropped: Counter[tuple[str, str]]  # source, reason → records
    kept: Counter[str] = field(default_factory=Counter)  # source → documents
    kept_bytes: Counter[str] = field(default_factory=Counter)  # source → bytes
    languages: Counter[tuple[str, str]] = field(default_factory=Counter)  # source, language → documents
    licences: Counter[tuple[str, str]] = field(default_factory=Counter)  # source, licence → documents
    training: Counter[str] = field(default_factory=Counter)  # language → bytes
    pools: Counter[tuple[str, str]] = field(default_factory=Counter)  # language, source → bytes to train on
    training_documents: Counter[str] = field(default_factory=Counter)
    held_out: Counter[str] = field(default_factory=Counter)  # language → bytes
    held_out_documents: Counter[str] = field(default_factory=Counter)
    renamed: int = 0

    def dropped_of(self, source: str) -> Counter[str]:
        """Reason → records of one source."""
        return Counter({reason: times for (name, reason), times in self.dropped.items() if name == source})

    def reasons_of(self, source: str) -> str:
        """Why records of a source were dropped, in words, the most frequent reasons first."""
        reasons = self.dropped_of(source)
        told = sorted(reasons.items(), key=lambda entry: (-entry[1], entry[0]))[:REASONS_TOLD]
        more = ", …" if len(reasons) > REASONS_TOLD else ""
        return ", ".join(f"{reason} {times}" for reason, times in told) + more

    def source_lines(self, charter: Charter, files: dict[str, list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
        """One object per source for sources.jsonl."""
        for source in charter.sources:
            drops = self.dropped_of(source.name)
            yield {
                "name": source.name,
                "licence": source.licence and rule(source.licence, allowed=charter.policy.licences).chosen,
                "licences": of_source(self.licences, source.name),
                "statute": source.statute,
                "domain": source.domain,
                "origin": source.origin,
                "opt_out": charter.policy.opt_out,
                "files": files.get(source.name, []),
                "documents_read": self.kept[source.name] + drops.total(),
                "documents_kept": self.kept[source.name],
                "bytes_kept": self.kept_bytes[source.name],
                "drops": dict(drops),
                "languages": of_source(self.languages, source.name),
                **({"synthetic": canaries.ORIGIN} if source.name == canaries.SOURCE else {}),
            }

    def summary(self, changes: Counter[str], policy: Policy) -> dict[str, Any]:
        """The contents of curate.json."""
        drops: Counter[str] = Counter()
        for (_, reason), times in self.dropped.items():
            drops[reason] += times
        return {
            "format": 1,
            "documents_read": self.kept.total() + drops.total(),
            "documents_kept": self.kept.total(),
            "drops": dict(drops),
            "bytes": dict(self.training),
            "documents": dict(self.training_documents),
            "held_out": {
                "bytes": {language: self.held_out[language] for language in self.training},
                "documents": {language: self.held_out_documents[language] for language in self.training},
            },
            "replaced": {kind: changes[kind] for kind in privacy.looked_for(policy.redact, names=policy.names)},
            "names": policy.names,  # what looked for persons' names; null: nothing did
            "repaired": {rule: changes[rule] for rule in REPAIRS if changes[rule]},
            "hints": {hint: changes[hint] for hint in ("machine-translation", "mixed-language")},
            "scripts_cut": changes["script"] + changes["literal"],
            "renamed": self.renamed,
        }


def of_source(counts: Counter[tuple[str, str]], source: str) -> dict[str, int]:
    """The part of a two-level count that belongs to one source."""
    return {name: times for (owner, name), times in counts.items() if owner == source}


def summarise(
    charter: Charter, *, passed: pa.Table, decisions: Decisions, reasons: Counter[tuple[str, str]]
) -> Account:
    """Count what was kept; `reasons` are the ledger's counts."""
    account = Account(dropped=reasons, renamed=len(decisions.renamed))
    for language in charter.languages:  # every language of the charter is named, also with nothing
        account.training[language.code] = account.training_documents[language.code] = 0
    for source, code, licence, held, documents, size in kept_groups(passed, decisions):
        account.kept[source] += documents
        account.kept_bytes[source] += size
        account.languages[source, code] += documents
        account.licences[source, licence] += documents
        (account.held_out if held else account.training)[code] += size
        account.pools[code, source] += 0 if held else size
        (account.held_out_documents if held else account.training_documents)[code] += documents
    return account


def kept_groups(passed: pa.Table, decisions: Decisions) -> Iterator[tuple[str, str, str, bool, int, int]]:
    """Source, language, licence, whether held out, documents and bytes of every group of what was kept."""
    rows = passed.column("row").to_numpy()
    facts = passed.select(("source", "language", "licence", "bytes"))
    facts = facts.append_column("held", pa.array(np.isin(rows, decisions.held_out)))
    kept = facts.filter(pa.array(~np.isin(rows, decisions.dropped)))
    keys = ("source", "language", "licence", "held")
    counted = kept.group_by(list(keys), use_threads=False).aggregate([("bytes", "count"), ("bytes", "sum")])
    yield from rows_of(counted, *keys, "bytes_count", "bytes_sum")
