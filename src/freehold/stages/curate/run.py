"""Curate: read every source, judge every record, leave one copy of everything, hold some out, keep the account.

read → survey → judge → compare → split → write. The first three are idempotent unit by unit, so a killed run goes on
where it was; the rest takes seconds and is done again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from freehold import charter as charters
from freehold.charter import Charter
from freehold.errors import InputError
from freehold.learn.targets import shown
from freehold.sight.corpus.report import write_page
from freehold.stage import Stage
from freehold.stages.curate import croissant, decontamination, frame, notices, output, rights_report
from freehold.stages.curate.account import Account, summarise
from freehold.stages.curate.boilerplate import Recurring, recurring, sizes_after
from freehold.stages.curate.card import card
from freehold.stages.curate.clusters import write_clusters
from freehold.stages.curate.duplicates import FACTS, Likeness, compare
from freehold.stages.curate.earlier import SKETCHES, read_earlier, write_sketches
from freehold.stages.curate.faults import check_losses
from freehold.stages.curate.judging import Judging, judge, repairs_path
from freehold.stages.curate.learning import Part, learn_from
from freehold.stages.curate.listing import listed
from freehold.stages.curate.mixing import mixture_of
from freehold.stages.curate.output import Decisions
from freehold.stages.curate.parts import rows_of
from freehold.stages.curate.preference import ranking
from freehold.stages.curate.reading import Reading, finished, read
from freehold.stages.curate.rules import read_overrides, write_rules
from freehold.stages.curate.seen import EYES
from freehold.stages.curate.split import Candidates, held_out, ranks
from freehold.text.notices import Notice
from freehold.text.privacy import redact_address

ROWS_PER_FILE: Final = 1 << 40  # rows are numbered file by file in reading order
ALONE_BYTES: Final = 2_000_000  # below this, starting worker processes costs more than it saves
COLUMNS: Final = ("id", "source", "language", "licence", "bytes", "digest", *FACTS)


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
    look_ahead(stage.charter)
    frame.use(stage.manner.runner)
    units = read_sources(stage, readings(stage.charter, stage.scratch / "raw", digests=stage.identity.files))
    said = said_in(stage.charter, units)
    changes = judge_parts(stage, units, settle_rules(stage, units, said))
    judged = [path for unit in units for path in unit.judged]
    passed = frame.passed(judged, *COLUMNS) if judged else empty()
    before = before_comparison(stage.charter, units, passed)
    complain(stage.charter, before)
    check_losses(stage.charter, before)
    likeness = compare_documents(stage, judged, passed)
    cutting = shorten(stage.charter, judged, passed, likeness)
    passed = cutting.passed
    decisions = decide(stage.charter, passed, likeness, cutting)
    account = write(stage, units, passed, likeness, decisions, cutting)
    leave_traces(stage, judged, passed, likeness, decisions, cutting)
    complain(stage.charter, account)
    write_rights(stage, judged, account, decisions, said)
    tell(stage, account, changes)
    show(stage)


def look_ahead(charter: Charter) -> None:
    """Open what is needed after hours of reading. Raises InputError for a pack or sketches that cannot be read."""
    decontamination.read_packs(tuple(str(path) for path in charter.packs))
    read_earlier(charter.sketches)


def run_shard(stage: Stage) -> None:
    """This shard's files read, and judged once every file of all shards is read: rules may look at whole sources."""
    assert stage.manner.shard is not None
    look_ahead(stage.charter)
    number, shards = stage.manner.shard
    frame.use(stage.manner.runner)
    tasks = readings(stage.charter, stage.scratch / "raw", digests=stage.identity.files)
    mine = read_sources(stage, tasks[number::shards])
    unread = sum(finished(Path(reading.folder)) is None for reading in tasks)
    stage.figures.update(files_read=len(mine), files_unread=unread, records_judged=0)
    if unread:
        stage.progress.note(f"{unread} files of other shards are not read yet: run this shard once more to judge")
        return
    units = [unit(reading, stage.scratch) for reading in tasks]
    judge_parts(stage, mine, settle_rules(stage, units, said_in(stage.charter, units)))
    stage.figures["records_judged"] = sum(unit.counts["read"] for unit in mine)


def said_in(charter: Charter, units: list[Unit]) -> list[Notice]:
    """What the owners of the texts say in notices, archived or brought along."""
    return notices.gather(charter, [path for unit in units for path in unit.notices()])


def read_sources(stage: Stage, tasks: list[Reading]) -> list[Unit]:
    """Source files as raw parts."""
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


def settle_rules(stage: Stage, units: list[Unit], said: list[Notice]) -> Path:
    """What judging needs to know, with what the sources as wholes teach."""
    rules = stage.scratch / "rules.json"
    write_rules(stage.charter, rules, said, learned=learn(stage, units))
    return rules


