"""Fields about rights: licences, reservations of rights and what is done about them."""

from __future__ import annotations

from typing import Any

from freehold.law.facts import MISSING, RIGHTS, Facts, Value
from freehold.law.packs import Pack
from freehold.proof.bundle import SOURCES

Spec = dict[str, Any]
TIMES = {
    "at_fetch": "those in force when a document was retrieved",
    "latest": "the latest known",
    "both": "those in force when a document was retrieved, and the latest known; either refuses",
}
PROTOCOLS = (
    "robots.txt (RFC 9309): a rule against any agent that gathers text for language models counts",
    "AIPREF Content-Usage, in headers and robots.txt",
    "TDMRep (W3C Community Group): file, header and element",
    "the directive noai in headers and elements",
)


def policy(facts: Facts, key: str) -> Value:
    """A key of the charter's [policy], as curate's statement has it."""
    return facts.step("curate", "parameters", "policy", key)


def allowed(facts: Facts, _: Pack, __: Spec) -> Value:
    """Licences and grounds under which a document may enter."""
    return policy(facts, "licences")


def grounds(facts: Facts, _: Pack, __: Spec) -> Value:
    """Every licence and statute of the sources, with the documents under it."""
    rows = facts.at(RIGHTS, "rows")
    if not rows:
        return MISSING
    columns = ["source", "licence", "ground", "statute", "outcome", "reason", "documents"]
    table = [
        [str(row.get(key) if row.get(key) is not None else "") for key in columns[:-1]] + [f"{row['documents']:,}"]
        for row in rows.value
    ]
    return Value(value={"columns": columns, "rows": table}, origin="fact", cites=rows.cites)


def reservations(facts: Facts, _: Pack, __: Spec) -> Value:
    """Which reservations of rights were looked for, and which of them counted."""
    when, listed = policy(facts, "opt_out_time"), policy(facts, "opt_out")
    if not when:
        return MISSING
    opted = (
        "No list of those who opted out was given."
        if listed.value == "none"
        else f"The list {listed.value} of those who opted out was applied to every document."
    )
    told = [
        "Looked for before a document's text is read:",
        *PROTOCOLS,
        f"Of several notices of a host counted {TIMES.get(when.value, when.value)}.",
        opted,
    ]
    return Value(value=told, origin="fact", cites=when.cites + listed.cites)


def honoured(facts: Facts, _: Pack, __: Spec) -> Value:
    """What the reservations led to, in numbers."""
    counts, rows = facts.at(RIGHTS, "opt_outs"), facts.at(RIGHTS, "rows")
    if not counts or not rows:
        return MISSING
    refused = sum(row["documents"] for row in rows.value if row["outcome"] == "refused")
    out = sum(row["documents"] for row in rows.value if str(row.get("reason")).startswith("opted-out-"))
    row = counts.value
    told = [
        f"{row['notices']:,} notices of hosts were known.",
        f"{refused:,} records were refused for want of a right, {out:,} of them because of a reservation.",
        f"{row['kept_without_url']:,} kept documents have no address that a notice could speak of; "
        f"{row['kept_without_notice']:,} have one of which no notice is known.",
    ]
    return Value(value=told, origin="fact", cites=counts.cites + rows.cites)


def attributions(facts: Facts, _: Pack, __: Spec) -> Value:
    """Where each source's text comes from."""
    told = [f"{row['name']}: {row['origin']}" for row in facts.sources if row.get("origin")]
    return Value(value=told, origin="fact", cites=(f"{SOURCES}#origin",)) if told else MISSING
