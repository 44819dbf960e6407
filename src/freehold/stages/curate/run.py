"""Curate: read every source, judge every record, leave one copy of everything, hold some out, keep the account.

read → survey → judge → compare → split → write. The first three are idempotent unit by unit, so a killed run goes on
where it was; the rest takes seconds and is done again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from freehold import charter as charters
from freehold.charter import Charter
from freehold.errors import InputError
from freehold.sight.corpus.report import write_page
from freehold.stage import Stage
from freehold.stages.curate import decontamination, frame
from freehold.stages.curate.account import Account, summarise
from freehold.stages.curate.deciding import decide, shorten
from freehold.stages.curate.duplicates import FACTS, Likeness, compare
from freehold.stages.curate.earlier import read_earlier
from freehold.stages.curate.faults import check_losses
from freehold.stages.curate.judging import Judging, judge
from freehold.stages.curate.learning import Part, learn_from
from freehold.stages.curate.leaving import leave_traces, tell, write, write_rights
from freehold.stages.curate.output import Decisions
from freehold.stages.curate.planting import plant
from freehold.stages.curate.preference import ranking
from freehold.stages.curate.reading import finished
from freehold.stages.curate.rules import write_rules
from freehold.stages.curate.seen import EYES
from freehold.stages.curate.units import Unit, cores, drops_of, read_sources, readings, said_in, unit_of
from freehold.text.notices import Notice

COLUMNS: Final = ("id", "source", "language", "licence", "bytes", "digest", *FACTS)


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
    declared, planted, whole = plant(stage, passed, decisions)
    account = write(declared, [*units, *planted], whole, likeness, decisions, cutting)
    leave_traces(stage, judged, passed, likeness, decisions, cutting)
    complain(stage.charter, account)
    everything = [*judged, *(path for unit in planted for path in unit.judged)]
    write_rights(declared, everything, account, decisions, said)
    tell(declared, account, changes)
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
    units = [unit_of(reading, stage.scratch) for reading in tasks]
    judge_parts(stage, mine, settle_rules(stage, units, said_in(stage.charter, units)))
    stage.figures["records_judged"] = sum(unit.counts["read"] for unit in mine)


def settle_rules(stage: Stage, units: list[Unit], said: list[Notice]) -> Path:
    """What judging needs to know, with what the sources as wholes teach."""
    rules = stage.scratch / "rules.json"
    gone = stage.identity.parameters.get("withdrawn", [])
    write_rules(stage.charter, rules, said, learned=learn(stage, units), withdrawn=gone)
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


def show(stage: Stage) -> None:
    """The page of the corpus, in the run folder: it looks on and is no part of the artifact."""
    release = stage.charter.release
    title = f"{release.name} {release.version}"
    page = write_page(stage.run_folder, title=title, artifact=stage.output, scratch=stage.scratch, eyes=EYES)
    stage.progress.note(f"to browse: {page}")


def empty() -> pa.Table:
    """What `frame.passed` gives where there is nothing to ask."""
    return pa.table({"row": pa.array([], pa.int64()), **{name: pa.array([], pa.string()) for name in COLUMNS}})
