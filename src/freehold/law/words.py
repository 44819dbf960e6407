"""Fields that are a pack's own words with facts put in: notices, labels and statements in any language."""

from __future__ import annotations

from collections.abc import Callable
from string import Template
from typing import Any

from freehold.law import compute, training_data
from freehold.law.facts import DECLARED, MISSING, RECIPE, Facts, Origin, Value
from freehold.law.packs import Pack
from freehold.proof.bundle import SOURCES

Spec = dict[str, Any]


def text(facts: Facts, pack: Pack, spec: Spec) -> Value:
    """The variant of the words that the facts choose, with the facts that it names put in."""
    chosen = CHOICES[spec["choose"]](facts, pack) if "choose" in spec else Value(value="text", origin="rule")
    words = Template(spec[chosen.value])
    of = {name: PARTS[name](facts, pack) for name in words.get_identifiers()}
    if not all(of.values()):
        return MISSING
    cites = tuple(dict.fromkeys(cite for value in (chosen, *of.values()) for cite in value.cites))
    told = words.substitute({name: str(value.value) for name, value in of.items()})
    origins = {chosen.origin, *(value.origin for value in of.values())} - {"rule"}
    origin: Origin = origins.pop() if len(origins) == 1 else "computed" if origins else "rule"
    return Value(value=told, origin=origin, cites=cites, method="words of the rule pack, filled in")


def by_flop(facts: Facts, pack: Pack) -> Value:
    """Above or below the pack's threshold of training compute; unknown where the recipe is missing."""
    found = compute.training_flop(facts)
    if not found:
        return Value(value="unknown", origin="rule")
    name = "above" if found.value >= float(pack.thresholds["safety_flop"]) else "below"
    return Value(value=name, origin="computed", cites=found.cites)


def by_impact(facts: Facts, _: Pack) -> Value:
    """Whether a person declared the intended use to be high-impact."""
    said = facts.said("high_impact")
    name = "unknown" if not said else "yes" if said.value is True else "no"
    return Value(value=name, origin="declared" if said else "rule", cites=said.cites)


def by_kind(facts: Facts, kind: str) -> Value:
    """Whether a source was obtained in one way; unknown where nobody said it of one."""
    kinds = training_data.kinds(facts).values()
    name = "yes" if kind in kinds else "unknown" if None in kinds else "no"
    return Value(value=name, origin="computed", cites=(f"{DECLARED}#statements.obtained",))


def flop(facts: Facts, _: Pack) -> Value:
    """Training compute, rounded."""
    found = compute.training_flop(facts)
    return Value(value=f"{found.value:.3g}", origin="computed", cites=found.cites) if found else MISSING


def languages(facts: Facts, _: Pack) -> Value:
    """Codes of the corpus's languages."""
    found = facts.step("tokenize", "figures", "tokens_by_language")
    return Value(value=", ".join(sorted(found.value)), origin="fact", cites=found.cites) if found else MISSING


def count(facts: Facts, stage: str, key: str) -> Value:
    """A figure of a stage, with separators."""
    found = facts.step(stage, "figures", key)
    return Value(value=f"{found.value:,}", origin="fact", cites=found.cites) if found else MISSING


def sources(facts: Facts, _: Pack) -> Value:
    """Names of the sources."""
    names = ", ".join(str(row["name"]) for row in facts.sources)
    return Value(value=names, origin="fact", cites=(f"{SOURCES}#name",)) if names else MISSING


def licences(facts: Facts, _: Pack) -> Value:
    """Licences and grounds of the sources."""
    found = {str(name) for row in facts.sources for name in row.get("licences") or [row.get("licence")]}
    return Value(value=", ".join(sorted(found)), origin="fact", cites=(f"{SOURCES}#licences",)) if found else MISSING


def synthetic(facts: Facts, _: Pack) -> Value:
    """Names of synthetic sources."""
    names = [name for name, kind in training_data.kinds(facts).items() if kind == "synthetic"]
    return (
        Value(value=", ".join(names), origin="declared", cites=(f"{DECLARED}#statements.obtained",))
        if names
        else MISSING
    )


def agent(facts: Facts, _: Pack) -> Value:
    """The crawler's name."""
    return facts.step("curate", "parameters", "policy", "agent")


def title(facts: Facts, _: Pack) -> Value:
    """Name and version of the model."""
    return Value(value=facts.title, origin="declared", cites=(f"{DECLARED}#release",))


def threshold(_: Facts, pack: Pack) -> Value:
    """The pack's threshold of training compute."""
    return Value(value=pack.thresholds["safety_flop"], origin="rule")


CHOICES: dict[str, Callable[[Facts, Pack], Value]] = {
    "flop": by_flop,
    "impact": by_impact,
    "crawling": lambda facts, _: by_kind(facts, "crawled"),
    "synthesis": lambda facts, _: by_kind(facts, "synthetic"),
}
PARTS: dict[str, Callable[[Facts, Pack], Value]] = {
    "title": title,
    "provider": lambda facts, _: facts.named("responsible", "name"),
    "contact": lambda facts, _: facts.said("rights_contact") or facts.named("responsible", "contact"),
    "licence": lambda facts, _: facts.named("release", "licence"),
    "family": lambda facts, _: facts.at(RECIPE, "model", "family"),
    "flop": flop,
    "threshold": threshold,
    "parameters": lambda facts, _: count(facts, "train", "parameters"),
    "documents": lambda facts, _: count(facts, "tokenize", "documents"),
    "tokens": lambda facts, _: count(facts, "tokenize", "tokens"),
    "languages": languages,
    "sources": sources,
    "licences": licences,
    "synthetic": synthetic,
    "agent": agent,
}
