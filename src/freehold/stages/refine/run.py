"""Refine: the pre-trained model learns the chat template from instructions whose rights allow it.

Only the assistant's words count, and a share of every batch is text that training saw, so that the model keeps what
it knew. Killed at any moment, the next run goes on from the last checkpoint and ends with the same bytes.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet

from freehold import charter as charters
from freehold.charter_tables import Policy
from freehold.errors import InputError
from freehold.learn import device
from freehold.learn.course import follow
from freehold.learn.diary import Diary
from freehold.learn.phases import Recipe
from freehold.learn.session import Session
from freehold.model import hf
from freehold.model.folder import read_tokenizer
from freehold.model.streaming import control_tokens
from freehold.proof import chain
from freehold.records import canonical_json, json_lines
from freehold.sight.watch import watch
from freehold.stage import Stage
from freehold.stages.refine.instructions import Dropped, Gate, Instruction, gather
from freehold.stages.refine.lessons import Lesson
from freehold.stages.refine.recipe import FORMAT, Base, lessons_of, session_of, settle

MADE = {hf.INDEX, "config.json", "generation_config.json"}  # here, as the weights are; the rest of the folder is copied
SHOWN_DROPS = 3


def run(stage: Stage) -> None:
    """Gate the instructions, teach them, and leave the model with its evidence."""
    device.settle(device.choose(stage.charter.train.device))
    base = Base.of(stage.input("train"))
    if stage.charter.refine.instructions is None:
        pass_through(stage, base)
        return
    instructions, dropped = admitted(stage, base)
    lessons = lessons_of(base, instructions)
    tell(stage, instructions, lessons, dropped)
    recipe, batches = settle(stage, base, lessons)
    session = session_of(recipe, base)
    previous = chain.last_digest((stage.input("train") / "chain.jsonl").read_bytes())
    seen = watch(stage, recipe=recipe, config=session.config)
    diary = follow(
        session,
        batches=batches,
        recipe=recipe,
        stage="refine",
        folder=stage.scratch,
        progress=stage.progress,
        previous=previous,
        bytes_per_token=seen.bytes_per_token,
        observers=seen.observers,
        cut_off=dict.fromkeys(base.withdrawn, 0),
    )
    write_model(stage, session, base, dtype=recipe["dtype"])
    write_evidence(stage, diary, recipe=recipe, instructions=instructions, dropped=dropped)
    summarise(stage, diary, recipe=recipe, lessons=lessons, dropped=dropped)


def admitted(stage: Stage, base: Base) -> tuple[list[Instruction], list[Dropped]]:
    """Instructions whose licence and document allow it. Raises InputError when none is left."""
    gate = gate_of(stage.charter.policy, curated=stage.input("curate"), model=base.model, withdrawn=base.withdrawn)
    path = stage.charter.resolve(stage.charter.refine.instructions or "")
    instructions, dropped = gather(path, gate)
    if not instructions:
        reasons = ", ".join(f"{count} {reason}" for reason, count in Counter(one.reason for one in dropped).items())
        raise InputError(
            f"no instruction is left ({reasons or 'the file is empty'})",
            where=charters.where(stage.charter.path, ("refine", "instructions")),
            remedy="correct the file, allow its licences or remove the line",
        )
    return instructions, dropped


def gate_of(policy: Policy, *, curated: Path, model: Path, withdrawn: Collection[str] = ()) -> Gate:
    """What instructions must pass: `curated` is the artifact of curate, `model` the folder of the pre-trained model."""
    return Gate(
        policy=policy,
        held_out={row["id"] for row in rows_of(curated / "held_out", "*.parquet", ["id"])},
        refused={row["id"]: row["reason"] for row in rows_of(curated, "ledger.parquet", ["id", "reason"])},
        controls=control_tokens(read_tokenizer(model)),
        withdrawn=withdrawn,
    )


def rows_of(folder: Path, pattern: str, columns: list[str]) -> Iterator[dict[str, Any]]:
    """Rows of the Parquet files of a folder."""
    for path in sorted(folder.glob(pattern)):
        yield from parquet.read_table(path, columns=columns).to_pylist()


def tell(stage: Stage, instructions: list[Instruction], lessons: list[Lesson], dropped: list[Dropped]) -> None:
    """What is taught and what is not."""
    stage.progress.note(f"{len(instructions):,} instructions to learn from")
    if (pieces := len(lessons) - len({lesson.name for lesson in lessons})) > 0:
        stage.progress.note(f"{pieces:,} more pieces, of those longer than a training sequence")
    for reason, count in Counter(one.reason for one in dropped).most_common():
        places = [str(one.line) for one in dropped if one.reason == reason][:SHOWN_DROPS]
        more = " …" if count > SHOWN_DROPS else ""
        stage.progress.note(f"left out {count:,}: {reason} (line {', '.join(places)}{more})")


def write_model(stage: Stage, session: Session, base: Base, *, dtype: str) -> None:
    """The Hugging Face folder: new weights, everything else as training left it."""
    folder = stage.output / "model"
    hf.save_folder(folder, config=session.config, weights=session.weights(), dtype=dtype)
    for path in sorted(base.model.iterdir()):
        if path.name not in MADE and path.suffix != ".safetensors":
            shutil.copyfile(path, folder / path.name)


def write_evidence(
    stage: Stage, diary: Diary, *, recipe: Recipe, instructions: list[Instruction], dropped: list[Dropped]
) -> None:
    """Chain, curve, recipe, and which instructions there were: names and rights, not their text."""
    named = [
        {"id": one.id, "document": one.document, "language": one.language, "licence": one.licence}
        for one in instructions
    ]
    stage.put("chain.jsonl", b"".join(chain.line(row) + b"\n" for row in diary.chain))
    stage.put("curve.jsonl", json_lines(diary.rows()))
    stage.put("recipe.json", canonical_json(recipe))
    stage.put("instructions.jsonl", json_lines(named))
    stage.put("dropped.jsonl", json_lines([asdict(one) for one in dropped]))


def summarise(stage: Stage, diary: Diary, *, recipe: Recipe, lessons: list[Lesson], dropped: list[Dropped]) -> None:
    """refine.json and the figures shown."""
    rows = diary.rows()
    summary: dict[str, Any] = {
        "format": FORMAT,
        "instructions": len({lesson.name for lesson in lessons}),
        "dropped": dict(sorted(Counter(one.reason for one in dropped).items())),
        "steps": recipe["steps"],
        "tokens": recipe["steps"] * recipe["samples"] * recipe["sequence"],
        "taught_tokens": recipe["epochs"] * sum(int(lesson.taught.sum()) for lesson in lessons),
        "skipped_steps": sum(bool(row.get("skipped")) for row in rows),
        "first_loss": round(rows[0]["loss"], 4),
        "last_loss": round(sum(row["loss"] for row in rows[-5:]) / len(rows[-5:]), 4),
    }
    stage.put("refine.json", canonical_json(summary))
    stage.figures.update(summary)


def pass_through(stage: Stage, base: Base) -> None:
    """No instructions: the pre-trained model goes on unchanged, and the chain says so in one line."""
    stage.progress.note("the charter names no instructions: the pre-trained model goes on unchanged")
    shutil.copytree(base.model, stage.output / "model", dirs_exist_ok=True)
    weights = chain.weights_digest_of(base.model)
    row = {
        "stage": "refine",
        "first_step": 0,
        "last_step": 0,
        "documents": chain.documents_root([]),
        "seed": base.recipe["seed"],
        "learning_rate": 0.0,
        "checkpoint": weights,
        "previous": chain.last_digest((stage.input("train") / "chain.jsonl").read_bytes()),
    }
    stage.put("chain.jsonl", chain.line(row) + b"\n")
    stage.put("curve.jsonl", b"")
    stage.put("recipe.json", canonical_json({"format": FORMAT, "base": weights, "steps": 0}))
    summary = {"format": FORMAT, "instructions": 0, "steps": 0, "tokens": 0}
    stage.put("refine.json", canonical_json(summary))
    stage.figures.update(summary)
