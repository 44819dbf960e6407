"""Memorisation: what the released model gives back of its training text, and how it knows the planted canaries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from freehold.learn.shards import Shards
from freehold.progress import Progress
from freehold.proof import scores
from freehold.stage import Stage
from freehold.stages.evaluate.exposure import exposure
from freehold.stages.evaluate.held_out import HeldOut
from freehold.stages.evaluate.judged import Judged
from freehold.stages.evaluate.passages import Account, Draw, held_out_passages, read_passages, without
from freehold.stages.evaluate.recall import recalled
from freehold.text import canaries

FORMAT = 1


def memorisation(stage: Stage, documents: Mapping[str, list[HeldOut]]) -> dict[str, Any]:
    """memorisation.json: continued passages and canaries, each row and what follows from them."""
    settings, train = stage.charter.evaluate, stage.charter.train
    judged = Judged.open(stage.input("refine") / "model", precision=train.precision, device=train.device)
    shards = Shards.open(stage.input("tokenize"))
    account: Account = json.loads((stage.input("train") / "consumed.json").read_bytes())["languages"]
    draw = Draw.of(seed=train.seed, count=settings.memorisation, context=judged.model.config.context)
    found = passages(judged, draw, shards, account, documents, progress=stage.progress) if draw.count else {}
    path = stage.input("curate") / "canaries.json"
    told = json.loads(path.read_bytes()) if path.is_file() else None
    known = exposure(judged, told, shards, account, progress=stage.progress) if told else {}
    return {"format": FORMAT, "seed": train.seed} | found | known


def passages(
    judged: Judged,
    draw: Draw,
    shards: Shards,
    account: Account,
    documents: Mapping[str, list[HeldOut]],
    *,
    progress: Progress,
) -> dict[str, Any]:
    """How far the model continues passages as they stood, by language and how often they were read."""
    unread = {
        language: {row.id: [judged.bos, *judged.tokens_of(row.text)] for row in rows[: 4 * draw.count]}
        for language, rows in documents.items()
    }
    read = read_passages(draw, shards, without(account, f"{canaries.SOURCE}/"))
    found = [*read, *held_out_passages(draw, unread)]
    with progress.task("verbatim continuation", total=len(found) * draw.half, unit="tok") as task:
        reached = recalled(judged.model, [passage.span for passage in found], task=task).tolist()
    rows = [
        {
            "document": passage.document,
            "language": passage.language,
            "offset": passage.offset,
            "times": passage.times,
            "verbatim": tokens,
        }
        for passage, tokens in zip(found, reached, strict=True)
    ]
    tokens = {"prompt_tokens": draw.half, "continuation_tokens": draw.half}
    return {**tokens, "passages": scores.verbatim(rows, tokens=draw.half), "rows": rows}
