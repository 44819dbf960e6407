"""Phases: stretches of a run that differ in mixture, length, rate or rotary setting, and the batches over all of them.

A recipe lists them; one without phases is a single phase. Phases go on in the streams of the phases before them:
what a language's stream gave is not given again before its documents are used up. A phase that reads only some sources
has streams of its own, which begin anew: seeing the best documents once more is what it is for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from freehold.errors import InputError
from freehold.learn.batches import Batch, Corpus, Edges, ranges, stream_of, turns_of
from freehold.learn.mixture import Braid, Part, Stream
from freehold.learn.schedule import Schedule, Slope
from freehold.learn.shards import Shards
from freehold.records import canonical_json

Recipe = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strand:
    """One domain of a language in a phase: the sources it comes from, and its share of the language's windows."""

    domain: str
    share: float
    sources: tuple[str, ...]  # (): all


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One stretch, as a recipe has it."""

    name: str
    steps: int
    sequence: int  # tokens
    samples: int  # sequences a step
    micro: int  # sequences that pass through the model at once
    shares: dict[str, float] = field(default_factory=dict)
    sources: tuple[str, ...] = ()  # only these; (): all
    domains: dict[str, tuple[Strand, ...]] = field(default_factory=dict)  # language → what it is mixed of
    rate: tuple[float, float] = (1.0, 1.0)  # factor of the rates at its start and end
    model: dict[str, Any] = field(default_factory=dict)  # what changes in the model's configuration

    @classmethod
    def of(cls, recipe: Recipe) -> tuple[Phase, ...]:
        """The phases of a recipe, in order."""
        if "phases" not in recipe:
            same = {name: recipe[name] for name in ("steps", "sequence", "samples", "micro")}
            return (cls(name="main", shares=recipe.get("shares", {}), domains=_domains(recipe), **same),)
        return tuple(
            cls(**{**row, "sources": tuple(row["sources"]), "rate": tuple(row["rate"]), "domains": _domains(row)})
            for row in recipe["phases"]
        )

    def strands(self, language: str) -> tuple[Strand, ...]:
        """What a language's windows are mixed of: its domains, or all of its text as one."""
        return self.domains.get(language) or (Strand(domain="", share=1.0, sources=self.sources),)


def steps_of(shares: list[float], *, total: int) -> list[int]:
    """Steps of each phase so that they sum to `total`, every end rounded to the nearest step.

    >>> steps_of([0.1, 0.8, 0.1], total=25)
    [2, 20, 3]
    """
    whole, ends = sum(shares), [0]
    for index in range(len(shares)):
        ends.append(round(total * sum(shares[: index + 1]) / whole))
    return [end - begin for begin, end in pairwise(ends)]


def schedule_of(recipe: Recipe) -> Schedule:
    """The rates of a whole run."""
    slopes = [Slope(steps=phase.steps, start=phase.rate[0], end=phase.rate[1]) for phase in Phase.of(recipe)]
    return Schedule(
        steps=recipe["steps"],
        warmup_steps=recipe["warmup_steps"],
        decay_share=recipe["decay_share"],
        slopes=tuple(slopes) if "phases" in recipe else (),
    )


def recipe_digest(recipe: Recipe) -> str:
    """SHA-256 of a recipe: what a checkpoint names as its maker."""
    return hashlib.sha256(canonical_json(recipe)).hexdigest()


def _domains(row: Mapping[str, Any]) -> dict[str, tuple[Strand, ...]]:
    """The domains of a recipe or of one of its phases, by language."""
    found: dict[str, list[dict[str, Any]]] = row.get("domains", {})
    return {
        language: tuple(Strand(**{**strand, "sources": tuple(strand["sources"])}) for strand in strands)
        for language, strands in found.items()
    }


