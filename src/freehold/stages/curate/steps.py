"""What each rule saw of a record and what it said, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from freehold.sight.corpus.reasons import STEPS, step_of
from freehold.stages.curate.finding import Entry
from freehold.stages.curate.readers import Raw
from freehold.stages.curate.rereading import Judgement
from freehold.stages.curate.rules import Declared, Rules
from freehold.stages.curate.seen import plain
from freehold.text import language, signatures
from freehold.text.repair import repair
from freehold.text.rules import RULES, Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the judgement."""

    step: str
    verdict: str  # passed, dropped, not asked
    saw: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A record and everything it is judged by."""

    raw: Raw
    text: str  # as the rules for texts see it
    judgement: Judgement
    declared: Declared
    rules: Rules


def told_steps(raw: Raw, judgement: Judgement, *, entry: Entry, rules: Rules) -> list[Step]:
    """Every step up to the one that dropped the record; those behind it were not asked."""
    declared = rules.sources[entry.source]
    recurring = rules.recurring.get(declared.name, frozenset())
    text = repair(plain(raw.text, raw.markup), recurring=recurring).text
    case = Case(raw=raw, text=text, judgement=judgement, declared=declared, rules=rules)
    reason, detail = entry.facts.get("reason"), entry.facts.get("detail")
    last = None if reason is None else step_of(reason)
    steps, dropped = [], False
    for name in (name for name in STEPS if name in SAW or name == last):
        if dropped:
            steps.append(Step(step=name, verdict="not asked", saw={}))
            continue
        dropped = name == last
        saw = SAW[name](case) if name in SAW else {}
        steps.append(
            Step(step=name, verdict="dropped", saw=saw | {"reason": reason, "detail": detail})
            if dropped
            else Step(step=name, verdict="passed", saw=saw)
        )
    return steps


def saw_rights(case: Case) -> dict[str, Any]:
    """The licence, the ground on which it holds, and what the charter allows."""
    named = {"licence": case.raw.licence or case.declared.licence}
    held = {name: case.judgement.row.get(name) for name in ("ground", "override")}
    return named | {name: value for name, value in held.items() if value} | {"allowed": sorted(case.rules.licences)}


def saw_extraction(case: Case) -> dict[str, Any]:
    """How much of a web page is text."""
    return {"characters_read": len(case.raw.text), "characters_left": len(case.text)} if case.raw.markup else {}


def saw_opt_outs(case: Case) -> dict[str, Any]:
    """What an opt-out can name besides the id: this SHA-256 also names copies that differ in white space alone."""
    return {"url": case.raw.url, "sha256": signatures.digest(case.text)}


def saw_quality(case: Case) -> dict[str, Any]:
    """What the rules for quality measure, to compare with their bounds."""
    claimed = case.raw.language or case.declared.language
    facts = Facts(case.text, language=language.canonical(claimed) if claimed else None)
    measured = {rule.name: rule.measure(facts) for rule in RULES} if case.text else {}
    return {"characters": len(case.text)} | {
        name: round(value, 3) for name, value in measured.items() if value is not None
    }


def saw_language(case: Case) -> dict[str, Any]:
    """What was declared and what the text looks like."""
    guess = language.identify(case.text)
    declared = case.raw.language or case.declared.language
    filed = case.judgement.row["language"]
    return {"declared": declared, "looks_like": guess.code, "confidence": guess.confidence, "filed": filed}


def saw_privacy(case: Case) -> dict[str, Any]:
    """How many values were replaced, by kind."""
    looked_for = set(case.rules.redact)  # "national-id" stands for those of every country
    kinds = {
        kind: count
        for kind, count in case.judgement.changes.items()
        if kind in looked_for or kind.partition(":")[0] in looked_for
    }
    return {"looked_for": list(case.rules.redact), "replaced": kinds}


def saw_copies(_: Case) -> dict[str, Any]:
    """Copies are found among all documents: of one alone there is nothing to see."""
    return {}


SAW: Final[dict[str, Callable[[Case], dict[str, Any]]]] = {
    "rights": saw_rights,
    "extraction": saw_extraction,
    "opt-outs": saw_opt_outs,
    "quality": saw_quality,
    "language": saw_language,
    "privacy": saw_privacy,
    "copies": saw_copies,
}
