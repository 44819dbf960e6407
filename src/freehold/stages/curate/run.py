"""Curate: read every source, judge every record, leave one copy of everything, hold some out, keep the account.

read → judge → compare → split → write. Reading and judging are idempotent unit by unit, so a killed run goes on where
it was; the rest takes seconds and is done again.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from freehold import charter as charters
from freehold.charter import Charter
from freehold.errors import InputError
from freehold.stage import Stage
from freehold.stages.curate import frame, notices, output, rights_report
from freehold.stages.curate.account import Account, summarise
from freehold.stages.curate.duplicates import Likeness, compare
from freehold.stages.curate.faults import check_losses
from freehold.stages.curate.judging import Judging, judge
from freehold.stages.curate.listing import listed
from freehold.stages.curate.output import Decisions
from freehold.stages.curate.parts import rows_of
from freehold.stages.curate.reading import Reading, read
from freehold.stages.curate.rules import read_overrides, write_rules
from freehold.stages.curate.split import Candidate, held_out
from freehold.text.notices import Notice

ROWS_PER_FILE: Final = 1 << 32  # rows are numbered file by file in reading order
ALONE_BYTES: Final = 2_000_000  # below this, starting worker processes costs more than it saves
COLUMNS: Final = ("id", "source", "language", "licence", "bytes", "digest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A source file, its parts, and what reading it counted."""

    source: str
    name: str
    folder: Path
    judged: tuple[Path, ...]
    counts: dict[str, Any]

    def drop_parts(self) -> list[Path]:
        """What the reader dropped."""
        return [self.folder / f"drops-{part:05d}.parquet" for part in range(self.counts["drop_parts"])]

    def notices(self) -> list[Path]:
        """What the reader found of hosts' robots.txt and tdmrep.json."""
        return [self.folder / f"notices-{part:05d}.parquet" for part in range(self.counts.get("notices", 0))]


def run(stage: Stage) -> None:
    """The whole stage; see the module's docstring."""
    units = read_sources(stage)
    said = notices.gather(stage.charter, [path for unit in units for path in unit.notices()])
    changes = judge_parts(stage, units, said)
    judged = [path for unit in units for path in unit.judged]
    passed = frame.passed(judged, *COLUMNS) if judged else empty()
    before = before_comparison(stage.charter, units, passed)
    complain(stage.charter, before)
    check_losses(stage.charter, before)
    likeness = compare_documents(stage, judged, passed)
    decisions = decide(stage.charter, passed, likeness)
    account = write(stage, units, passed, likeness, decisions)
    complain(stage.charter, account)
    write_rights(stage, judged, account, decisions, said)
    tell(stage, account, changes)


def read_sources(stage: Stage) -> list[Unit]:
    """Every source file as raw parts."""
    tasks = readings(stage.charter, stage.scratch / "raw", digests=stage.identity.files)
    size = sum(size_of(Path(reading.path)) for reading in tasks)
    with stage.progress.task("read", total=len(tasks), unit="files") as task:
        records = 0
        for result in frame.each(read, [json.dumps(asdict(reading)) for reading in tasks], processes=cores(size)):
            records += json.loads(result)["read"]
            task.advance(1, records=records)
    return [unit(reading, stage.scratch) for reading in tasks]


def readings(charter: Charter, folder: Path, *, digests: Mapping[str, str]) -> list[Reading]:
    """Every file of every source, numbered in reading order; `digests` are those that the attestation names."""
    entries = [(source, entry) for source in charter.sources for entry in listed(charter, source)]
    return [
        Reading(
            path=str(entry.path),
            name=entry.name,
            source=source.name,
            declared=source.format,
            limit=charter.curate.max_characters,
            first_row=number * ROWS_PER_FILE,
            folder=str(folder / f"{number:06d}"),
            sha256=digests.get(entry.name),
            fault=entry.fault,
            retrieved=entry.retrieved,
            licence=entry.licence,
            evidence=entry.evidence,
        )
        for number, (source, entry) in enumerate(entries)
    ]


