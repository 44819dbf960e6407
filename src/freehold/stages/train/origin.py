"""Where training begins when it goes on from a base: its weights, widened for new tokens, some parts frozen."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from freehold.charter import Charter
from freehold.learn.freezing import freeze
from freehold.learn.vocabulary import widen
from freehold.model import hf
from freehold.model.base import BaseModel
from freehold.model.config import ForeignConfig, ModelConfig
from freehold.model.language import LanguageModel
from freehold.proof import chain
from freehold.stage import Stage, file_digest
from freehold.stages.train.forecast import base_of, lengths


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A base as this run takes it up."""

    base: BaseModel
    weights: dict[str, Path]  # the base's files of weights, by name
    freeze: tuple[str, ...]
    pieces: dict[int, list[int]]  # new token → the base's tokens it stands for
    rows: int  # of embedding and head
    context: int  # tokens: the base's, or those of the longest phase
    report: dict[str, Any]  # what the new tokens bought, from tokenize.json

    @classmethod
    def of(cls, stage: Stage) -> Origin | None:
        """The charter's base, None for a start from random weights. Raises InputError if it cannot be trained."""
        if stage.charter.base is None:
            return None
        facts = json.loads((stage.input("tokenize") / "tokenize.json").read_bytes())
        extension = json.loads((stage.input("tokenize") / "extension.json").read_bytes())
        base = base_of(stage.charter)
        return cls(
            base=base,
            weights={path.name: path for path in stage.charter.files("base").values() if path.suffix == ".safetensors"},
            freeze=stage.charter.base.freeze,
            pieces={int(number): parts for number, parts in extension["pieces"].items()},
            rows=extension["rows"],
            context=max(base.shape.context, *lengths(stage.charter)),
            report=facts["base"],
        )

    @property
    def shape(self) -> ModelConfig | ForeignConfig:
        """The base's shape with this run's vocabulary and context; it keeps the control tokens it names."""
        own = self.base.shape
        return replace(
            own,
            vocab_size=self.rows,
            context=self.context,
            bos_id=self.base.bos if own.bos_id is None else own.bos_id,
            eos_id=self.base.eos if own.eos_id is None else own.eos_id,
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the base's weights: of the file, or of the table of several."""
        return chain.weights_digest({name: file_digest(path) for name, path in self.weights.items()})

    def model(self) -> LanguageModel:
        """The base in fp32, ready to learn."""
        model = hf.load_folder(self.base.folder)
        if self.rows != model.config.vocab_size or self.pieces:
            widen(model, rows=self.rows, pieces=self.pieces)
        model.config = self.shape
        freeze(model, self.freeze)
        return model

    def rates(self, charter: Charter) -> dict[str, float]:
        """Rates of a model that has learned: smaller, and the table's in proportion to its rows.

        Our own tables begin with numbers around 1; a step that suits them would wipe out rows around 0.02.
        """
        assert charter.base is not None
        factor = charter.base.learning_rate / charter.train.learning_rate
        size = float(hf.load_folder(self.base.folder).embedding.detach().float().square().mean().sqrt())
        return {
            "matrix": charter.base.learning_rate,
            "embedding": factor * charter.train.embedding_learning_rate * min(1.0, size),
            "head": factor * charter.train.head_learning_rate,
            "vector": factor * charter.train.vector_learning_rate,
            "weight_decay": charter.train.weight_decay,
        }
