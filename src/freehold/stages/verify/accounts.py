"""Part of check 9: what curation counted adds up, and is the same in sources, rights report, statement and charter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from freehold.errors import GateError
from freehold.proof.bundle import SOURCES, step_path
from freehold.proof.statements import StageStatement
from freehold.stages.verify.claims import agree, loaded, sound, summed, table, total
from freehold.stages.verify.contents import Contents
from freehold.stages.verify.lineage import source_rows

RIGHTS = "evidence/corpus/rights.json"
CROISSANT = "evidence/corpus/croissant.json"
FORMAT = 1
STATEMENT = step_path("curate")
DECLARED = ("origin", "statute", "domain")  # of a source: the charter's words
OUTCOMES = {"documents_kept": "kept", "documents_refused": "refused", "documents_dropped": "dropped"}
POLICY = ("agent", "licences", "opt_out", "opt_out_time")  # of the charter's, told again
GROUNDS = ("licence", "statute", "override", None)
PARQUET = ("documents/", "held_out/")  # what Croissant describes

Row = dict[str, Any]


def check(contents: Contents, curate: StageStatement) -> None:
    """Raise GateError where two accounts of the corpus differ."""
    rows = source_rows(contents)
    with sound(SOURCES):
        for row in rows:
            counted(row, curate)
    told = curate.figures
    for key in ("documents_read", "documents_kept"):
        agree(key, {STATEMENT: told.get(key), SOURCES: summed(rows, key) if told else None})
    drops = sum((Counter(table(row, "drops")) for row in rows), Counter[str]())
    agree("drops", {STATEMENT: told.get("drops"), SOURCES: dict(drops) if told else None})
    if RIGHTS in contents.listed:
        with sound(RIGHTS):
            rights(loaded(contents, RIGHTS), {row["name"]: row for row in rows}, curate)
    if CROISSANT in contents.listed:
        with sound(CROISSANT):
            described(loaded(contents, CROISSANT), rows, curate)


def counted(row: Row, curate: StageStatement) -> None:
    """Raise GateError unless a source's own counts add up, and it is described as the charter does."""
    name, kept = row["name"], row.get("documents_kept")
    by = {SOURCES: kept, "its languages": total(row.get("languages")), "its licences": total(row.get("licences"))}
    agree(f"{name}: documents_kept", by)
    agree(
        f"{name}: documents_read",
        {"its drops": plus(kept, total(row.get("drops"))), SOURCES: row.get("documents_read")},
    )
    single, several = row.get("licence"), row.get("licences")
    if single is not None and several and single not in several:
        raise GateError(f"{name}: no record has its licence {single}", where=SOURCES)
    policy, sources = curate.parameters.get("policy"), curate.parameters.get("sources")
    if "opt_out" in table(policy):
        agree(f"{name}: opt_out", {STATEMENT: table(policy)["opt_out"], SOURCES: row.get("opt_out")})
    for words in sources if isinstance(sources, list) else []:
        if isinstance(words, dict) and words.get("name") == name:
            for key in DECLARED:
                agree(f"{name}: {key}", {STATEMENT: words.get(key), SOURCES: row.get(key, "nothing")})
            allowed = table(policy).get("licences") or ()
            if words.get("licence") in allowed and row.get("licence") is None:
                raise GateError(f"{name}: has not the licence that the charter gives it", where=SOURCES)


def rights(report: Row, sources: Mapping[str, Row], curate: StageStatement) -> None:
    """Raise GateError unless the rights report counts the same documents, under the charter's policy."""
    rows = rows_of(report.get("rows"), where=RIGHTS)
    policy, totals = table(curate.parameters, "policy"), table(report, "totals")
    agree("format", {"this version": FORMAT, RIGHTS: report.get("format")})
    for key, words in table(report, "policy").items():
        charter = sorted(policy.get(key, ())) if key == "licences" else policy.get(key)
        agree(f"policy.{key}", {STATEMENT: charter, RIGHTS: words})
    agree("policy", {"a report": sorted(POLICY), RIGHTS: sorted(table(report, "policy"))})
    for key, outcome in OUTCOMES.items():
        agree(f"totals.{key}", {"its rows": summed(of(rows, outcome=outcome), "documents"), RIGHTS: totals.get(key)})
    agree(
        "totals.bytes_kept", {"its rows": summed(of(rows, outcome="kept"), "bytes"), RIGHTS: totals.get("bytes_kept")}
    )
    agree(
        "totals.documents_read",
        {SOURCES: summed(sources.values(), "documents_read"), RIGHTS: totals.get("documents_read")},
    )
    agree(
        "documents",
        {RIGHTS: plus(summed(rows, "documents"), report.get("unread")), "its totals": totals.get("documents_read")},
    )
    agree(
        "sources",
        {
            SOURCES: sorted(sources),
            "evidence": sorted(table(report, "evidence")),
            "hosts": sorted(table(report, "hosts")),
        },
    )
    for name, source in sources.items():
        of_source(report, of(rows, source=name), source)
    opt_outs(table(report, "opt_outs"), kept=totals["documents_kept"])