def unit(reading: Reading, scratch: Path) -> Unit:
    """The unit that a finished reading has become."""
    folder = Path(reading.folder)
    counts = json.loads(read(json.dumps(asdict(reading))))  # it is done: this only looks at its mark
    judged = tuple(scratch / "judged" / folder.name / f"part-{part:05d}.parquet" for part in range(counts["parts"]))
    return Unit(source=reading.source, name=reading.name, folder=folder, judged=judged, counts=counts)


def judge_parts(stage: Stage, units: list[Unit], said: list[Notice]) -> Counter[str]:
    """Every raw part judged; returns how often each rule changed a text."""
    rules = stage.scratch / "rules.json"
    write_rules(stage.charter, rules, said)
    tasks = [
        Judging(raw=str(unit.folder / judged.name), source=unit.source, rules=str(rules), judged=str(judged))
        for unit in units
        for judged in unit.judged
    ]
    records, changes = sum(unit.counts["read"] for unit in units), Counter[str]()
    size = sum(Path(task.raw).stat().st_size for task in tasks)
    with stage.progress.task("judge", total=records, unit="records") as task:
        passed = 0
        for result in frame.each(judge, [json.dumps(asdict(each)) for each in tasks], processes=cores(size)):
            counts = json.loads(result)
            changes.update(counts["changes"])
            passed += counts["bytes"]
            task.advance(counts["records"], megabytes=round(passed / 1e6, 1))
    return changes


def before_comparison(charter: Charter, units: list[Unit], passed: pa.Table) -> Account:
    """The account before copies are looked for, so that a charter that cannot succeed fails early."""
    reasons = Counter((drop["source"], drop["reason"]) for drop in drops_of(units))
    nothing = Decisions(dropped=frozenset(), held_out=frozenset(), renamed={})
    return summarise(charter, passed=passed, decisions=nothing, reasons=reasons)


def compare_documents(stage: Stage, judged: list[Path], passed: pa.Table) -> Likeness:
    """Copies and families among what passed."""
    rows = passed.column("row").to_numpy()
    with stage.progress.task("compare", total=len(rows), unit="documents") as task:
        if not len(rows):
            return Likeness(exact={}, near={}, family={})
        threshold = stage.charter.curate.near_duplicate
        likeness = compare(judged, rows, threshold=threshold, scratch=stage.scratch)
        task.advance(len(rows), copies=len(likeness.exact) + len(likeness.near))
    return likeness


def decide(charter: Charter, passed: pa.Table, likeness: Likeness) -> Decisions:
    """Copies dropped, equal ids told apart, a held-out part chosen."""
    dropped = likeness.exact.keys() | likeness.near.keys()
    renamed: dict[int, str] = {}
    taken: set[str] = set()
    documents = []
    for row, identity, language, size, digest in rows_of(passed, "row", "id", "language", "bytes", "digest"):
        if row in dropped:
            continue
        if identity in taken:
            renamed[row] = f"{identity}~{digest[:12]}"
        taken.add(renamed.get(row, identity))
        family = likeness.family.get(row, row)
        documents.append(Candidate(row=row, family=family, language=language, digest=digest, bytes=size))
    apart = held_out(documents, wanted_bytes=charter.curate.held_out_bytes)
    return Decisions(dropped=frozenset(dropped), held_out=frozenset(apart), renamed=renamed)


