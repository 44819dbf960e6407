"""The diary of a run: its curve, its chain and its checkpoints, told to the person and kept for a resume."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from freehold.learn.checkpoint import Checkpoint
from freehold.learn.guard import named
from freehold.learn.loop import Taken
from freehold.learn.memory import resident_gb
from freehold.learn.observers import Measures, Observer, Observers
from freehold.learn.phases import Phase, Recipe, recipe_digest
from freehold.learn.session import Session
from freehold.model import hf
from freehold.progress import Task
from freehold.proof import chain
from freehold.records import canonical_json

SHOWN_DECIMALS = 6  # of losses and rates in the curve
SMOOTHED = 0.95  # weight of the past in the loss that is shown
KEPT = 2  # checkpoints, where a recipe does not say


class Diary:
    """Called after every step. A segment of the chain ends at every checkpoint."""

    def __init__(
        self,
        session: Session,
        *,
        stage: str,
        recipe: dict[str, Any],
        folder: Path,
        task: Task,
        peak: float,
        check: Callable[[], None],
        previous: str = chain.GENESIS,
        bytes_per_token: dict[str, float] | None = None,
        observers: tuple[Observer, ...] = (),
        cut_off: Mapping[str, int] | None = None,
    ) -> None:
        """`folder` is scratch; `peak` the matrix rate of all ranks in FLOP/s, for the utilisation shown.

        `check` raises InputError if the data changed; it is called before every checkpoint. `previous` is the digest
        of the line that the stage's chain continues. With the mean `bytes_per_token` of each language the loss is told
        in bits per byte too. `observers` are told of every step. `cut_off` are the withdrawn documents, with the first
        step that would have used each.
        """
        self.stage, self.previous = stage, previous
        self.session, self.recipe, self.folder, self.task, self.peak = session, recipe, folder, task, peak
        self.check, self.phases = check, Phase.of(recipe) if "phases" in recipe else ()
        self.batch_tokens = recipe["samples"] * recipe["sequence"]
        self.recipe_digest = recipe_digest(recipe)
        self.chain: list[dict[str, Any]] = []
        self.documents: list[str] = []  # of the open segment, in the order seen
        self.curve: list[dict[str, Any]] = []  # steps since the last checkpoint
        self.shown: dict[str, float] = {}  # running means
        self.bytes_per_token = bytes_per_token
        self.observers = Observers(observers, report=task.owner.note)
        self.cut_off = cut_off or {}
        self.moment, self.seconds, self.taken = time.monotonic(), 0.0, 0  # `seconds` that the steps `taken` here took

    def open(self, *, base: str | None = None) -> None:
        """Begin the chain with the weights before the first step, and the digest of the open model they are from."""
        self._segment(first=0, last=0, rate=0.0, **({} if base is None else {"base": base}))

    def resume(self, found: Checkpoint) -> None:
        """Go on from a checkpoint; lines of the curve that are newer than it are forgotten."""
        self.chain = found.facts["chain"]
        kept = [row for row in self.rows() if row["step"] <= found.step]
        whole = self.folder / "curve.tmp"
        whole.write_bytes(b"".join(canonical_json(row) + b"\n" for row in kept))
        whole.replace(self.folder / "curve.jsonl")

    def __call__(self, taken: Taken) -> None:
        """Note a step; at every `checkpoint_steps` and at the end, close the segment. Then tell the observers."""
        step, rate = taken.step + 1, self.recipe["rates"]["matrix"] * taken.rate
        self.seconds, self.taken = self.seconds + time.monotonic() - self.moment, self.taken + 1
        self.documents.extend(taken.batch.documents)
        row = {
            "step": step,
            "tokens": step * self.batch_tokens,
            "loss": round(taken.loss, SHOWN_DECIMALS),
            "learning_rate": round(rate, SHOWN_DECIMALS),
        }
        if (phase := self._phase(taken.step)) is not None:
            row["phase"] = phase.name
        if not taken.taken:
            row |= {"skipped": True, "documents": list(taken.batch.documents)}
            self.task.owner.note(f"step {step:,} skipped: the loss leapt to {taken.loss:.3f} on {named(taken.batch)}")
        self.curve.append(row)
        measures = self._measure(taken, rate=rate)
        self._show(measures)
        if step % self.recipe["checkpoint_steps"] == 0 or step == self.recipe["steps"]:
            first = self.chain[-1]["last_step"] + 1
            self._segment(first=first, last=step, rate=rate)
        self.observers.tell(taken, measures)
        self.moment = time.monotonic()  # neither a checkpoint nor an observer counts as slow learning

    def rows(self) -> list[dict[str, Any]]:
        """The curve on disk; a line that a kill cut short is left out."""
        path = self.folder / "curve.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def _segment(self, *, first: int, last: int, rate: float, **origin: str) -> None:
        """Close a segment: curve to disk, a line of the chain, then the checkpoint that holds both."""
        self.check()
        with (self.folder / "curve.jsonl").open("ab") as file:
            file.write(b"".join(canonical_json(row) + b"\n" for row in self.curve))
            file.flush()
            os.fsync(file.fileno())
        self.curve = []
        previous = chain.line_digest(chain.line(self.chain[-1])) if self.chain else self.previous
        gone = due(self.cut_off, last)
        self.chain.append(
            {
                "stage": self.stage,
                "first_step": first,
                "last_step": last,
                **seen(self.recipe, documents=self.documents, rate=rate, withdrawn=gone),
                "checkpoint": shipped(self.session, dtype=self.recipe["dtype"]),
                "previous": previous,
                **origin,
            }
        )
        self.documents = []
        self.session.save(
            self.folder / "checkpoints",
            step=last,
            facts={"chain": self.chain, "recipe": self.recipe_digest},
            keep=self.recipe.get("keep_checkpoints", KEPT),
            every=self.recipe.get("keep_every", 0),
        )

    def _phase(self, step: int) -> Phase | None:
        """The phase that a step belongs to; None where the recipe has only one."""
        for phase in self.phases:
            if step < phase.steps:
                return phase
            step -= phase.steps
        return None

    def _measure(self, taken: Taken, *, rate: float) -> Measures:
        """What observers are told: loss in nats a token, speed, share of the matrix rate, memory of the process."""
        speed = self.batch_tokens / (time.monotonic() - self.moment)
        flops = speed * self.session.config.flops_per_token(taken.batch.tokens.shape[1])
        measures = {
            "loss": taken.loss,
            "learning_rate": rate,
            "tokens": float((taken.step + 1) * self.batch_tokens),
            "tokens_per_s": speed,
            "utilisation": flops / self.peak,
            "memory_gb": resident_gb(),
        }
        if self.bytes_per_token is None:
            return measures
        return {**measures, "bits_per_byte": taken.loss / math.log(2) / self._bytes(taken.step)}

    def _bytes(self, step: int) -> float:
        """Bytes that a token of a step stands for: the mean over the languages by their shares of the batch."""
        assert self.bytes_per_token is not None
        phase = self._phase(step)
        shares: dict[str, float] = self.recipe["shares"] if phase is None else phase.shares
        return sum(share * self.bytes_per_token[code] for code, share in shares.items()) / sum(shares.values())

    def _show(self, measures: Measures) -> None:
        """Loss and bits per byte as running means, speed, utilisation and memory on the bar."""
        means = {name: measures[name] for name in ("loss", "bits_per_byte") if name in measures}
        for name, value in means.items():
            self.shown[name] = SMOOTHED * self.shown.get(name, value) + (1 - SMOOTHED) * value
        self.task.advance(
            self.batch_tokens,
            **self.shown,
            tokens_per_s=round(measures["tokens_per_s"]),
            utilisation=round(measures["utilisation"], 3),
            memory_gb=round(measures["memory_gb"], 2),
        )


def due(cut_off: Mapping[str, int], step: int) -> list[str]:
    """The withdrawn documents that steps up to `step` would have used."""
    return [name for name, first in cut_off.items() if first <= step]


def seen(recipe: Recipe, *, documents: Sequence[str], rate: float, withdrawn: Collection[str] = ()) -> dict[str, Any]:
    """What a segment's line says of its batches and their rate: whoever repeats its steps finds the same.

    `documents` are those of its steps, in the order seen, `withdrawn` those that were due by its end and left out;
    `rate` is that of matrices at the last of its steps.
    """
    return {
        "documents": chain.documents_root(documents),
        "seed": recipe["seed"],
        "learning_rate": round(rate, SHOWN_DECIMALS),
        **({"withdrawn": chain.withdrawn_root(withdrawn)} if withdrawn else {}),
    }


def shipped(session: Session, *, dtype: str) -> str:
    """The digest of the weights as they would ship in `dtype` ("float32", "bfloat16", "float16")."""
    return hf.digest(hf.weight_files(session.config, session.weights(), dtype=dtype))
