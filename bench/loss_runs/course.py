"""A run: the charter's recipe with a contender's optimizer, over the real shards, judged on held-out text."""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import re
import shutil
import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from freehold import stage as stages
from freehold.errors import GateError
from freehold.learn import checkpoint
from freehold.learn.loop import Taken, learn
from freehold.learn.phases import Curriculum, Phase, Recipe
from freehold.learn.scarcity import account, epochs_of
from freehold.learn.schedule import Schedule
from freehold.learn.session import Session, use_threads
from freehold.learn.shards import Shards
from freehold.records import canonical_json
from freehold.stage import Stage
from freehold.stages.train.held_out import HeldOut, held_out
from freehold.stages.train.phases import uses_of
from freehold.stages.train.trial import Trial, recipe_of
from freehold.store.closure import code_digest
from freehold.store.workspace import write_atomic
from loss_runs.kinds import DECAY, KINDS, Kind, Theirs, session_with

WARMUP_STEPS = 40  # for every kind; at most a tenth of the run
SAVED_EVERY = 100  # steps; a run that is killed goes on from there
LOCAL = ("threads", "micro")  # of a recipe: what may differ between sittings


def prepared(options: argparse.Namespace) -> Stage:
    """A copy of the charter with the vocabulary asked for, its text curated and cut into tokens."""
    copy = options.folder / "charter"
    if not copy.exists():
        shutil.copytree(options.charter.parent, copy, ignore=shutil.ignore_patterns(".freehold"))
    text = options.charter.read_text(encoding="utf-8")
    text, count = re.subn(r"(?m)^vocabulary = \d+", f"vocabulary = {options.vocabulary}", text)
    assert count == 1, "the charter names its vocabulary once"
    charter = copy / "charter.toml"
    charter.write_text(text, encoding="utf-8")
    given = {"charter": str(charter), "workspace": str(options.folder / "workspace")}
    for name in ("curate", "tokenize"):
        stages.perform(**given, stage=name, run_folder=str(options.folder / "looks" / name))
    stage = stages.visit(**given, run_folder=str(options.folder / "looks" / "loss"), needs=("curate", "tokenize"))
    return replace(stage, charter=replace(stage.charter, train=replace(stage.charter.train, device=options.device)))


