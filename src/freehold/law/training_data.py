"""Fields about training content: sizes, languages, and the sources by the way they were obtained."""

from __future__ import annotations

from typing import Any

from freehold.law.compute import bin_of
from freehold.law.facts import DECLARED, MISSING, RECIPE, RIGHTS, Facts, Value, computed
from freehold.law.packs import Pack
from freehold.proof.bundle import SOURCES

INSTRUCTIONS = "refine"  # the name under which [law].obtained speaks of the instructions
CRAWLED = "warc"  # a format that only a crawler writes
Spec = dict[str, Any]


def kinds(facts: Facts) -> dict[str, str | None]:
    """Source → how it was obtained: as declared, "crawled" where its format says so, None where nobody said."""
    declared: dict[str, str] = facts.at(DECLARED, "statements", "obtained").value or {}
    listed = facts.step("curate", "parameters", "sources").value or []
    crawled = {row["name"] for row in listed if row.get("format") == CRAWLED}
    names = [row["name"] for row in facts.sources]
    if any(name.startswith("refine/") for name in facts.step("refine", "files").value or {}):
        names.append(INSTRUCTIONS)
    return {name: declared.get(name) or ("crawled" if name in crawled else None) for name in names}


def of_kind(facts: Facts, _: Pack, spec: Spec) -> Value:
    """The sources obtained in one of the ways `spec` names, as a table; "None" where there is none."""
    wanted = set(spec["kinds"])
    named = kinds(facts)
    rows = [source_row(row) for row in facts.sources if (named[row["name"]] or "not stated") in wanted]
    if INSTRUCTIONS in named and (named[INSTRUCTIONS] or "not stated") in wanted:
        rows.append(instructions_row(facts))
    cites = (f"{SOURCES}#", f"{DECLARED}#statements.obtained")
    if not rows:
        told = "None stated." if None in named.values() else "None."
        return Value(value=told, origin="computed", cites=cites, method="no source was obtained this way")
    columns = ["name", "origin", "licence or ground", "documents", "bytes", "languages", "files (SHA-256)"]
    method = "how a source was obtained is declared, or told by its format; the rest is of sources.jsonl"
    return Value(value={"columns": columns, "rows": rows}, origin="computed", cites=cites, method=method)


def source_row(row: dict[str, Any]) -> list[str]:
    """One source as a table shows it."""
    licence = ", ".join(sorted(row.get("licences") or [])) or str(row.get("licence") or "not stated")
    ground = f"{licence} ({row['statute']})" if row.get("statute") else licence
    files = [str(file["sha256"])[:16] for file in row["files"]]
    shown = ", ".join(files[:3]) + (f" and {len(files) - 3:,} more" if len(files) > 3 else "")
    size, count = row.get("bytes_kept", 0), row.get("documents_kept", 0)
    languages = ", ".join(sorted(row.get("languages") or []))
    return [str(row["name"]), str(row.get("origin") or ""), ground, f"{count:,}", f"{size:,}", languages, shown]


def instructions_row(facts: Facts) -> list[str]:
    """The instructions of the supervised pass, which are training content too."""
    files: dict[str, str] = facts.step("refine", "files").value or {}
    shown = ", ".join(digest[:16] for name, digest in files.items() if name.startswith("refine/"))
    count = facts.step("refine", "figures", "instructions").value
    told = "each names its own, held against the policy"
    return ["instructions (supervised pass)", "", told, f"{count:,}" if count else "", "", "", shown]


def text_size(facts: Facts, pack: Pack, _: Spec) -> Value:
    """The bin of the corpus in tokens, before repetitions."""
    tokens = facts.step("tokenize", "figures", "tokens")
    if not tokens:
        return MISSING
    name = bin_of(tokens.value, pack.thresholds["text_tokens"])
    return computed(f"Text: {name} ({tokens.value:,} tokens of this model's tokenizer)", "bin of the rule pack", tokens)


def languages(facts: Facts, _: Pack, __: Spec) -> Value:
    """Tokens of each language, in the corpus and as read by training."""
    corpus, read = (
        facts.step("tokenize", "figures", "tokens_by_language"),
        facts.step("train", "figures", "tokens_by_language"),
    )
    if not corpus:
        return MISSING
    passes: dict[str, int] = read.value or {}
    rows = [[code, f"{count:,}", f"{passes.get(code, 0):,}"] for code, count in sorted(corpus.value.items())]
    columns = ["language (ISO 639-3)", "tokens in the corpus", "tokens read in pre-training"]
    return Value(value={"columns": columns, "rows": rows}, origin="fact", cites=corpus.cites + read.cites)


def content_types(facts: Facts, _: Pack, __: Spec) -> Value:
    """Declared, else the domains that the sources name."""
    if said := facts.said("content_types"):
        return said
    domains = sorted({row["domain"] for row in facts.sources if row.get("domain")})
    return Value(value=domains, origin="fact", cites=(f"{SOURCES}#domain",)) if domains else MISSING


def data_points(facts: Facts, _: Pack, __: Spec) -> Value:
    """Documents and tokens."""
    documents, tokens = facts.step("tokenize", "figures", "documents"), facts.step("tokenize", "figures", "tokens")
    if not documents or not tokens:
        return MISSING
    text = f"{documents.value:,} documents, {tokens.value:,} tokens"
    return Value(value=text, origin="fact", cites=documents.cites + tokens.cites)


