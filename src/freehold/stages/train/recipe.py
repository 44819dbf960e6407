"""The recipe: everything that a training run is a function of, settled before its first step."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from typing import Any

import torch

from freehold.charter import Charter
from freehold.charter_tables import Train
from freehold.errors import InputError
from freehold.learn import compilation, precision
from freehold.learn import device as devices
from freehold.learn.freezing import freeze
from freehold.learn.loop import Taken, learn
from freehold.learn.optimizer import Rates
from freehold.learn.phases import Curriculum, Recipe
from freehold.learn.schedule import Schedule
from freehold.learn.session import Session, use_threads
from freehold.learn.setting import kernels, ranks_of, same_machine
from freehold.learn.shards import Shards
from freehold.learn.start import initialise
from freehold.model.config import ModelConfig
from freehold.model.language import LanguageModel
from freehold.model.transformer import Transformer
from freehold.records import canonical_json
from freehold.stage import Stage
from freehold.stages.train.forecast import micro_of, shape_of
from freehold.stages.train.origin import Origin
from freehold.stages.train.phases import dated, listed, rationed
from freehold.stages.train.room import fitted
from freehold.stages.train.wanted import domains_of, pools_of, shares_of
from freehold.stages.train.withdrawal import Restart, with_withdrawn, withdrawn
from freehold.store.atomic import place

FORMAT = 1
WARM_STEPS, TIMED_STEPS = 2, 4  # of the rehearsal that turns minutes into tokens
SPARE = 0.95  # share of the minutes that steps may use; checkpoints and other work need the rest


def settle(stage: Stage, corpus: Shards, origin: Origin | None = None, *, restart: Restart | None = None) -> Recipe:
    """The recipe of this run: the one a killed run left, that of the run it restarts, else made anew."""
    path = stage.scratch / "recipe.json"
    if not path.exists():
        if restart is not None and restart.elsewhere:
            stage.progress.note(f"training begins at the seed: {restart.elsewhere}")
        composed = restart.recipe if restart and not restart.elsewhere else made(stage, corpus, origin)
        place(path, canonical_json(composed), scratch=stage.scratch)
    recipe: Recipe = json.loads(path.read_bytes())
    if restart is None or not restart.whole or restart.recipe != recipe:  # else no step is taken
        same_machine(recipe, where=str(path))
    use_threads(recipe["threads"])
    return recipe


def made(stage: Stage, corpus: Shards, origin: Origin | None) -> Recipe:
    """The recipe that charter, data and machine make together."""
    composed = compose(stage, origin)
    composed = fitted(stage, composed, ranks=ranks_of(stage.charter.train.ranks, composed))
    composed = dated(stage.charter, {**composed, "steps": budget(stage, composed, corpus, origin)})
    return rationed(stage, composed, corpus.tokens())


def compose(stage: Stage, origin: Origin | None = None) -> Recipe:
    """Everything but the number of steps; `origin` is the base that training goes on from, if any.

    Phases have shares of the steps.
    """
    charter, facts = stage.charter, json.loads((stage.input("tokenize") / "tokenize.json").read_bytes())
    train, pools = charter.train, pools_of(facts)
    shares = shares_of(charter, pools)
    if train.batch_tokens < train.sequence:
        raise InputError(
            f"a batch of {train.batch_tokens} tokens is shorter than the sequence of {train.sequence}",
            where=f"{charter.path.name}: train.batch_tokens",
            remedy="raise batch_tokens or lower sequence",
        )
    device = devices.choose(train.device)
    shape = fresh_shape(charter, facts) if origin is None else origin.shape
    at_once = devices.micro_tokens(shape, device=device)
    recipe: Recipe = {
        "format": FORMAT,
        "model": shape.to_dict(),
        "base": None if origin is None else origin.digest,
        "frozen": [] if origin is None else list(origin.freeze),
        "dtype": "float32" if origin is None else origin.base.dtype,  # in which the weights are shipped
        "data": stage.digest("tokenize"),
        "shares": shares,
        **domains_of(charter, pools, shares),
        "seed": train.seed,
        "sequence": train.sequence,
        "samples": train.batch_tokens // train.sequence,  # sequences a step
        "micro": micro_of(train.sequence, at_once),  # sequences at once
        "rates": fresh_rates(train) if origin is None else origin.rates(charter),
        "warmup_steps": train.warmup_steps,
        "decay_share": train.decay_share,
        "goldfish": train.goldfish,
        "document_mask": train.document_mask,
        "checkpoint_steps": train.checkpoint_steps,
        "keep_checkpoints": train.keep_checkpoints,
        "keep_every": train.keep_every or 0,
        "device": device,
        "precision": precision.choose(train.precision, device=device),
        "compiled": train.compile and compilation.possible(device),
        "kernels": kernels(),
        "threads": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "torch": torch.__version__,
    }
    if charter.phases:
        taught = 0 if origin is None else origin.base.shape.context
        recipe["phases"] = listed(charter, pools, at_once=at_once, taught=taught)
    return with_withdrawn(recipe, withdrawn(stage.identity))


def fresh_shape(charter: Charter, facts: dict[str, Any]) -> ModelConfig:
    """The charter's model with the tokenizer's vocabulary and control tokens."""
    shape = shape_of(charter, vocabulary=facts["vocabulary"])
    return replace(shape, bos_id=facts["bos"], eos_id=facts["eos"], pad_id=facts["pad"])


def fresh_rates(train: Train) -> dict[str, float]:
    """The charter's rates, for random weights."""
    return {
        "matrix": train.learning_rate,
        "embedding": train.embedding_learning_rate,
        "head": train.head_learning_rate,
        "vector": train.vector_learning_rate,
        "weight_decay": train.weight_decay,
    }


