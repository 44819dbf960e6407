"""From a raw record to a document or a reason: the order in which the rules are asked, part by part.

Rights come first (`grants.py`), so that text which may not be used is not looked at any further.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from freehold.stages.curate import decontamination
from freehold.stages.curate.grants import Grant, grant
from freehold.stages.curate.markup import extract
from freehold.stages.curate.models import language_model, weights
from freehold.stages.curate.parts import JUDGED, REPAIRS, mark, marked, read_rows, write_table
from freehold.stages.curate.readers import Raw
from freehold.stages.curate.rules import Declared, Rules, read_rules
from freehold.text import language, privacy, signatures
from freehold.text.classifier import DROP, probability
from freehold.text.contamination import overlap
from freehold.text.hints import machine_translated
from freehold.text.normalise import normalise
from freehold.text.paragraphs import paragraphs
from freehold.text.passages import apart, passages, told
from freehold.text.repair import Edit, repair
from freehold.text.rules import Facts, fault
from freehold.text.tokens import tokens

PARTED: Final = 1 << 32  # rows of a text's further parts lie so far behind those of its file
SHORTEST_PII: Final = 6  # characters
KEPT_FACTS: Final = ("text", "language", "licence", "ground", "override", "title", "languages")


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
    languages: str | None = None  # of a text in several
    changes: Counter[str] | None = None  # replacements, repairs and hints by rule
    edits: tuple[Edit, ...] = ()  # what repair did
    parts: tuple[Verdict, ...] = ()  # of a text in several languages that is to be parted


def judge(task: str) -> str:
    """Judge one part, unless that was done before. Takes a `Judging` as JSON, returns counts."""
    judging = Judging(**json.loads(task))
    judged = Path(judging.judged)
    done = judged.with_suffix(".json")
    counts = marked(done)
    if counts is None:
        rules = read_rules(judging.rules)
        changes: Counter[str] = Counter()
        rows: list[dict[str, Any]] = []
        repairs: list[dict[str, Any]] = []
        for row in read_rows(Path(judging.raw)):
            place = row.pop("row")
            raw = Raw(**row)
            verdict = judge_record(raw, declared=rules.sources[judging.source], rules=rules)
            declared = rules.sources[judging.source]
            begun = len(rows)
            for number, (part, single) in enumerate(parts_of(raw, verdict)):
                changes.update(single.changes or {})
                named = shielded(part, rules=rules, changes=changes if single.text is not None else Counter())
                found = judged_row(named, single, declared=declared, rules=rules)
                rows.append({"row": place + number * PARTED} | found)
            if any(found["reason"] is None for found in rows[begun:]):
                repairs += repair_rows(shielded(raw, rules=rules, changes=Counter()), verdict, row=place, rules=rules)
        judged.parent.mkdir(parents=True, exist_ok=True)
        write_table(repairs_path(judged), repairs, REPAIRS)
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
    repaired = repair(raw_text, recurring=rules.recurring.get(declared.name, frozenset()))
    text = repaired.text
    digests = (signatures.digest(text), sha256(raw.text), sha256(text), *([raw.checksum] if raw.checksum else []))
    if entry := rules.opt_outs.match(raw.id, url=raw.url, digests=digests):
        told = privacy.redact_address(entry, rules=rules.redact).text  # the entry may be a person's address
        return Verdict(reason="opted-out-list", detail=f"named by {told}")
    verdict = judge_text(text, raw=raw, declared=declared, rules=rules)
    if verdict.text is None and not verdict.parts:
        return verdict
    title = normalise(title) if title else None
    if title:
        redacted = privacy.redact(title, rules=rules.redact, language=verdict.language or "", names=rules.names)
        title, verdict = redacted.text, replace(verdict, changes=counted(verdict, redacted.counts))
    changes = counted(verdict, Counter(edit.rule for edit in repaired.edits))
    return replace(verdict, title=title, changes=changes, edits=repaired.edits)


def counted(verdict: Verdict, more: Mapping[str, int]) -> Counter[str]:
    """A verdict's changes and more of them."""
    return (verdict.changes or Counter()) + Counter(more)