def provenance(facts: Facts, _: Pack, __: Spec) -> Value:
    """Sources counted by the way they were obtained."""
    named = kinds(facts)
    counts = {kind or "not stated": 0 for kind in named.values()}
    for kind in named.values():
        counts[kind or "not stated"] += 1
    text = [f"{kind}: {count} source(s)" for kind, count in sorted(counts.items())]
    cites = (f"{SOURCES}#name", f"{DECLARED}#statements.obtained")
    return Value(value=text, origin="computed", cites=cites, method="sources counted by how they were obtained")


def crawlers(facts: Facts, pack: Pack, _: Spec) -> Value:
    """The name under which robots.txt may address whoever crawls; needed only where something was crawled."""
    agent = facts.step("curate", "parameters", "policy", "agent")
    return agent if agent and crawled(facts) else if_kind(facts, pack, {"kind": "crawled", "key": "crawler_names"})


def crawled(facts: Facts) -> list[str]:
    """Names of crawled sources."""
    return [name for name, kind in kinds(facts).items() if kind == "crawled"]


def if_kind(facts: Facts, _: Pack, spec: Spec) -> Value:
    """A statement that is needed only where a source was obtained in one way; a gap too where nobody said how."""
    named = kinds(facts).values()
    if spec["kind"] in named or None in named:
        return facts.said(spec["key"])
    cites = (f"{SOURCES}#name", f"{DECLARED}#statements.obtained")
    text = f"Not applicable: no source is {spec['kind']}."
    return Value(value=text, origin="computed", cites=cites, method="no source was obtained this way")


def domains(facts: Facts, pack: Pack, _: Spec) -> Value:
    """The largest hosts of the crawled sources by bytes kept: a tenth of them, of small firms 5 % or 1,000."""
    if not (names := crawled(facts)):
        return if_kind(facts, pack, {"kind": "crawled", "key": "domains"})
    hosts, small = facts.at(RIGHTS, "hosts"), facts.said("small_enterprise")
    found = [row for name in names if (row := (hosts.value or {}).get(name)) and row["count"]]
    told: dict[str, int] = {}
    for host, size in (entry for row in found for entry in row["bytes"].items()):
        told[host] = told.get(host, 0) + size
    if not told:
        return MISSING
    total, share = sum(row["count"] for row in found), pack.thresholds["domains_small" if small.value else "domains"]
    due = max(1, -(-total * share // 100))
    count = min(due, pack.thresholds["domains_small_most"]) if small.value else due
    shown = sorted(told.items(), key=lambda row: (-row[1], row[0]))[:count]
    rows = [[host, f"{size:,}"] for host, size in shown]
    method = f"the {len(rows):,} largest of {total:,} hosts by bytes kept; {count:,} are due ({share} %)"
    table = {"columns": ["host", "bytes"], "rows": rows}
    return Value(value=table, origin="computed", cites=hosts.cites + small.cites, method=method)


def curation(facts: Facts, _: Pack, __: Spec) -> Value:
    """The rules that documents passed, as they stand in curate's statement."""
    rules = facts.step("curate", "parameters", "curate")
    if not rules:
        return MISSING
    read, kept = facts.step("curate", "figures", "documents_read"), facts.step("curate", "figures", "documents_kept")
    table = rules.value
    told = [
        f"{kept.value:,} of {read.value:,} documents kept" if read and kept else "",
        f"{table['min_characters']:,} to {table['max_characters']:,} characters",
        f"near duplicates from a resemblance of {table['near_duplicate']} removed",
        f"items of evaluation packs in a document: {table['contaminated']}",
        f"held out and never trained on: up to {table['held_out_bytes']:,} bytes a language",
    ]
    return Value(value=[line for line in told if line], origin="fact", cites=rules.cites + read.cites + kept.cites)


def dropped(facts: Facts, _: Pack, __: Spec) -> Value:
    """Documents left out, by reason."""
    drops = facts.step("curate", "figures", "drops")
    if not drops:
        return MISSING
    told = [f"{reason}: {count:,}" for reason, count in sorted(drops.value.items())]
    return Value(value=told or ["No document was left out."], origin="fact", cites=drops.cites)


def goldfish(facts: Facts, _: Pack, __: Spec) -> Value:
    """What training did against verbatim memory."""
    every = facts.at(RECIPE, "goldfish")
    if every.value is None:
        return MISSING
    text = (
        f"One token in {every.value} is never predicted in training (Goldfish loss)."
        if every.value
        else "No Goldfish loss was used."
    )
    return Value(value=text, origin="fact", cites=every.cites)


def personal(facts: Facts, _: Pack, __: Spec) -> Value:
    """Kinds of personal data that curation replaced."""
    kinds = facts.step("curate", "parameters", "policy", "redact")
    if kinds.value is None:
        return MISSING
    listed = ", ".join(kinds.value) or "none"
    return Value(
        value=f"Personal data replaced by placeholders, found by pattern and checksum: {listed}.",
        origin="fact",
        cites=kinds.cites,
    )


def fairness(facts: Facts, _: Pack, __: Spec) -> Value:
    """The worst premium a language pays in tokens for the same content."""
    table = facts.step("tokenize", "figures", "fairness")
    if not table:
        return MISSING
    told = [f"{code}: {row['premium']:.2f}" for code, row in sorted(table.value.items())]
    return Value(
        value=["Tokens for the same content, against the best served language:", *told],
        origin="fact",
        cites=table.cites,
    )
