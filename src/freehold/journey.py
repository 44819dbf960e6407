"""The journey as a table: which stage stands where, and which earlier artifacts it is handed.

Stages never import one another; this table is the only place that knows their order.
"""

from __future__ import annotations

from dataclasses import dataclass

from freehold.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One stage: what it reads, what it leaves, and the format of what it leaves."""

    name: str
    needs: tuple[str, ...]  # stages whose artifacts it is handed
    reads: tuple[str, ...]  # tables of the charter it depends on, the files they name included
    makes: str
    format: int = 1  # of the artifact; a higher one is not read by older code
    withdrawn: tuple[str, ...] = ()  # levels of withdrawals it depends on

    @property
    def module(self) -> str:
        """The module whose function `run` is the stage."""
        return f"freehold.stages.{self.name}.run"


JOURNEY = (
    Step(
        name="curate",
        needs=(),
        reads=("responsible", "languages", "sources", "policy", "curate", "mixture"),
        withdrawn=("W1",),
        makes="documents with their licences",
    ),
    Step(
        name="tokenize",
        needs=("curate",),
        reads=("languages", "tokenizer"),
        makes="a tokenizer and shards of tokens",
    ),
    Step(
        name="train",
        needs=("tokenize",),
        reads=("languages", "base", "model", "train", "phases", "mixture"),
        withdrawn=("W3",),
        makes="a pre-trained model",
    ),
    Step(
        name="refine",
        needs=("curate", "tokenize", "train"),
        reads=("policy", "train", "refine"),
        makes="a model that knows the chat template",
    ),
    Step(
        name="evaluate",
        needs=("curate", "tokenize", "train", "refine"),
        reads=("languages", "train", "evaluate"),
        makes="measured quality",
    ),
    Step(
        name="release",
        needs=("curate", "tokenize", "train", "refine", "evaluate"),
        reads=("responsible", "languages", "policy", "base", "release", "law"),
        withdrawn=("W0", "W1", "W2", "W3", "W4"),
        makes="a signed bundle that anyone can verify",
    ),
)

# Indexes are built when a question is asked, not on the way to a release.
INDEXES = (
    Step(name="search", needs=("curate",), reads=(), makes="a ranked index of passages"),
    Step(
        name="trace",
        needs=("curate", "tokenize"),
        reads=(),
        makes="a suffix array of the training tokens",
        format=2,
    ),
)

STEPS = {step.name: step for step in (*JOURNEY, *INDEXES)}


def until(name: str | None) -> tuple[Step, ...]:
    """The journey up to and including a stage; the whole of it for None. Raises InputError for an unknown name."""
    names = [step.name for step in JOURNEY]
    if name is None:
        return JOURNEY
    if name not in names:
        raise InputError(f"no stage is called {name!r}", remedy=f"one of: {', '.join(names)}")
    return JOURNEY[: names.index(name) + 1]