def judge_parts(stage: Stage, units: list[Unit], rules: Path) -> Counter[str]:
    """Every raw part judged; returns how often each rule changed a text."""
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


def learn(stage: Stage, units: list[Unit]) -> dict[str, Any]:
    """What the sources as wholes teach, before their documents are judged."""
    records = Counter[str]()
    for unit in units:
        records[unit.source] += unit.counts["read"]
    raws = [(unit.source, unit.folder / judged.name) for unit in units for judged in unit.judged]
    parts = [
        Part(source=source, raw=raw, number=number, records=records[source])
        for number, (source, raw) in enumerate(raws)
    ]
    processes = cores(sum(part.raw.stat().st_size for part in parts))
    with stage.progress.task("survey", total=len(parts), unit="parts") as task:

        def each(work: Callable[[str], str], tasks: Sequence[str]) -> Iterator[str]:
            for result in frame.each(work, tasks, processes=processes):
                task.advance(1)
                yield result

        return learn_from(stage.charter, parts, scratch=stage.scratch, output=stage.output, each=each)


def before_comparison(charter: Charter, units: list[Unit], passed: pa.Table) -> Account:
    """The account before copies are looked for, so that a charter that cannot succeed fails early."""
    reasons = Counter((drop["source"], drop["reason"]) for drop in drops_of(units, charter.policy.redact))
    none = np.empty(0, dtype=np.int64)
    nothing = Decisions(dropped=none, held_out=none, renamed={})
    return summarise(charter, passed=passed, decisions=nothing, reasons=reasons)


def compare_documents(stage: Stage, judged: list[Path], passed: pa.Table) -> Likeness:
    """Copies and families among what passed."""
    rows = passed.column("row").to_numpy()
    with stage.progress.task("compare", total=len(rows), unit="documents") as task:
        if not len(rows):
            return Likeness()
        curation = stage.charter.curate
        likeness = compare(
            judged,
            passed,
            threshold=curation.near_duplicate,
            order=ranking(passed, prefer=curation.prefer, licences=stage.charter.policy.licences),
            scratch=stage.scratch,
            earlier=read_earlier(stage.charter.sketches),
            newest=curation.versions == "newest",
        )
        task.advance(len(rows), copies=len(likeness.copies))
    return likeness


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutting:
    """Paragraphs that recur, those to be cut of each row, and the documents that are nothing without them."""

    passed: pa.Table  # with the bytes that are left
    recurring: Recurring
    cuts: dict[int, frozenset[int]]
    emptied: dict[int, int]  # row → characters left


def shorten(charter: Charter, judged: list[Path], passed: pa.Table, likeness: Likeness) -> Cutting:
    """Find the paragraphs that recur, and what is left of the documents if they are cut."""
    curation = charter.curate
    found = recurring(judged, as_array(likeness.copies), documents=curation.boilerplate_documents)
    cuts = found.beyond(curation.boilerplate_documents) if curation.boilerplate == "cut" else {}
    left = sizes_after(judged, cuts)
    if left:
        sizes = [left.get(row, (0, size))[1] for row, size in rows_of(passed, "row", "bytes")]
        passed = passed.set_column(passed.column_names.index("bytes"), "bytes", pa.array(sizes, pa.int64()))
    emptied = {row: characters for row, (characters, _) in left.items() if characters < curation.min_characters}
    return Cutting(passed=passed, recurring=found, cuts=cuts, emptied=emptied)


def as_array(rows: Iterable[int]) -> NDArray[np.int64]:
    """Rows as an array."""
    return np.array(sorted(rows), dtype=np.int64)


def decide(charter: Charter, passed: pa.Table, likeness: Likeness, cutting: Cutting) -> Decisions:
    """Copies dropped, equal ids told apart, a held-out part chosen."""
    dropped = as_array(likeness.copies.keys() | cutting.emptied.keys())
    kept = passed.filter(pa.array(~np.isin(passed.column("row").to_numpy(), dropped)))
    rows = kept.column("row").to_numpy()
    documents = Candidates(
        family=np.array([likeness.family.get(row, row) for row in rows.tolist()], dtype=np.int64),
        language=numbered(kept.column("language")),
        size=kept.column("bytes").to_numpy().astype(np.int64),
        rank=ranks(digest.as_py() for digest in kept.column("digest")),
    )
    apart = held_out(documents, wanted_bytes=charter.curate.held_out_bytes)
    return Decisions(dropped=dropped, held_out=rows[apart], renamed=renamed(kept))


