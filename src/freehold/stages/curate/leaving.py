"""What the stage leaves: documents, ledger, rights, traces for people and later runs, and what it tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from freehold.learn.targets import shown
from freehold.stage import Stage
from freehold.stages.curate import croissant, decontamination, notices, output, rights_report, tree
from freehold.stages.curate.account import Account, summarise
from freehold.stages.curate.card import card
from freehold.stages.curate.clusters import write_clusters
from freehold.stages.curate.deciding import Cutting, as_array
from freehold.stages.curate.duplicates import Likeness
from freehold.stages.curate.earlier import SKETCHES, write_sketches
from freehold.stages.curate.judging import repairs_path
from freehold.stages.curate.mixing import mixture_of
from freehold.stages.curate.output import Decisions
from freehold.stages.curate.parts import rows_of
from freehold.stages.curate.rules import read_overrides
from freehold.stages.curate.units import Unit, drops_of
from freehold.text.notices import Notice


def write(
    stage: Stage, units: list[Unit], passed: pa.Table, likeness: Likeness, decisions: Decisions, cutting: Cutting
) -> Account:
    """Documents, held-out documents, ledger, sources and the tree of documents."""
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
    whole = {entry["sha256"] for entries in files.values() for entry in entries}
    stage.figures["documents_root"] = tree.write_tree(stage.output, whole)
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
    tables = (pq.read_table(path, columns=["reason", "overlaps", "holds", "marks"]) for path in judged)
    rows = (row for table in tables for row in rows_of(table, "reason", "overlaps", "holds", "marks"))
    found = decontamination.report(packs, rows, policy=stage.charter.curate.contaminated)
    output.write_json(stage.output / "decontamination.json", found)


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
