"""The recipe: everything that the supervised pass is a function of, settled before its first step."""

from __future__ import annotations

import json
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import torch

from freehold.errors import InputError
from freehold.learn import compilation, precision
from freehold.learn import device as devices
from freehold.learn.batches import Corpus
from freehold.learn.freezing import freeze
from freehold.learn.optimizer import Rates
from freehold.learn.phases import Curriculum, Phase, Recipe
from freehold.learn.session import Session, use_threads
from freehold.learn.setting import kernels, same_machine
from freehold.learn.shards import Shards
from freehold.model import hf
from freehold.model.dialogue import ChatTemplate
from freehold.model.folder import read_tokenizer
from freehold.proof import chain
from freehold.proof.digests import sha256_file
from freehold.records import canonical_json
from freehold.stage import Stage
from freehold.stages.refine.instructions import Instruction
from freehold.stages.refine.lessons import Lesson, Lessons, cut, lesson_of
from freehold.store.atomic import place

FORMAT = 1
REPLAY = 0.25  # of the rows of a batch: text that training saw; keeps bits per byte where they were


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The pre-trained model that goes to school."""

    model: Path
    recipe: Recipe

    @classmethod
    def of(cls, folder: Path) -> Base:
        """What train left in its artifact."""
        return cls(model=folder / "model", recipe=json.loads((folder / "recipe.json").read_bytes()))

    @property
    def padding(self) -> int:
        """What fills a row: any token does, for nothing is predicted there."""
        shape = self.recipe["model"]
        return int(shape["eos_id"] if shape["pad_id"] is None else shape["pad_id"])

    @property
    def withdrawn(self) -> list[str]:
        """Ids of the documents that training cut off; refinement does the same, from its beginning."""
        return list(self.recipe.get("withdrawn", ()))

    @property
    def phase(self) -> Phase:
        """The phase that most of training was: its length of window goes on here, and its text is replayed."""
        return max(Phase.of(self.recipe), key=attrgetter("steps"))


def lessons_of(base: Base, instructions: list[Instruction]) -> list[Lesson]:
    """Instructions as tokens; those longer than a training sequence come in pieces."""
    template, tokenizer = ChatTemplate.of_folder(base.model), read_tokenizer(base.model)
    if template is None:
        raise InputError("the model folder has no chat template", where=str(base.model))
    end, sequence = int(base.recipe["model"]["eos_id"]), base.phase.sequence
    whole = (lesson_of(one.id, one.messages, template=template, tokenizer=tokenizer, end=end) for one in instructions)
    return [piece for lesson in whole for piece in cut(lesson, sequence=sequence)]


def compose(stage: Stage, base: Base) -> Recipe:
    """Everything but the number of steps. All rates are scaled by the same factor from those of training."""
    charter, before, phase = stage.charter, base.recipe, base.phase
    factor = charter.refine.learning_rate / before["rates"]["matrix"]
    rates = {name: rate * (1 if name == "weight_decay" else factor) for name, rate in before["rates"].items()}
    samples = max(2, phase.samples)
    device = devices.choose(charter.train.device)
    return {
        "format": FORMAT,
        "base": chain.weights_digest_of(base.model),
        "frozen": before["frozen"],
        "dtype": before["dtype"],
        "data": before["data"],
        "instructions": sha256_file(charter.resolve(charter.refine.instructions or "")),
        "epochs": charter.refine.epochs,
        "seed": before["seed"],
        "sequence": phase.sequence,
        "samples": samples,
        "replayed": max(1, round(REPLAY * samples)),
        "micro": phase.micro,
        "rates": rates,
        "warmup_steps": 0,
        "decay_share": 1.0,
        "checkpoint_steps": charter.train.checkpoint_steps,
        "device": device,
        "precision": precision.choose(charter.train.precision, device=device),
        "compiled": before["compiled"] and compilation.possible(device),
        "kernels": kernels(),
        "threads": before["threads"],
        "torch": torch.__version__,
        **({"withdrawn": base.withdrawn} if base.withdrawn else {}),
    }


def settle(stage: Stage, base: Base, lessons: list[Lesson]) -> tuple[Recipe, Lessons]:
    """The recipe of this run (the one a killed run left, if any) and its batches."""
    path = stage.scratch / "recipe.json"
    recipe: Recipe = json.loads(path.read_bytes()) if path.exists() else compose(stage, base)
    same_machine(recipe, where=str(path))
    batches = batches_of(recipe, base, lessons, tokens=stage.input("tokenize"))
    if not path.exists():
        place(path, canonical_json({**recipe, "steps": batches.steps}), scratch=stage.scratch)
    return {**recipe, "steps": batches.steps}, batches


def batches_of(recipe: Recipe, base: Base, lessons: list[Lesson], *, tokens: Path) -> Lessons:
    """The batches of a recipe; `tokens` is the artifact of tokenize."""
    return Lessons(
        lessons,
        replay=replay(tokens, base),
        windows=base.phase.steps * base.phase.samples,
        epochs=recipe["epochs"],
        seed=recipe["seed"],
        samples=recipe["samples"],
        replayed=recipe["replayed"],
        sequence=recipe["sequence"],
        pad=base.padding,
    )


def replay(tokens: Path, base: Base) -> Corpus:
    """The windows that training saw, one at a time: refinement reads no pre-training text that training did not."""
    return Curriculum(Shards.open(tokens), base.recipe).windows(base.phase)


def session_of(recipe: Recipe, base: Base) -> Session:
    """The pre-trained model, ready to learn on."""
    use_threads(recipe["threads"])
    rates = Rates(**recipe["rates"])
    model = hf.load_folder(base.model)
    freeze(model, recipe["frozen"])
    return Session.of(
        model,
        rates=rates,
        precision=recipe["precision"],
        compiled=recipe["compiled"],
        device=recipe["device"],
    )
