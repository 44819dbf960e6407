"""Why a document is in the corpus, or is not: its record is read again and judged again, rule by rule.

Nothing here changes an artifact, and a stage never imports it.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from freehold.charter import Charter
from freehold.charter_tables import Source
from freehold.proof.log import withdrawals
from freehold.sight.corpus.reasons import step_of
from freehold.sight.corpus.samples import compared
from freehold.stages.curate import notices
from freehold.stages.curate.finding import Entry, find
from freehold.stages.curate.learning import learned_of
from freehold.stages.curate.readers import Raw
from freehold.stages.curate.rereading import Judgement, Record, judged_again, records_of
from freehold.stages.curate.rules import read_rules, write_rules
from freehold.stages.curate.seen import plain, redacted
from freehold.stages.curate.steps import told_steps
from freehold.text.differences import visible

PARTED: Final = re.compile(r"#[a-z]{3}\Z")  # what curate puts behind the id of one language's part of a text
RENAMED: Final = re.compile(r"~[0-9a-f]{12}\Z")  # what curate puts behind an id that is taken
SHOWN: Final = 6_000  # characters of a comparison
CLUSTER: Final = 50  # members named


def explain(artifact: Path, charter: Charter, wanted: str) -> list[dict[str, Any]]:
    """The story of every document that `wanted` names: of one id, which may stand for several records.

    `wanted` is an id, or the beginning or end of a single one. Raises InputError where it names none or many.
    """
    with tempfile.TemporaryDirectory(prefix="freehold-explain-") as folder:
        return [story(entry, artifact, charter, Path(folder)) for entry in find(artifact, wanted)]


def story(entry: Entry, artifact: Path, charter: Charter, scratch: Path) -> dict[str, Any]:
    """One document's story."""
    source = next(source for source in charter.sources if source.name == entry.source)
    told: dict[str, Any] = {
        "id": entry.id,
        "source": entry.source,
        "fate": entry.fate,
        "reason": entry.facts.get("reason"),
        "detail": entry.facts.get("detail"),
        "copies": copies(artifact, entry),
    }
    found = read_again(entry, artifact, charter, scratch)
    if found is None:
        return told | {"note": "its record was not found again in the files of its source"}
    record, judgement = found
    told |= {"from": origin(record), "right": right(record, source, entry)}
    if record.raw is None or judgement is None:
        return told
    rules = read_rules(str(rules_of(record, artifact, charter, scratch)))
    told["rules"] = [asdict(step) for step in told_steps(record.raw, judgement, entry=entry, rules=rules)]
    if judgement.row["text"] is not None:
        told |= changes(record.raw, judgement, entry)
    if not agrees(entry, judgement):
        told["note"] = (
            f"judged alone, its record comes to {judgement.row['reason'] or 'a text to keep'}: the ledger counts"
        )
    return told


def rules_of(record: Record, artifact: Path, charter: Charter, scratch: Path) -> Path:
    """The charter's rules, with what curating learned and what hosts said in the record's own file: a path for each."""
    path = scratch / f"rules-{hashlib.sha256(record.file.encode()).hexdigest()}.json"
    if not path.exists():
        said, gone = notices.gather(charter, record.notices), withdrawals.read(charter.withdrawals)
        named = [{"id": one.id, "key": one.key} for one in withdrawals.documents(gone, "W1")]
        write_rules(charter, path, said, learned=learned_of(artifact), withdrawn=named)
    return path


def read_again(entry: Entry, artifact: Path, charter: Charter, scratch: Path) -> tuple[Record, Judgement | None] | None:
    """The record behind an entry: of those of its id the one that comes to the same end, or else the first."""
    first: tuple[Record, Judgement | None] | None = None
    for record in chain.from_iterable(
        records_of(charter, source=entry.source, identity=identity, scratch=scratch / "raw")
        for identity in original_ids(entry)
    ):
        rules = rules_of(record, artifact, charter, scratch)
        judgements = judged_again(record, source=entry.source, rules=rules, scratch=scratch)
        options: list[Judgement | None] = [*judgements] or [None]
        for judgement in options:
            if agrees(entry, judgement):
                return record, judgement
            first = first or (record, judgement)
    return first


def original_ids(entry: Entry) -> list[str]:
    """The id as the record may have it, the likeliest first."""
    whole = entry.id if entry.fate == "dropped" else RENAMED.sub("", entry.id)
    return list(dict.fromkeys([whole, PARTED.sub("", whole)]))


def agrees(entry: Entry, judgement: Judgement | None) -> bool:
    """Whether a record judged again comes to what the corpus says of the entry."""
    reason = entry.facts.get("reason")
    if judgement is None:
        return reason is not None and step_of(reason) == "reading"
    row = judgement.row
    if entry.fate == "dropped":
        return bool(row["reason"] == reason) or (row["reason"] is None and step_of(str(reason)) == "copies")
    if row["reason"] is not None:
        return False
    renamed = RENAMED.search(entry.id)
    same_record = str(row["digest"]).startswith(renamed[0][1:]) if renamed else row["id"] == entry.id
    checksum = entry.facts.get("checksum")
    return same_record and checksum in (None, row.get("checksum")) and alike(row["text"], entry.facts["text"])


def alike(judged: str, kept: str) -> bool:
    """Whether a kept text is the judged one; passages that many documents share may have been cut out of it."""
    lines = set(judged.split("\n"))
    return judged == kept or all(line in lines for line in kept.split("\n"))


def origin(record: Record) -> dict[str, Any]:
    """Where a record came from; what nobody said is left out."""
    said = {"file": record.file, "file_sha256": record.sha256, "record": record.number}
    names = ("origin", "url", "date", "title", "retrieved", "checksum")
    said |= {name: getattr(record.raw, name, None) for name in names}
    return {name: visible(value) if isinstance(value, str) else value for name, value in said.items() if value}


def right(record: Record, source: Source, entry: Entry) -> dict[str, Any]:
    """The licence, who says so, and the statute that the charter names."""
    own = None if record.raw is None else record.raw.licence
    said = {
        "licence": own or source.licence or entry.facts.get("licence"),
        "says": "the record" if own else "the charter" if source.licence else None,
        "evidence": getattr(record.raw, "evidence", None) if own else None,
        "statute": source.statute,
    }
    return {name: value for name, value in said.items() if value}


def changes(raw: Raw, judgement: Judgement, entry: Entry) -> dict[str, Any]:
    """What was changed in a text, personal values left out."""
    after = entry.facts.get("text") or judgement.row["text"]
    before = redacted(plain(raw.text, raw.markup), judgement.row["language"] or "")
    pieces = compared(before, after, limit=SHOWN)
    return {
        "changes": judgement.changes,
        "difference": [{"kind": piece.kind, "text": visible(piece.text)} for piece in pieces],
    }


def copies(artifact: Path, entry: Entry) -> dict[str, Any]:
    """What the document repeats, and its clusters."""
    told: dict[str, Any] = {}
    detail = str(entry.facts.get("detail"))
    if step_of(str(entry.facts.get("reason"))) == "copies" and detail.startswith("of "):
        told["of"] = detail.removeprefix("of ")
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
