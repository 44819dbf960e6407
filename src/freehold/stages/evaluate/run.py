"""Evaluate: what the released model is worth, in figures that anyone can compute again.

On the documents that curation held out: bits per byte of the model, beside `xz -9e` on each document alone and a
5-gram that learned from exactly the text the model consumed in training. On question packs: accuracy with its
interval. Samples of what the model writes. And what it knows by heart: passages of its training text, and canaries
where some were planted. `model` always means the released (refined) model; what it was before refinement is measured on
the first of the same documents.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from freehold.errors import InputError
from freehold.model.folder import open_folder, read_tokenizer
from freehold.model.streaming import token_bytes
from freehold.proof import scores
from freehold.records import canonical_json, json_lines
from freehold.stage import Stage
from freehold.stages.evaluate import results
from freehold.stages.evaluate.bits import encoded, model_bits
from freehold.stages.evaluate.choice import Question, answers, load_pack
from freehold.stages.evaluate.completions import completions
from freehold.stages.evaluate.consumed import Spelling, consumed_text
from freehold.stages.evaluate.held_out import HeldOut, first_bytes, held_out
from freehold.stages.evaluate.judged import Judged
from freehold.stages.evaluate.memorisation import memorisation
from freehold.stages.evaluate.references import references
from freehold.store.atomic import place

FORMAT = 1
COMPARED_BYTES = 60_000  # a language: enough to see what refinement changed

Documents = dict[str, list[HeldOut]]


def run(stage: Stage) -> None:
    """Measure model and references, ask the packs, sample, and write it all down."""
    documents = held_out(stage.input("curate"))
    packs = load_packs(stage)
    beside = kept(stage, "references", lambda: beside_model(stage, documents))
    first = {language: first_bytes(rows, limit=COMPARED_BYTES) for language, rows in documents.items()}
    before = kept(stage, "pretrained", lambda: measured(stage, "train", first))
    after = kept(stage, "released", lambda: measured(stage, "refine", documents))
    given = kept(stage, "answers", lambda: asked(stage, packs))
    samples = kept(stage, "samples", lambda: sampled(stage, documents))
    memory = kept(stage, "memorisation", lambda: memorisation(stage, documents))
    consumed_bytes = beside.pop("consumed_bytes")
    table = results.bits_per_byte(documents, model=after, pretrained=before, references=beside)
    rows = results.rows_of(documents, {"model": after, **beside})
    figures = {"bits_per_byte": table, "choice": results.choices(given)}
    stage.put("results.json", canonical_json({"format": FORMAT, "consumed_bytes": consumed_bytes, **figures}))
    stage.put("held_out.jsonl", json_lines(rows))
    stage.put("answers.jsonl", json_lines({"pack": pack, **row} for pack, found in given.items() for row in found))
    stage.put("completions.jsonl", json_lines(samples))
    stage.put("memorisation.json", canonical_json(memory))
    stage.put("evaluate.json", canonical_json({"format": FORMAT, **figures}))
    tell(stage, table, figures["choice"])
    stage.figures.update(figures | tell_memory(stage, memory))


def load_packs(stage: Stage) -> dict[str, list[Question]]:
    """The charter's packs by the name of their file. Raises InputError for a bad pack or two of one name."""
    packs: dict[str, list[Question]] = {}
    for file in stage.charter.evaluate.packs:
        name = Path(file).stem
        if name in packs:
            advice = "rename one of the files: results are told apart by it"
            raise InputError(f"two packs are called {name!r}", where="charter: evaluate.packs", remedy=advice)
        packs[name] = load_pack(stage.charter.resolve(file))
    return packs


def beside_model(stage: Stage, documents: Documents) -> dict[str, Any]:
    """What the references need, after learning from the text that training consumed."""
    tokenized = stage.input("tokenize")
    facts = json.loads((tokenized / "tokenize.json").read_bytes())
    spelling = Spelling.of(token_bytes(read_tokenizer(tokenized)), bos=facts["bos"])
    consumed = consumed_text(stage.input("train"), tokenized, spelling)
    return references(documents, consumed, progress=stage.progress)


def measured(stage: Stage, maker: str, documents: Documents) -> dict[str, list[float]]:
    """What the model of the stage `maker` needs for each document, in bits."""
    train = stage.charter.train
    judged = Judged.open(stage.input(maker) / "model", precision=train.precision, device=train.device)
    tokens = {language: encoded(rows, judged) for language, rows in documents.items()}
    name = "before refinement" if maker == "train" else "released"
    return model_bits(judged.model, tokens, progress=stage.progress, name=name)


def asked(stage: Stage, packs: dict[str, list[Question]]) -> dict[str, Any]:
    """The released model's answer to every question."""
    train = stage.charter.train
    judged = Judged.open(stage.input("refine") / "model", precision=train.precision, device=train.device)
    return {name: answers(judged, questions, progress=stage.progress) for name, questions in packs.items()}


def sampled(stage: Stage, documents: Documents) -> list[dict[str, Any]]:
    """What the released model writes after the beginning of held-out documents, computed in fp32."""
    decoder = open_folder(stage.input("refine") / "model", precision="fp32").decoder
    return completions(decoder, documents, count=stage.charter.evaluate.completions)


def kept(stage: Stage, name: str, make: Callable[[], Any]) -> Any:
    """Make a part, or take it from the scratch of a run that was killed."""
    path = stage.scratch / f"{name}.json"
    if not path.exists():
        place(path, canonical_json(make()), scratch=stage.scratch)
    return json.loads(path.read_bytes())


def tell(stage: Stage, table: dict[str, Any], choice: dict[str, Any]) -> None:
    """Say the figures to the person."""
    for language, row in table.items():
        stage.progress.note(
            f"{language}: {row['model']:.3f} bits per byte; 5-gram {row['ngram5']:.3f}, xz -9e {row['xz']:.3f}"
        )
    for pack, row in choice.items():
        stage.progress.note(
            f"{pack}: {row['accuracy']:.1%} right ({row['low']:.1%} to {row['high']:.1%}), guessing {row['chance']:.1%}"
        )


def tell_memory(stage: Stage, memory: dict[str, Any]) -> dict[str, Any]:
    """Say what is known by heart, and return it as tables: of all languages together."""
    together = memory.get("passages", {}).get("all", {})
    for times, row in scores.in_order(together):
        read = "held-out text" if times == scores.HELD_OUT else f"text read {times} times"
        stage.progress.note(
            f"{read}: {row['mean_tokens']:.1f} of {memory['continuation_tokens']} tokens continued verbatim, "
            f"all of them in {row['verbatim']:.1%} of {row['passages']} passages"
        )
    for times, row in scores.in_order(memory.get("canaries", {})):
        stage.progress.note(
            f"canaries in {times} documents: exposure {row['exposure']:.1f} bits in the mean, "
            f"{row['extracted']} of {row['canaries']} extracted"
        )
    tables = {"memorisation": together, "canaries": memory.get("canaries", {})}
    return {name: table for name, table in tables.items() if table}