def judge_text(text: str, *, raw: Raw, declared: Declared, rules: Rules) -> Verdict:
    """What the text itself says: quality, language, personal data replaced."""
    model = language_model(rules.language_model)
    claimed = raw.language or declared.language
    guess = language.identify(text, model=model)
    facts = Facts(text, language=language.taken_for(guess, declared=claimed, model=model))
    found = fault(
        facts,
        min_characters=rules.min_characters,
        max_characters=rules.max_characters,
        thresholds=rules.thresholds,
    )
    if found:
        return Verdict(reason=found.reason, detail=found.detail)
    if rules.classifier and (unwanted := probability(text, weights(rules.classifier))) >= DROP:
        return Verdict(reason="own-classifier", detail=f"{unwanted:.3f}, dropped from {DROP:g}")
    if conflict := language_conflict(raw.language, declared.language):
        return Verdict(reason="language-mismatch", detail=conflict)
    settled = language.settle(
        text, declared=claimed, confidence=rules.language_confidence, model=model, guess=guess
    )  # fmt: skip
    if settled.language is None:
        return Verdict(reason=settled.reason, detail=settled.detail)
    return filed(text, settled.language, rules=rules)


def filed(text: str, code: str, *, rules: Rules) -> Verdict:
    """A text of a settled language under the charter's code for it; one in several as the charter wants it."""
    found = passages(text, main=code, model=language_model(rules.language_model))
    several = told(found)
    if several and rules.mixed == "drop":
        return Verdict(reason="mixed-language", detail=several)
    if several and rules.mixed == "split":
        pieces = apart(text, found).items()
        return Verdict(language=code, parts=tuple(part_of(piece, other, rules=rules) for other, piece in pieces))
    return kept(text, code, rules=rules, languages=several)


def part_of(text: str, code: str, *, rules: Rules) -> Verdict:
    """One language's part of a mixed text."""
    size = len(text)
    if size < rules.min_characters:
        return Verdict(language=code, reason="too-short", detail=f"{size} characters in {code}")
    return replace(kept(text, code, rules=rules), languages=None)


def kept(text: str, settled: str, *, rules: Rules, languages: str | None = None) -> Verdict:
    """A text that passed, if the charter has its language: personal data replaced, hints counted."""
    code = rules.languages.get(language.canonical(settled))
    if code is None:
        return Verdict(language=settled, reason="language-not-in-charter", detail=settled[:40])
    redacted = privacy.redact(text, rules=rules.redact, language=code, names=rules.names)
    hints = {"mixed-language": languages is not None, "machine-translation": machine_translated(text)}
    changes = Counter(redacted.counts) + Counter({name: int(seen) for name, seen in hints.items()})
    return Verdict(text=redacted.text, language=code, languages=languages, changes=changes)


def parts_of(raw: Raw, verdict: Verdict) -> list[tuple[Raw, Verdict]]:
    """A verdict's parts, each with an id of its own; the verdict itself where it has none."""
    if not verdict.parts:
        return [(raw, verdict)]
    shared = {name: getattr(verdict, name) for name in ("licence", "ground", "override", "title")}
    first, *others = (replace(part, **shared) for part in verdict.parts)
    first = replace(first, changes=(first.changes or Counter()) + (verdict.changes or Counter()))
    return [(replace(raw, id=f"{raw.id}#{part.language}"), part) for part in (first, *others)]


def repair_rows(raw: Raw, verdict: Verdict, *, row: int, rules: Rules) -> list[dict[str, Any]]:
    """The log of a kept text's repairs. What was cut out may name persons, so personal data is replaced there, too."""
    return [
        asdict(edit) | {"id": raw.id, "row": row, "removed": without_persons(edit.removed, rules=rules)}
        for edit in verdict.edits
    ]


