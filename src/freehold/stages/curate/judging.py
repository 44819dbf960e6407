"""From a raw record to a document or a reason: the order in which the rules are asked, part by part.

Rights come first (`grants.py`), so that text which may not be used is not looked at any further.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from freehold.stages.curate.grants import Grant, grant
from freehold.stages.curate.markup import extract
from freehold.stages.curate.parts import JUDGED, mark, marked, read_rows, write_table
from freehold.stages.curate.readers import Raw
from freehold.stages.curate.rules import Declared, Rules, read_rules
from freehold.text import language, privacy, quality, signatures
from freehold.text.normalise import normalise


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """One raw part to judge; every field survives JSON."""

    raw: str  # path of the part
    source: str
    rules: str  # path of the rules
    judged: str  # path of what comes of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a record: a text to keep, or the reason why not."""

    text: str | None = None
    language: str | None = None
    licence: str | None = None
    ground: str | None = None  # why the licence holds
    override: int | None = None  # line of a person's decision
    title: str | None = None
    reason: str | None = None
    detail: str | None = None
    changes: Counter[str] | None = None  # replacements and cuts by rule


def judge(task: str) -> str:
    """Judge one part, unless that was done before. Takes a `Judging` as JSON, returns counts."""
    judging = Judging(**json.loads(task))
    judged = Path(judging.judged)
    done = judged.with_suffix(".json")
    counts = marked(done)
    if counts is None:
        rules = read_rules(judging.rules)
        changes: Counter[str] = Counter()
        rows = []
        for row in read_rows(Path(judging.raw)):
            place = row.pop("row")
            raw = Raw(**row)
            verdict = judge_record(raw, declared=rules.sources[judging.source], rules=rules)
            changes.update(verdict.changes or {})
            rows.append({"row": place} | judged_row(raw, verdict, declared=rules.sources[judging.source]))
        judged.parent.mkdir(parents=True, exist_ok=True)
        write_table(judged, rows, JUDGED)
        passed = [row for row in rows if row["reason"] is None]
        size = sum(row["bytes"] for row in passed)
        counts = {"records": len(rows), "passed": len(passed), "bytes": size, "changes": dict(changes)}
        mark(done, counts)
    return json.dumps(counts, sort_keys=True)


def judge_record(raw: Raw, *, declared: Declared, rules: Rules) -> Verdict:
    """All rules in order; the first one broken gives the reason."""
    granted = grant(raw, declared=declared, rules=rules)
    verdict = refused(granted) if granted.reason else judge_contents(raw, declared=declared, rules=rules)
    return replace(verdict, licence=granted.licence, ground=granted.ground, override=granted.override)


def refused(granted: Grant) -> Verdict:
    """The verdict on a record that may not be used."""
    return Verdict(reason=granted.reason, detail=granted.detail)


def judge_contents(raw: Raw, *, declared: Declared, rules: Rules) -> Verdict:
    """The rules that look at what a record contains."""
    raw_text = raw.text
    title = raw.title
    if raw.markup:
        page = extract(raw_text)
        if page.text is None:
            return Verdict(reason=page.reason, detail=page.fault)
        raw_text, title = page.text, title or page.title
    text = normalise(raw_text)
    digests = (signatures.digest(text), sha256(raw.text), sha256(text), *([raw.checksum] if raw.checksum else []))
    if entry := rules.opt_outs.match(raw.id, url=raw.url, digests=digests):
        return Verdict(reason="opted-out-list", detail=f"named by {entry}")
    verdict = judge_text(text, raw=raw, declared=declared, rules=rules)
    if verdict.text is None:
        return verdict
    title = normalise(title) if title else None
    if title:
        title = privacy.redact(title, rules=rules.redact, language=verdict.language or "").text
    return replace(verdict, title=title)


def judge_text(text: str, *, raw: Raw, declared: Declared, rules: Rules) -> Verdict:
    """What the text itself says: junk cut out, quality, language, personal data replaced."""
    mended = quality.mend(text)
    text = normalise(mended.text) if mended.cuts else text
    fault = quality.fault(text, min_characters=rules.min_characters, max_characters=rules.max_characters)
    if fault:
        return Verdict(reason=fault.reason, detail=fault.detail)
    if conflict := language_conflict(raw.language, declared.language):
        return Verdict(reason="language-mismatch", detail=conflict)
    settled = language.settle(
        text, declared=raw.language or declared.language, confidence=rules.language_confidence
    )  # fmt: skip
    if settled.language is None:
        return Verdict(reason=settled.reason, detail=settled.detail)
    code = rules.languages.get(language.canonical(settled.language))
    if code is None:
        return Verdict(reason="language-not-in-charter", detail=settled.language[:40])
    redacted = privacy.redact(text, rules=rules.redact, language=code)
    changes = Counter(redacted.counts) + Counter({"script": mended.cuts})
    return Verdict(text=redacted.text, language=code, changes=changes)


def language_conflict(record: str | None, source: str | None) -> str | None:
    """Record and source that declare different languages."""
    if record is None or source is None or language.canonical(record) in language.UNDECLARED:
        return None
    if language.near(language.canonical(record), language.canonical(source)):
        return None
    return f"the record says {record[:40]}, its source {source}"


def judged_row(raw: Raw, verdict: Verdict, *, declared: Declared) -> dict[str, Any]:
    """The row that a verdict leaves behind; of a dropped record its id, source, reason, rights and size."""
    row = {"id": raw.id, "source": declared.name, "reason": verdict.reason, "detail": verdict.detail}
    if verdict.text is None:
        rights = {"licence": verdict.licence, "ground": verdict.ground, "override": verdict.override}
        return row | rights | {"bytes": len(raw.text.encode("utf-8", "ignore"))}
    facts = asdict(verdict) | {"url": raw.url, "date": raw.date, "origin": raw.origin or declared.origin}
    facts |= {"retrieved": raw.retrieved, "evidence": raw.evidence, "checksum": raw.checksum}
    facts.pop("changes")
    evidence = raw.evidence if raw.licence else "charter"
    facts |= {"retrieved": raw.retrieved, "evidence": evidence, "checksum": raw.checksum}
    return facts | row | {
        "digest": signatures.digest(verdict.text),
        "bytes": len(verdict.text.encode()),
        "unspaced": signatures.unspaced(verdict.text),
    }  # fmt: skip


def sha256(text: str) -> str:
    """SHA-256 (hex) of a text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "ignore")).hexdigest()
