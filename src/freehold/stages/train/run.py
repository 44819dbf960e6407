"""Train: a model that learned from the tokenize artifact's shards, with the chain that proves how.

It begins at random weights that anyone can draw from the published seed, or at those of the charter's base.

Killed at any moment, the next run goes on from the last checkpoint and ends with the same bytes.
"""

from __future__ import annotations

import shutil
from typing import Any

from freehold.learn import checkpoint, device
from freehold.learn.course import follow
from freehold.learn.diary import Diary
from freehold.learn.phases import Curriculum, Recipe
from freehold.learn.scarcity import account
from freehold.learn.session import Session
from freehold.learn.shards import Shards
from freehold.learn.targets import shown
from freehold.learn.uses import first_steps
from freehold.model import hf
from freehold.proof import chain
from freehold.records import canonical_json, json_lines
from freehold.sight.watch import watch
from freehold.stage import Stage
from freehold.stages.train.origin import Origin
from freehold.stages.train.ranks import together
from freehold.stages.train.recipe import FORMAT, session_of, settle
from freehold.stages.train.wanted import mixture_of
from freehold.stages.train.withdrawal import ACCOUNT, WITHDRAWN, Restart, carry, plant

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja")


def run(stage: Stage) -> None:
    """Settle the recipe, learn, and leave the model with its evidence."""
    device.settle(device.choose(stage.charter.train.device))
    shards = Shards.open(stage.input("tokenize"))
    origin = Origin.of(stage)
    restart = Restart.of(stage.workspace, stage.identity, shards) if WITHDRAWN in stage.identity.parameters else None
    recipe = settle(stage, shards, origin, restart=restart)
    corpus = Curriculum(shards, recipe)
    cut_off = first_steps(corpus, recipe.get(WITHDRAWN, ()))
    if cut_off:
        stage.put(ACCOUNT, canonical_json({"format": FORMAT, "documents": cut_off}))
    if restart is not None and restart.recipe == recipe:
        if restart.whole:
            stage.put("recipe.json", canonical_json(recipe))
            carry(stage, restart)
            return
        plant(stage, restart)
    with together(stage, recipe) as ranks:
        session = session_of(recipe, origin)
        seen = watch(stage, recipe=recipe, config=session.config)
        diary = follow(
            session,
            batches=corpus,
            recipe=recipe,
            stage="train",
            folder=stage.scratch,
            progress=stage.progress,
            base=recipe["base"],
            bytes_per_token=seen.bytes_per_token,
            observers=seen.observers,
            ranks=ranks,
            cut_off={name: step for name, step in cut_off.items() if step is not None},
        )
    write_model(stage, session, dtype=recipe["dtype"])
    keep_checkpoints(stage, every=recipe["keep_every"])
    write_evidence(stage, diary, recipe=recipe, corpus=corpus, origin=origin)


def write_model(stage: Stage, session: Session, *, dtype: str) -> None:
    """The Hugging Face folder, tokenizer included."""
    folder = stage.output / "model"
    hf.save_folder(folder, config=session.config, weights=session.weights(), dtype=dtype)
    for name in TOKENIZER_FILES:
        if (stage.input("tokenize") / name).exists():
            shutil.copyfile(stage.input("tokenize") / name, folder / name)


def keep_checkpoints(stage: Stage, *, every: int) -> None:
    """Let the checkpoints of each `every` steps outlive the scratch folder; 0: none."""
    folder = stage.output / "checkpoints"
    for path in sorted((stage.scratch / "checkpoints").glob("step-*.safetensors")):
        if every and (step := checkpoint.step_of(path)) and step % every == 0:
            folder.mkdir(exist_ok=True)
            (folder / path.name).unlink(missing_ok=True)
            (folder / path.name).hardlink_to(path)


def write_evidence(
    stage: Stage, diary: Diary, *, recipe: Recipe, corpus: Curriculum, origin: Origin | None = None
) -> None:
    """Chain, recipe, curve and what was consumed."""
    rows, tokens = diary.rows(), recipe["steps"] * recipe["samples"] * recipe["sequence"]
    consumed = corpus.consumed()
    by_language = {code: sum(length * times for _, _, length, times in found) for code, found in consumed.items()}
    mixture = mixture_of(stage.charter, recipe, consumed, corpus.shards)
    summary: dict[str, Any] = {
        "format": FORMAT,
        "steps": recipe["steps"],
        "tokens": tokens,
        "tokens_by_language": by_language,
        "supply": supply(consumed, corpus.shards),
        "mixture": shown(mixture["rows"]),
        "parameters": diary.session.config.parameters,
        "skipped_steps": sum(bool(row.get("skipped")) for row in rows),
        "loss": round(sum(row["loss"] for row in rows[-20:]) / len(rows[-20:]), 4),
        "precision": recipe["precision"],
    }
    if origin is not None:
        frozen = sum(weight.numel() for weight in diary.session.frozen.values())
        summary |= {"base": recipe["base"], "frozen_parameters": frozen, **origin.report}
    stage.put("chain.jsonl", b"".join(chain.line(row) + b"\n" for row in diary.chain))
    stage.put("curve.jsonl", json_lines(rows))
    stage.put("recipe.json", canonical_json(recipe))
    stage.put("consumed.json", canonical_json(consumption(consumed, shards=corpus.shards)))
    stage.put("mixture.json", canonical_json(mixture))
    stage.put("train.json", canonical_json(summary))
    stage.figures.update(summary)
    if diary.taken:  # of this machine, so no part of the artifact; it prices a withdrawal
        stage.figures["seconds_per_step"] = round(diary.seconds / diary.taken, 4)


def supply(consumed: dict[str, list[list[int]]], shards: Shards) -> dict[str, dict[str, float]]:
    """Per language: tokens there are, passes over them, and how much fresh text they are worth."""
    unique = shards.tokens()
    epochs = dict.fromkeys(unique, 0.0)
    for code, found in consumed.items():
        for row, _, length, times in found:
            pool = (code, shards.sources[row])
            epochs[pool] += length * times / unique[pool]
    return account(epochs, unique)


def consumption(consumed: dict[str, list[list[int]]], *, shards: Shards) -> dict[str, Any]:
    """consumed.json: ranges [offset, tokens, times] of each document, by language and document id.

    A document's first token is its BOS, at offset 0; ranges are disjoint and in order.
    """
    languages: dict[str, dict[str, list[list[int]]]] = {}
    for code, ranges in consumed.items():
        documents = languages.setdefault(code, {})
        for row, offset, length, times in ranges:
            documents.setdefault(shards.documents[row], []).append([offset, length, times])
    return {"format": FORMAT, "languages": languages}