def without_persons(removed: str, *, rules: Rules) -> str:
    """Cut text without personal data; a few characters hold none."""
    if len(removed) < SHORTEST_PII:
        return removed
    return privacy.redact(removed, rules=rules.redact, language="", names=rules.names).text


def repairs_path(judged: Path) -> Path:
    """Where the log of a judged part's repairs lies: beside it."""
    return judged.with_name(judged.name.replace("part-", "repairs-"))


def language_conflict(record: str | None, source: str | None) -> str | None:
    """Record and source that declare different languages."""
    if record is None or source is None or language.canonical(record) in language.UNDECLARED:
        return None
    if language.near(language.canonical(record), language.canonical(source)):
        return None
    return f"the record says {record[:40]}, its source {source}"


def shielded(raw: Raw, *, rules: Rules, changes: Counter[str]) -> Raw:
    """The record with no e-mail address or account in its id and URL, which outlive it in the ledger; counts them.

    Only after judging: lists of opt-outs name a document by what it is called outside.
    """
    identity = privacy.redact_address(raw.id, rules=rules.redact)
    url = privacy.redact_address(raw.url or "", rules=rules.redact)
    changes.update(+(Counter(identity.counts) + Counter(url.counts)))
    return replace(raw, id=identity.text, url=url.text if raw.url else raw.url)


def judged_row(raw: Raw, verdict: Verdict, *, declared: Declared, rules: Rules) -> dict[str, Any]:
    """The row that a verdict leaves behind; of a dropped record its id, source, reason, rights and size."""
    verdict = unless_withdrawn(raw, verdict, rules=rules)
    found = {} if verdict.text is None else compared(verdict.text, rules)
    row = {"id": raw.id, "source": declared.name, "reason": verdict.reason, "detail": verdict.detail} | found
    if row["reason"] is not None:
        rights = {"licence": verdict.licence, "ground": verdict.ground, "override": verdict.override}
        return row | rights | {"bytes": len(raw.text.encode("utf-8", "ignore"))}
    facts = {name: getattr(verdict, name) for name in KEPT_FACTS}
    facts |= {"url": raw.url, "date": raw.date, "origin": raw.origin or declared.origin}
    evidence = raw.evidence if raw.licence else "charter"
    facts |= {"retrieved": raw.retrieved, "evidence": evidence, "checksum": raw.checksum}
    return facts | row


def unless_withdrawn(raw: Raw, verdict: Verdict, *, rules: Rules) -> Verdict:
    """The verdict, or why a document that passed every other rule may not come back."""
    by = None if verdict.text is None else rules.withdrawn.names(raw.id, verdict.text)
    return verdict if by is None else replace(verdict, text=None, reason="withdrawn", detail=f"named by its {by}")


def compared(text: str, rules: Rules) -> dict[str, Any]:
    """What comparing documents needs to know of a text, all of it hashes; a contaminated text goes no further."""
    unspaced, words = signatures.unspaced(text), tokens(text)
    packs = decontamination.read_packs(rules.packs)
    found, marks = overlap(words, packs.exam), packs.marked(text)
    known = {"overlaps": found.touched, "holds": found.held, "marks": marks}
    if (found.held or marks) and rules.contaminated == "drop":
        return known | {"reason": decontamination.REASON, "detail": packs.told(found.held, marks)}
    return known | {
        "digest": signatures.digest(text),
        "bytes": len(text.encode()),
        "unspaced": unspaced,
        "tokens": len(words),
        "sketch": signatures.sketch(words, width=signatures.WIDTH[unspaced]).astype("<u4").tobytes(),
        "paragraphs": paragraphs(text, unspaced=unspaced),
    }


def sha256(text: str) -> str:
    """SHA-256 (hex) of a text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "ignore")).hexdigest()
