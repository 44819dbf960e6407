"""Why a document is in the corpus, or is not: its record is read again and judged again, rule by rule.

Nothing here changes an artifact, and a stage never imports it.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from freehold.charter import Charter
from freehold.sight.corpus.samples import compared
from freehold.stages.curate.finding import Entry, find
from freehold.stages.curate.judging import Verdict, judge_record
from freehold.stages.curate.rereading import Record, records_of
from freehold.stages.curate.rules import Rules, read_rules, write_rules
from freehold.stages.curate.seen import plain, redacted
from freehold.stages.curate.steps import told_steps
from freehold.text import signatures
from freehold.text.differences import visible

RENAMED: Final = re.compile(r"~[0-9a-f]{12}\Z")  # what curate puts behind an id that is taken
SHOWN: Final = 6_000  # characters of a comparison
CLUSTER: Final = 50  # members named


def explain(artifact: Path, charter: Charter, wanted: str) -> list[dict[str, Any]]:
    """The story of every document that `wanted` names: of one id, which may stand for several records.

    `wanted` is an id, or the beginning or end of a single one. Raises InputError where it names none or many.
    """
    with tempfile.TemporaryDirectory(prefix="freehold-explain-") as folder:
        scratch = Path(folder)
        write_rules(charter, scratch / "rules.json")
        rules = read_rules(str(scratch / "rules.json"))
        return [story(entry, artifact, charter, rules, scratch) for entry in find(artifact, wanted)]


def story(entry: Entry, artifact: Path, charter: Charter, rules: Rules, scratch: Path) -> dict[str, Any]:
    """One document's story."""
    declared = rules.sources[entry.source]
    original = original_id(entry)
    judged: list[tuple[Record, Verdict | None]] = []
    for record in records_of(charter, source=entry.source, identity=original, scratch=scratch / "raw"):
        verdict = None if record.raw is None else judge_record(record.raw, declared=declared, rules=rules)
        judged.append((record, verdict))
        if agrees(entry, record, verdict):
            break
    found = next((pair for pair in judged if agrees(entry, *pair)), judged[0] if judged else None)
    statute = next(source.statute for source in charter.sources if source.name == entry.source)
    told: dict[str, Any] = {
        "id": entry.id,
        "source": entry.source,
        "fate": entry.fate,
        "reason": entry.facts.get("reason"),
        "detail": entry.facts.get("detail"),
        "copies": copies(artifact, entry),
    }
    if found is None:
        return told | {"note": "its record was not found again in the files of its source"}
    record, verdict = found
    told |= {"from": origin(record), "right": right(record, declared.licence, statute, entry)}
    if record.raw is None or verdict is None:
        return told
    told["rules"] = [
        asdict(step) for step in told_steps(record.raw, verdict, entry=entry, declared=declared, rules=rules)
    ]
    if verdict.text is not None:
        told |= changes(record, verdict)
    if not agrees(entry, record, verdict):
        told["note"] = f"judged alone, its record now comes to {verdict.reason or 'a text to keep'}: the ledger counts"
    return told


def original_id(entry: Entry) -> str:
    """The id as the record has it."""
    return RENAMED.sub("", entry.id) if entry.fate != "dropped" else entry.id


def agrees(entry: Entry, record: Record, verdict: Verdict | None) -> bool:
    """Whether a record judged again comes to what the corpus says of the entry."""
    reason = entry.facts.get("reason")
    if verdict is None:
        return reason is not None and record.raw is None
    if entry.fate != "dropped":
        return bool(verdict.text == entry.facts["text"])
    return verdict.reason == reason or (verdict.text is not None and str(reason).endswith("-duplicate"))


def origin(record: Record) -> dict[str, Any]:
    """Where a record came from; what nobody said is left out."""
    said = {"file": record.file, "file_sha256": record.sha256, "record": record.number}
    names = ("origin", "url", "date", "title", "retrieved", "checksum")
    said |= {name: getattr(record.raw, name, None) for name in names}
    return {name: visible(value) if isinstance(value, str) else value for name, value in said.items() if value}


def right(record: Record, declared: str | None, statute: str | None, entry: Entry) -> dict[str, Any]:
    """The licence, who says so, and the statute that the charter names."""
    own = None if record.raw is None else record.raw.licence
    evidence = getattr(record.raw, "evidence", None) if own else None
    said = {
        "licence": own or declared or entry.facts.get("licence"),
        "says": "the record" if own else "the charter" if declared else None,
        "evidence": evidence,
        "statute": statute,
    }
    return {name: value for name, value in said.items() if value}


def changes(record: Record, verdict: Verdict) -> dict[str, Any]:
    """What was changed in a text, personal values left out."""
    assert record.raw is not None
    assert verdict.text is not None
    before = redacted(plain(record.raw.text, record.raw.markup), verdict.language or "")
    pieces = compared(before, verdict.text, limit=SHOWN)
    return {
        "changes": {rule: count for rule, count in sorted((verdict.changes or {}).items()) if count},
        "difference": [{"kind": piece.kind, "text": visible(piece.text)} for piece in pieces],
        "digest": signatures.digest(verdict.text),
    }


def copies(artifact: Path, entry: Entry) -> dict[str, Any]:
    """What the document repeats, and its clusters."""
    told: dict[str, Any] = {}
    if str(entry.facts.get("reason")).endswith("-duplicate"):
        told["of"] = str(entry.facts["detail"]).removeprefix("of ")
    path = artifact / "clusters.parquet"
    if path.is_file():
        own = pq.read_table(path, filters=[("id", "=", entry.id), ("source", "=", entry.source)]).to_pylist()
        told["clusters"] = [cluster(path, row) for row in own]
    return told


def cluster(path: Path, own: Mapping[str, Any]) -> dict[str, Any]:
    """One cluster with its members."""
    rows: Sequence[Mapping[str, Any]] = pq.read_table(
        path, filters=[("cluster", "=", own["cluster"]), ("kind", "=", own["kind"])]
    ).to_pylist()
    names = ("id", "source", "similarity", "kept")
    members = [{name: row[name] for name in names} for row in rows[:CLUSTER]]
    return {"kind": own["kind"], "size": len(rows), "members": members}