def renamed(kept: pa.Table) -> dict[int, str]:
    """New ids for rows whose id an earlier one has."""
    _, first = np.unique(numbered(kept.column("id")), return_index=True)
    again = np.ones(len(kept), dtype=np.bool_)
    again[first] = False
    return {
        row: f"{identity}~{digest[:12]}"
        for row, identity, digest in rows_of(kept.filter(pa.array(again)), "row", "id", "digest")
    }


def numbered(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """A number (N,) for each value, the same for equal ones."""
    encoded = column.combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)


def write(
    stage: Stage, units: list[Unit], passed: pa.Table, likeness: Likeness, decisions: Decisions, cutting: Cutting
) -> Account:
    """Documents, held-out documents, ledger and sources."""
    judged = [path for unit in units for path in unit.judged]
    total = int(passed.column("bytes").to_numpy().sum())
    with stage.progress.task("write", total=total, unit="bytes") as task:
        for size in output.write_documents(stage.output, judged, decisions, cutting.cuts):
            task.advance(size)
    output.write_repairs(stage.output / "repairs.parquet", map(repairs_path, judged), decisions)
    drops = drops_of(units, stage.charter.policy.redact)
    reasons = output.write_ledger(stage.output / "ledger.parquet", [drops, copies(passed, likeness, cutting)])
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


def drops_of(units: list[Unit], redact: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The ledger's lines for what readers and rules turned away, file by file, without addresses of people."""
    for unit in units:
        for line in output.ledger_rows(unit.drop_parts(), unit.judged):
            yield line | {"id": redact_address(line["id"], rules=redact).text}


def copies(passed: pa.Table, likeness: Likeness, cutting: Cutting) -> Iterator[dict[str, Any]]:
    """The ledger's lines for what repeats another document, or nothing but paragraphs of many."""
    for row, identity, source in rows_of(passed, "row", "id", "source"):
        if copy := likeness.copies.get(row):
            yield {"id": identity, "source": source, "reason": copy.reason, "detail": copy.told()}
        elif row in cutting.emptied:
            detail = f"{cutting.emptied[row]} characters without it"
            yield {"id": identity, "source": source, "reason": "boilerplate", "detail": detail}


def leave_traces(
    stage: Stage, judged: list[Path], passed: pa.Table, likeness: Likeness, decisions: Decisions, cutting: Cutting
) -> None:
    """What people and later runs read beside the documents: clusters, sketches, the packs' report."""
    write_clusters(stage.output / "clusters.parquet", passed, likeness, cutting.recurring, cutting.cuts)
    write_sketches(stage.output / SKETCHES, judged, as_array(decisions.dropped))
    packs = decontamination.read_packs(tuple(str(path) for path in stage.charter.packs))
    tables = (pq.read_table(path, columns=["reason", "overlaps", "holds"]) for path in judged)
    rows = (row for table in tables for row in rows_of(table, "reason", "overlaps", "holds"))
    found = decontamination.report(packs, rows, policy=stage.charter.curate.contaminated)
    output.write_json(stage.output / "decontamination.json", found)


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
    """The summary, the mixture, the cards, the stage's figures, and a word on what a person should know."""
    summary = account.summary(changes, stage.charter.policy)
    output.write_json(stage.output / "curate.json", summary)
    stage.figures.update({name: summary[name] for name in ("documents_read", "documents_kept", "drops", "bytes")})
    mixture = mixture_of(stage.charter, account)
    stage.figures["mixture"] = shown(mixture["rows"])
    output.write_json(stage.output / "mixture.json", mixture)
    about = croissant.describe(stage.charter, account, stage.output, replaced=summary["replaced"])
    output.write_json(stage.output / "croissant.json", about)
    (stage.output / "README.md").write_text(card(stage.charter, account, mixture), encoding="utf-8")
    for language in stage.charter.languages:
        if stage.charter.curate.held_out_bytes and not account.held_out[language.code]:
            stage.progress.note(f"{language.code}: too few documents to hold any out; it cannot be evaluated")


def show(stage: Stage) -> None:
    """The page of the corpus, in the run folder: it looks on and is no part of the artifact."""
    release = stage.charter.release
    title = f"{release.name} {release.version}"
    page = write_page(stage.run_folder, title=title, artifact=stage.output, scratch=stage.scratch, eyes=EYES)
    stage.progress.note(f"to browse: {page}")


def size_of(path: Path) -> int:
    """Bytes of a file; none where it has vanished, which its reading will say."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def cores(size: int) -> int:
    """Processes worth starting for so many bytes of work."""
    return frame.cores() if size > ALONE_BYTES or frame.on_ray() else 1


def empty() -> pa.Table:
    """What `frame.passed` gives where there is nothing to ask."""
    return pa.table({"row": pa.array([], pa.int64()), **{name: pa.array([], pa.string()) for name in COLUMNS}})