def of_source(report: Row, rows: Sequence[Row], source: Row) -> None:
    """Raise GateError unless the rows of a source are what its line counts, on the ground that it has."""
    name, kept = source["name"], of(rows, outcome="kept")
    agree(f"{name}: documents", {SOURCES: source.get("documents_kept"), RIGHTS: summed(kept, "documents")})
    agree(f"{name}: bytes", {SOURCES: source.get("bytes_kept"), RIGHTS: summed(kept, "bytes")})
    agree(f"{name}: evidence", {SOURCES: source.get("documents_kept"), RIGHTS: total(table(report, "evidence", name))})
    licences = sum((Counter({str(row.get("licence")): row["documents"]}) for row in kept), Counter[str]())
    agree(f"{name}: licences", {SOURCES: source.get("licences"), RIGHTS: dict(licences)})
    for row in rows:
        statute = source.get("statute") if row.get("ground") == "statute" else None
        agree(f"{name}: statute", {SOURCES: statute, RIGHTS: row.get("statute", "nothing")})
        if row.get("ground", "nothing") not in GROUNDS or (row.get("reason", "") is None) != (row["outcome"] == "kept"):
            raise GateError(f"{name}: a row whose ground or reason is none", where=RIGHTS)
    hosts = table(report, "hosts", name)
    volume, count = total(hosts.get("bytes")), hosts.get("count")
    if (
        type(count) is not int
        or volume is None
        or volume > (source.get("bytes_kept") or 0)
        or count < len(hosts["bytes"])
    ):
        raise GateError(f"{name}: its hosts hold other bytes than it has", where=RIGHTS)


def opt_outs(told: Row, *, kept: int) -> None:
    """Raise GateError unless the counts of reservations are counts, and none is larger than it can be."""
    counts = [told.get(key) for key in ("notices", "kept_without_url", "kept_without_notice")]
    if any(type(count) is not int or count < 0 for count in counts) or plus(*counts[1:]) > kept:
        raise GateError("counts of reservations that cannot be", where=RIGHTS)


def described(about: Row, rows: Sequence[Row], curate: StageStatement) -> None:
    """Raise GateError unless Croissant describes these sources and the files that curate left."""
    used = [row for row in rows if row.get("documents_kept")]
    licences = sorted({name for row in used for name in table(row, "licences")})
    agree("license", {SOURCES: licences, CROISSANT: about.get("license")})
    based = [{"@type": "sc:CreativeWork", "name": row["name"], "sourceOrganization": row.get("origin")} for row in used]
    agree("isBasedOn", {SOURCES: based, CROISSANT: about.get("isBasedOn")})
    responsible = table(curate.parameters, "responsible")
    if responsible:
        agree("creator", {STATEMENT: responsible.get("name"), CROISSANT: table(about, "creator").get("name")})
    made = {path: facts for path, facts in curate.manifest.items() if path.startswith(PARQUET)}
    listed = {
        row["@id"]: row
        for row in rows_of(about.get("distribution"), where=CROISSANT)
        if "sha256" in row and "@id" in row
    }
    agree("files", {STATEMENT: sorted(made), CROISSANT: sorted(listed)})
    for path, facts in made.items():
        row = listed[path]
        agree(path, {STATEMENT: facts["sha256"], CROISSANT: row["sha256"]})
        agree(path, {STATEMENT: f"{facts['size']} B", CROISSANT: row.get("contentSize")})
        agree(path, {STATEMENT: [path, path], CROISSANT: [row.get("name"), row.get("contentUrl")]})


def rows_of(value: Any, *, where: str) -> list[Row]:
    """A list of tables. Raises GateError if it is anything else."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise GateError("has rows of another form", where=where)
    return value


def of(rows: Iterable[Row], **wanted: Any) -> list[Row]:
    """The rows with these values."""
    return [row for row in rows if all(row.get(key) == value for key, value in wanted.items())]


def plus(first: Any, second: Any) -> Any:
    """A sum of whole numbers; None where one is none."""
    return first + second if type(first) is int and type(second) is int else None
