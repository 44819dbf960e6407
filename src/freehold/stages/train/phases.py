"""The phases of a recipe: what the charter lists, in steps and shares that the data can bear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from freehold import charter as charters
from freehold.charter import Charter
from freehold.errors import InputError
from freehold.learn.phases import Phase, Recipe, Strand, steps_of
from freehold.learn.scarcity import PLENTY, Pool, Use, account, epochs_of
from freehold.learn.targets import Cell, by_language, portioned
from freehold.stage import Stage
from freehold.stages.train.forecast import micro_of
from freehold.stages.train.wanted import domains_of, shares_of


def listed(charter: Charter, pools: Mapping[Pool, int], *, at_once: int, taught: int = 0) -> list[dict[str, Any]]:
    """The charter's phases as rows of a recipe, all but their steps: those are shares of the run for now.

    `pools` are the tokens there are, `at_once` how many pass through the model together; `taught` is the context that
    it has learned before, in tokens.
    """
    rows, model = [], dict[str, Any]()
    for phase in charter.phases:
        sequence = phase.sequence or charter.train.sequence
        if phase.rope_theta is not None:
            model = {**model, "rope_theta": phase.rope_theta}
        if phase.rope_scaling is not None:
            scaling = {"rope_type": phase.rope_scaling.type, "factor": phase.rope_scaling.factor}
            model = {**model, "scaling": {**scaling, "original_max_position_embeddings": taught or sequence}}
        taught = max(taught, sequence)
        rows.append(
            {
                "name": phase.name,
                "share": phase.share,
                "sequence": sequence,
                "samples": charter.train.batch_tokens // sequence,
                "micro": micro_of(sequence, at_once),
                "shares": shares_of(charter, pools, phase.languages),
                "sources": sorted(phase.sources),
                **domains_of(charter, pools, shares_of(charter, pools, phase.languages), sources=phase.sources),
                "rate": list(phase.rate),
                "model": model,
            }
        )
    return rows


def dated(charter: Charter, recipe: Recipe) -> Recipe:
    """The recipe with its phases' steps for their shares. Raises InputError for a phase without one step."""
    if "phases" not in recipe:
        return recipe
    steps = steps_of([row["share"] for row in recipe["phases"]], total=recipe["steps"])
    for place, (row, count) in enumerate(zip(recipe["phases"], steps, strict=True)):
        if count < 1:
            raise InputError(
                f"phase {row['name']!r} has {row['share']:.1%} of {recipe['steps']} steps: less than one",
                where=charters.where(charter.path, ("phases", place, "share")),
                remedy="raise its share or the budget",
            )
    rows = [{**row, "steps": count} for row, count in zip(recipe["phases"], steps, strict=True)]
    return {**recipe, "phases": [{key: row[key] for key in row if key != "share"} for row in rows]}


def rationed(stage: Stage, recipe: Recipe, unique: Mapping[Pool, int]) -> Recipe:
    """The recipe with shares that no pool of text is passed over more often than `max_epochs` for; tells the passes.

    Raises InputError where a phase finds no text, or where there is too little of all.
    """
    charter, phases = stage.charter, Phase.of(recipe)
    demand(charter, phases, unique)
    if (most := charter.train.max_epochs) is not None:
        phases = frugal(charter, phases, unique, most=most)
        if "phases" in recipe:
            rows = [{**row, **mixed(new)} for row, new in zip(recipe["phases"], phases, strict=True)]
            recipe = {**recipe, "phases": rows}
        else:
            recipe = {**recipe, **mixed(phases[0])}
    tell(stage, account(epochs_of(uses_of(phases), unique), unique))
    return recipe


def demand(charter: Charter, phases: tuple[Phase, ...], unique: Mapping[Pool, int]) -> None:
    """Raise InputError with the charter's line where a phase's sources have no text in one of its languages."""
    for place, phase in enumerate(phases):
        for use in uses_of((phase,)):
            if phase.sources and not sum(unique[pool] for pool in use.pools(unique)):
                raise InputError(
                    f"phase {phase.name!r}: its sources have no training document in {use.language!r}",
                    where=charters.where(charter.path, ("phases", place, "sources")),
                    remedy="give the phase shares of its own with languages = {…}, or name another source",
                )


def uses_of(phases: tuple[Phase, ...]) -> list[Use]:
    """What each phase takes of each of its languages."""
    return [
        Use(
            language=language,
            tokens=share * strand.share * tokens_of(phase) / sum(phase.shares.values()),
            sources=strand.sources,
        )
        for phase in phases
        for language, share in phase.shares.items()
        for strand in phase.strands(language)
    ]


def tokens_of(phase: Phase) -> int:
    """Tokens of a phase."""
    return phase.steps * phase.samples * phase.sequence


def frugal(
    charter: Charter, phases: tuple[Phase, ...], unique: Mapping[Pool, int], *, most: float
) -> tuple[Phase, ...]:
    """The phases with shares so that no pool is passed over more than `most` times, the earlier phase first."""
    settled: tuple[Phase, ...] = ()
    for phase in phases:
        before, room = epochs_of(uses_of(settled), unique), {}
        for cell, strand in strands_in(phase).items():
            pools = Use(language=cell[0], tokens=0, sources=strand.sources).pools(unique)
            left = most - max((before[pool] for pool in pools), default=most)
            room[cell] = max(0.0, left) * sum(unique[pool] for pool in pools)
        targets = {cell: phase.shares[cell[0]] * strand.share for cell, strand in strands_in(phase).items()}
        reached = portioned(targets, room, amount=tokens_of(phase))
        if reached is None:
            raise InputError(
                f"{most:g} passes over the text of phase {phase.name!r} leave {sum(room.values()):,.0f} tokens "
                f"where it takes {tokens_of(phase):,}",
                where=charters.where(charter.path, ("train", "max_epochs")),
                remedy="train on fewer tokens, raise max_epochs or add documents",
            )
        settled += (reshared(phase, reached),)
    return settled


def strands_in(phase: Phase) -> dict[Cell, Strand]:
    """What a phase reads, by language and domain."""
    return {(code, strand.domain): strand for code in phase.shares for strand in phase.strands(code)}


def reshared(phase: Phase, reached: Mapping[Cell, float]) -> Phase:
    """The phase with other shares; what has none is left out."""
    shares = {code: share for code, share in by_language(reached).items() if share}
    domains = {
        code: tuple(
            replace(strand, share=reached[code, strand.domain] / shares[code])
            for strand in phase.domains[code]
            if reached[code, strand.domain]
        )
        for code in shares
        if code in phase.domains
    }
    return replace(phase, shares=shares, domains=domains)


def mixed(phase: Phase) -> dict[str, Any]:
    """The keys of a recipe, or of one of its phases, that say what is mixed."""
    found: dict[str, Any] = {"shares": phase.shares}
    if phase.domains:
        domains = phase.domains.items()
        found["domains"] = {code: [asdict(strand) for strand in strands] for code, strands in domains}
    return found


def tell(stage: Stage, rows: Mapping[str, Mapping[str, float]]) -> None:
    """One line with the passes over each language, and a warning where they wear out."""
    passes = ", ".join(f"{code} {row['epochs']:.3g}" for code, row in rows.items() if row["epochs"])
    stage.progress.note(f"passes over the text: {passes}")
    for code, row in rows.items():
        if row["most_epochs"] > PLENTY:
            tokens = row["unique"] * row["epochs"]
            stage.progress.note(
                f"warning: {code} is passed over {row['most_epochs']:.3g} times; its {tokens:,.0f} tokens teach like "
                f"{row['effective']:,.0f} fresh ones (max_epochs under [train] sets a limit)"
            )
