"""The certificate: what one run of verify found, on one page that needs nothing else and runs nothing.

Every text on it may come from a hostile release: `markup` escapes all of it, control and direction marks are shown as
their code points, and the page forbids itself scripts, forms and anything from elsewhere. It is a record for people,
signed by nobody: whoever doubts it runs verify again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from freehold.page.look import COLOURS, DARK, PAGE_RULES
from freehold.page.markup import Markup, join, tag
from freehold.proof.shown import plain
from freehold.proof.signing.envelope import instant
from freehold.stages.verify.report import Check, KeyUse, Report

MOST = 200  # findings of one check
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
COLOUR = {"PASS": "good", "FAIL": "bad", "NOT CHECKED": "open"}
RULES = (
    ".good{color:#1a7f37}.bad{color:#c62828}.open{color:#9a6700}td b{white-space:nowrap}td{overflow-wrap:anywhere}"
    "@media(prefers-color-scheme:dark){.good{color:#4cc26b}.bad{color:#ff7b72}.open{color:#d8a63a}}"
)
STYLE = f":root{{{COLOURS}}}@media(prefers-color-scheme:dark){{:root{{{DARK}}}}}{PAGE_RULES}{RULES}"


def certificate(report: Report, *, at: datetime, verifier: str) -> bytes:
    """The page, in UTF-8; `at` is the caller's clock, `verifier` names the program that checked."""
    named = f"{report.subject.name} {report.subject.version}" if report.subject else "a release that cannot be read"
    head = join(
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width,initial-scale=1"),
        tag("title", plain(f"Verification of {named}")),
        tag("style", Markup(STYLE)),
    )
    main = tag(
        "main",
        tag("p", f"Checked on {instant(at)} (the verifier's clock) by {verifier}", class_="kicker"),
        tag("h1", plain(named)),
        tag("p", tag("b", report.verdict, class_=COLOUR[worst(report)]), class_="lead"),
        identity(report),
        checks(report.checks),
        unchecked(report.checks),
        keys(report.keys),
        tag("footer", LIMITS, class_="end"),
    )
    page = tag("html", tag("head", head), tag("body", main), lang="en")
    return b"<!doctype html>\n" + page.encode("utf-8") + b"\n"


LIMITS = (
    "Passing checks show that nothing drifted and nobody tampered with what was signed. They do not show that the list "
    "of sources is complete, nor that the publisher did not compute a consistent false chain. This page is no proof "
    "by itself: it is signed by nobody, and the same command gives it again."
)


def worst(report: Report) -> str:
    """The verdict that decides."""
    verdicts = {check.verdict for check in report.checks}
    return next(verdict for verdict in ("FAIL", "NOT CHECKED", "PASS") if verdict in verdicts)


def identity(report: Report) -> Markup:
    """Which release this was."""
    subject = report.subject
    if subject is None:
        return tag("section", tag("h2", "Release"), tag("p", "evidence/release.json could not be believed or read."))
    rows = [
        ("Name and version", f"{subject.name} {subject.version}"),
        ("Licence", subject.licence),
        ("SHA-256 of evidence/release.json", subject.digest),
        ("Files and bytes", f"{subject.files:,} files, {subject.size:,} bytes"),
    ]
    return tag("section", tag("h2", "Release"), grid(rows))


def checks(found: Iterable[Check]) -> Markup:
    """Every check with its verdict and what came of it."""
    rows = []
    for check in found:
        more = [tag("li", plain(str(one))) for one in check.findings[:MOST]]
        listed = tag("details", tag("summary", f"{len(check.findings)} findings"), tag("ul", *more)) if more else None
        verdict = tag("b", check.verdict, class_=COLOUR[check.verdict])
        rows.append(
            tag(
                "tr",
                tag("td", str(check.number), class_="n"),
                tag("td", check.name),
                tag("td", verdict),
                tag("td", plain(check.detail), listed),
            )
        )
    names = tag("tr", *(tag("th", name) for name in ("", "check", "verdict", "what came of it")))
    return tag("section", tag("h2", "Checks"), tag("div", tag("table", names, *rows), class_="wide"))


def unchecked(found: Iterable[Check]) -> Markup | None:
    """What was not checked and why; nothing where everything was."""
    rows = [(f"{check.number} {check.name}", check.detail) for check in found if check.verdict == "NOT CHECKED"]
    return tag("section", tag("h2", "Not checked"), grid(rows)) if rows else None


def keys(used: Iterable[KeyUse]) -> Markup:
    """The keys that the verifier supplied, whole fingerprints to compare."""
    rows = [
        (
            f"{key.file} ({key.role})",
            "; ".join(
                filter(None, (key.fingerprint, f"signed as {key.party}" if key.party else "", key.note)),
            ),
        )
        for key in used
    ]
    body = grid(rows) if rows else tag("p", "No key was supplied, so nothing says who made this release.")
    return tag("section", tag("h2", "Keys given by the verifier"), body)


def grid(rows: Iterable[tuple[str, str]]) -> Markup:
    """A table of names and texts."""
    return tag("table", *(tag("tr", tag("th", plain(name)), tag("td", plain(text))) for name, text in rows))