def session_of(recipe: Recipe, origin: Origin | None = None) -> Session:
    """A model at its start, drawn from the published seed or taken from the base, ready to learn."""
    model: LanguageModel
    if origin is None:
        model = Transformer(ModelConfig(**recipe["model"]))
        initialise(model, seed=recipe["seed"])
        freeze(model, recipe["frozen"])
    else:
        model = origin.model()
    rates = Rates(**recipe["rates"])
    return Session.of(
        model,
        rates=rates,
        precision=recipe["precision"],
        compiled=recipe["compiled"],
        device=recipe["device"],
    )


def budget(stage: Stage, recipe: Recipe, shards: Shards, origin: Origin | None = None) -> int:
    """Steps of the run: as given, from tokens, or from minutes by a short rehearsal."""
    train = stage.charter.train
    batch_tokens: int = recipe["samples"] * recipe["sequence"]
    if train.steps is not None:
        return train.steps
    if train.tokens is not None:
        return max(1, round(train.tokens / batch_tokens))
    assert train.minutes is not None
    begun = time.monotonic()
    step_s = rehearse(recipe, shards, origin, ranks=ranks_of(train.ranks, recipe))
    left_s = train.minutes * 60 - (time.monotonic() - begun)
    steps = max(1, int(SPARE * left_s / step_s))
    stage.progress.note(f"{train.minutes:g} minutes at {batch_tokens / step_s:,.0f} tokens/s: {steps:,} steps")
    return steps


def rehearse(recipe: Recipe, shards: Shards, origin: Origin | None = None, *, ranks: int = 1) -> float:
    """Mean seconds a step takes here, over the phases by their shares; each length of window is tried once.

    One of `ranks` is rehearsed, with its rows of the batch and its threads: adding up their gradients is left out.
    """
    use_threads(max(1, recipe["threads"] // ranks))
    rows = recipe.get("phases") or [{**recipe, "share": 1.0}]
    lengths = {
        row["sequence"]: {"sequence": row["sequence"], "samples": -(-row["samples"] // ranks), "micro": row["micro"]}
        for row in rows
    }
    took = {sequence: time_step({**recipe, **shape}, shards, origin) for sequence, shape in lengths.items()}
    return float(sum(row["share"] * took[row["sequence"]] for row in rows) / sum(row["share"] for row in rows))


def time_step(recipe: Recipe, shards: Shards, origin: Origin | None = None) -> float:
    """Seconds a step takes: the median of a few, on a session that is thrown away."""
    ends: list[float] = []

    def after(_: Taken) -> None:
        ends.append(time.monotonic())

    steps = WARM_STEPS + TIMED_STEPS
    single = {key: value for key, value in recipe.items() if key != "phases"} | {"steps": steps}
    session = session_of(recipe, origin)
    learn(
        session.model,
        batches=Curriculum(shards, single),
        optimizer=session.optimizer,
        schedule=Schedule(steps=steps, decay_share=0.0),
        guard=session.guard,
        micro=recipe["micro"],
        after=after,
    )
    took = sorted(end - start for start, end in zip(ends[WARM_STEPS - 1 :], ends[WARM_STEPS:], strict=False))
    return took[len(took) // 2]