def write(stage: Stage, units: list[Unit], passed: pa.Table, likeness: Likeness, decisions: Decisions) -> Account:
    """Documents, held-out documents, ledger and sources."""
    judged = [path for unit in units for path in unit.judged]
    total = sum(passed.column("bytes").to_pylist())
    with stage.progress.task("write", total=total, unit="bytes") as task:
        for size in output.write_documents(stage.output, judged, decisions):
            task.advance(size)
    reasons = output.write_ledger(stage.output / "ledger.parquet", [drops_of(units), copies(passed, likeness)])
    account = summarise(stage.charter, passed=passed, decisions=decisions, reasons=reasons)
    files: dict[str, list[dict[str, Any]]] = {}
    for unit in units:
        if not unit.counts["sha256"]:  # it could not be read; the ledger says why
            continue
        entry = {"path": unit.name, "sha256": unit.counts["sha256"], "bytes": unit.counts["bytes"]}
        files.setdefault(unit.source, []).append(entry)
    output.write_lines(stage.output / "sources.jsonl", account.source_lines(stage.charter, files))
    return account


def write_rights(stage: Stage, judged: list[Path], account: Account, decisions: Decisions, said: list[Notice]) -> None:
    """The rights report and the notices it rests on; tells of decisions that met no document."""
    overrides = read_overrides(stage.charter)
    report = rights_report.report(
        stage.charter, account, judged=judged, decisions=decisions, notices=said, overrides=overrides
    )
    output.write_json(stage.output / "rights.json", report)
    output.write_lines(stage.output / "notices.jsonl", notices.lines(said))
    if idle := [str(each["line"]) for each in report["overrides"] if not each["records"]]:
        stage.progress.note(f"overrides that met no document: line {', '.join(idle)}")


def drops_of(units: list[Unit]) -> Iterator[dict[str, Any]]:
    """The ledger's lines for what readers and rules turned away, file by file."""
    for unit in units:
        yield from output.ledger_rows(unit.drop_parts(), unit.judged)


def copies(passed: pa.Table, likeness: Likeness) -> Iterator[dict[str, Any]]:
    """The ledger's lines for what repeats another document."""
    named = dict(rows_of(passed, "row", "id"))
    for row, identity, source in rows_of(passed, "row", "id", "source"):
        for reason, repeats in (("exact-duplicate", likeness.exact), ("near-duplicate", likeness.near)):
            if row in repeats:
                yield {"id": identity, "source": source, "reason": reason, "detail": f"of {named[repeats[row]]}"}
                break


def complain(charter: Charter, account: Account) -> None:
    """Raise InputError where a source or a language of the charter is left with nothing."""
    for position, source in enumerate(charter.sources):
        if not account.kept[source.name]:
            place = charters.where(charter.path, ("sources", position, "path"))
            why = account.reasons_of(source.name)
            message = f'sources[{position}].path: nothing of "{source.name}" is left: {why}'
            raise InputError(message, where=place, remedy="mend the source, change the rules or remove it")
    for position, language in enumerate(charter.languages):
        if not account.training[language.code]:
            place = charters.where(charter.path, ("languages", position, "code"))
            found = ", ".join(sorted(code for code, size in account.training.items() if size)) or "none"
            message = f'languages[{position}].code: no document is in "{language.code}" (found: {found})'
            raise InputError(message, where=place, remedy="add a source in it, or remove the language")


def tell(stage: Stage, account: Account, changes: Counter[str]) -> None:
    """The summary file, the stage's figures, and a word on what a person should know."""
    summary = account.summary(changes)
    output.write_json(stage.output / "curate.json", summary)
    stage.figures.update({name: summary[name] for name in ("documents_read", "documents_kept", "drops", "bytes")})
    for language in stage.charter.languages:
        if stage.charter.curate.held_out_bytes and not account.held_out[language.code]:
            stage.progress.note(f"{language.code}: too few documents to hold any out; it cannot be evaluated")


def size_of(path: Path) -> int:
    """Bytes of a file; none where it has vanished, which its reading will say."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def cores(size: int) -> int:
    """Processes worth starting for so many bytes of work."""
    return len(os.sched_getaffinity(0)) if size > ALONE_BYTES else 1


def empty() -> pa.Table:
    """What `frame.passed` gives where there is nothing to ask."""
    return pa.table({"row": pa.array([], pa.int64()), **{name: pa.array([], pa.string()) for name in COLUMNS}})