@dataclass(frozen=True)
class Course:
    """Where runs are made and remembered."""

    stage: Stage
    options: argparse.Namespace
    until: float  # time.monotonic() after which no run is begun

    @property
    def folder(self) -> Path:
        """Of the files of finished runs."""
        return Path(self.options.folder, "runs")

    @cached_property
    def shards(self) -> Shards:
        """The training tokens."""
        return Shards.open(self.stage.input("tokenize"))

    @cached_property
    def judge(self) -> HeldOut:
        """The held-out text."""
        facts = self.recipe("ours", rate=1.0, seed=0, tokens=1)
        folders = self.stage.input("curate"), self.stage.input("tokenize")
        languages, bos = sorted(facts["shares"]), facts["model"]["bos_id"]
        return held_out(*folders, languages=languages, sequence=facts["sequence"], bos=bos)

    def recipe(self, kind: str, *, rate: float, seed: int, tokens: int) -> Recipe:
        """The charter's recipe with these numbers. Only the matrices' rate is tuned: the others are the charter's."""
        options = self.options
        trial = Trial(depth=options.depth, batch_tokens=options.batch_tokens, rate=rate, tokens=tokens, seed=seed)
        found = recipe_of(self.stage, trial)
        train = self.stage.charter.train
        rates = {**found["rates"], "matrix": rate, "weight_decay": DECAY}
        for name in ("embedding", "head", "vector"):
            rates[name] = getattr(train, f"{name}_learning_rate")
        warm = min(WARMUP_STEPS, found["steps"] // 10)
        return {**found, "rates": rates, "warmup_steps": warm, "optimizer": kind}

    def path(self, recipe: Recipe) -> Path:
        """Where the result of a run is, or will be: its name holds everything that decides it but the code."""
        decisive = {key: value for key, value in recipe.items() if key not in LOCAL}
        named = canonical_json({"recipe": decisive, "held_out": self.stage.digest("curate")})
        numbers = f"r{recipe['rates']['matrix']:.4g}-s{recipe['seed']}-t{recipe['tokens']}"
        return self.folder / f"{recipe['optimizer']}-{numbers}-{hashlib.sha256(named).hexdigest()[:8]}.json"

    def run(self, kind: str, *, rate: float, seed: int, tokens: int) -> dict[str, Any] | None:
        """What a run found, now or in an earlier sitting; None if it is not there and there is no time for it."""
        recipe = self.recipe(kind, rate=rate, seed=seed, tokens=tokens)
        path = self.path(recipe)
        if not path.exists():
            if time.monotonic() > self.until:
                return None
            found = self.train(KINDS[kind], recipe, unfinished=path.with_suffix(".unfinished"))
            numbers = {"kind": kind, "rate": rate, "seed": seed, "tokens": recipe["tokens"], "steps": recipe["steps"]}
            code = {"code": code_digest(Trial.__module__), "recipe": recipe}
            write_atomic(path, canonical_json({**numbers, **found, **code}))
            shutil.rmtree(path.with_suffix(".unfinished"), ignore_errors=True)
        result: dict[str, Any] = json.loads(path.read_bytes())
        return result

    def train(self, kind: Kind, recipe: Recipe, *, unfinished: Path) -> dict[str, Any]:
        """Train from the seed, or go on from a checkpoint in `unfinished`, and judge.

        A loss that is no number any more is a finding too: no bits per byte.
        """
        if recipe["compiled"]:
            torch.compiler.reset()
        use_threads(recipe["threads"])
        session, begun = session_with(kind, recipe), time.monotonic()
        batch, bits = recipe["samples"] * recipe["sequence"], dict[str, float]()
        first, spent = resumed(session, unfinished, code=code_digest(Trial.__module__))
        with self.stage.progress.task(kind.title, total=recipe["tokens"], unit="tok", done=first * batch) as task:

            def after(step: Taken) -> None:
                task.advance(batch, rate=recipe["rates"]["matrix"], loss=step.loss)
                if (step.step + 1) % SAVED_EVERY == 0:
                    facts = {"code": code_digest(Trial.__module__), "seconds": spent + time.monotonic() - begun}
                    session.save(unfinished, step=step.step + 1, facts=facts, keep=1)

            try:
                learn(
                    session.model,
                    batches=Curriculum(self.shards, recipe),
                    optimizer=session.optimizer,
                    schedule=Schedule(
                        steps=recipe["steps"], warmup_steps=recipe["warmup_steps"], decay_share=recipe["decay_share"]
                    ),
                    guard=session.guard,
                    first=first,
                    micro=recipe["micro"],
                    after=after,
                )
                bits = self.judge.bits_per_byte(session.model, rows=min(recipe["micro"], recipe["samples"]))
            except GateError:
                pass
        shares, sound = recipe["shares"], bool(bits) and all(map(math.isfinite, bits.values()))
        whole = sum(shares[code] * bits[code] for code in bits) / sum(shares.values())
        return {
            "bits_per_byte": whole if sound else None,
            "bits_per_byte_by_language": bits if sound else {},
            "seconds": round(spent + time.monotonic() - begun, 1),
        }

    def passes(self) -> dict[str, float]:
        """How often a whole run passes over each language's text."""
        recipe = self.recipe("ours", rate=1.0, seed=0, tokens=self.options.tokens)
        unique = self.shards.tokens()
        rows = account(epochs_of(uses_of(Phase.of(recipe)), unique), unique)
        return {code: row["epochs"] for code, row in rows.items()}


def resumed(session: Session, unfinished: Path, *, code: str) -> tuple[int, float]:
    """The step at which a killed run goes on, and the seconds it had taken; what other code began is begun anew."""
    found = checkpoint.latest(unfinished)
    if found is None or found.facts["code"] != code:
        return 0, 0.0
    for group in session.optimizer.groups.values():
        if isinstance(group, Theirs):
            group.wake()
    session.restore(found)
    return found.step, found.facts["seconds"]