class Curriculum:
    """Batches over all phases of a run: a pure function of shards, recipe and step."""

    def __init__(self, shards: Shards, recipe: Recipe) -> None:
        """Raises InputError when a phase names a language that its sources do not have.

        Also for withdrawn documents without document masks: others would learn from the gap they leave.
        """
        self.shards, self.phases = shards, Phase.of(recipe)
        withdrawn = withdrawn_rows(shards, recipe)
        streams = _streams(shards, self.phases, digest=recipe["data"], seed=recipe["seed"])
        given = dict.fromkeys(streams, 0)  # blocks of each stream that earlier phases took
        self.corpora: list[Corpus] = []
        for phase in self.phases:
            turns, parts = turns_of(phase.shares), dict[str, Part | Braid]()
            for language in phase.shares:
                strands, own = phase.strands(language), {}
                inner = turns_of({strand.domain: strand.share for strand in strands})
                taken = turns.count(language, phase.steps * phase.samples)
                for strand in strands:
                    name = (language, strand.sources)
                    windows = inner.count(strand.domain, taken)
                    blocks = -(-windows * phase.sequence // streams[name].block)
                    part = Part(stream=streams[name], window=phase.sequence, first=given[name], blocks=blocks)
                    own[strand.domain], given[name] = part, given[name] + blocks
                parts[language] = Braid(turns=inner, parts=own) if len(own) > 1 else part
            options = {"goldfish": recipe.get("goldfish", 0), "segments": recipe.get("document_mask", False)}
            corpus = Corpus(shards, parts=parts, turns=turns, samples=phase.samples, withdrawn=withdrawn, **options)
            self.corpora.append(corpus)

    def at(self, step: int) -> Batch:
        """The batch of a step of the run."""
        for phase, corpus in zip(self.phases[:-1], self.corpora, strict=False):
            if step < phase.steps:
                return corpus.at(step)
            step -= phase.steps
        return self.corpora[-1].at(step)

    def windows(self, phase: Phase) -> Corpus:
        """The windows of one phase, a batch of one each."""
        corpus = self.corpora[self.phases.index(phase)]
        return Corpus(
            self.shards,
            parts=corpus.parts,
            turns=corpus.turns,
            samples=1,
            goldfish=corpus.goldfish,
            withdrawn=corpus.withdrawn,
        )

    def check(self) -> None:
        """Raise InputError if a token file changed since it was opened."""
        self.shards.check()

    def consumed(self) -> dict[str, list[list[int]]]:
        """What the whole run predicted, per language: [document row, offset, tokens, times].

        Ranges are disjoint, sorted and merged; `times` says how often a range was consumed.
        """
        summed: dict[str, Edges] = {}
        for phase, corpus in zip(self.phases, self.corpora, strict=True):
            for language in corpus.parts:
                edges = summed.setdefault(language, {})
                for place, change in corpus.edges(language, phase.steps * phase.samples).items():
                    edges[place] = edges.get(place, 0) + change
        return {language: ranges(edges) for language, edges in summed.items()}


def withdrawn_rows(shards: Shards, recipe: Recipe) -> set[int]:
    """Rows of the documents that a recipe cuts off. Raises InputError where attention would cross the gaps."""
    names = set(recipe.get("withdrawn", ()))
    if names and not recipe.get("document_mask"):
        raise InputError(
            f"{len(names)} documents are withdrawn at W3, and this run has no document masks",
            where="charter: train.document_mask",
            remedy="withdraw at W1 and W2 instead, or set document_mask = true and train from the start",
        )
    return {row for row, name in enumerate(shards.documents) if name in names}


def _streams(
    shards: Shards, phases: tuple[Phase, ...], *, digest: str, seed: int
) -> dict[tuple[str, tuple[str, ...]], Stream]:
    """Every stream of a run by language and sources; its blocks hold the longest window that is cut from it."""
    longest: dict[tuple[str, tuple[str, ...]], int] = {}
    for phase in phases:
        for language in phase.shares:
            for strand in phase.strands(language):
                name = (language, strand.sources)
                longest[name] = max(longest.get(name, 0), phase.sequence)
    return {
        (language, sources): stream_of(shards, language, digest=digest, seed=seed, block=block, sources=sources)
        for (language, sources), block in longest.items()
    }
