"""Replays: which segments of a training chain are computed again, and what came of it.

A segment is named STAGE:NUMBER, the number being that of its line in the stage's chain.jsonl, from 0. Where a stage
begins with a line for step 0, number 0 is the weights before the first step.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from freehold.errors import InputError
from freehold.proof.chain import Segment

NAME = re.compile(r"([a-z][a-z0-9_]{0,63}):(0|[1-9][0-9]{0,8})")
EQUAL, NEAR = "equal", "near"  # to the last bit; within the tolerance

# How far weights may lie from the chain's where another stack computed them: the distance (L2 over all weights) as a
# share of the way that they went since the state the replay began with. Over more steps than TELLING, rounding alone
# may lead that far astray, so a greater distance proves nothing. Measured by bench/replay.py.
TOLERANCE, TELLING = 0.05, 48

Name = tuple[str, int]  # stage, number


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A segment that was computed again and held."""

    stage: str
    number: int
    first_step: int
    last_step: int
    began: int  # the step whose weights the replay began with
    result: str  # EQUAL or NEAR
    distance: float | None = None  # of NEAR: as a share of the way

    @property
    def name(self) -> str:
        """Such as ``train:3``."""
        return f"{self.stage}:{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a replay found; a segment that does not hold is no outcome but a GateError."""

    outcomes: tuple[Outcome, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)  # segment → why it could not be computed again
    stack: Mapping[str, str] = field(default_factory=dict)  # what computed here
    differs: tuple[str, ...] = ()  # in what from the stack that trained


def parse_names(text: str) -> tuple[Name, ...]:
    """The segments of an option such as ``train:3,refine:1``. Raises InputError for anything else.

    >>> parse_names("train:3,refine:1")
    (('train', 3), ('refine', 1))
    """
    found = [NAME.fullmatch(part.strip()) for part in text.split(",")]
    if not all(found):
        advice = "write STAGE:NUMBER, as in train:3,refine:1"
        raise InputError(f"{text!r} names no segments", where="--segments", remedy=advice)
    return tuple(dict.fromkeys((match[1], int(match[2])) for match in found if match))


def numbered(segments: Sequence[Segment]) -> dict[Name, Segment]:
    """Every segment of a chain by its name, in the chain's order."""
    grouped = groupby(segments, key=lambda segment: segment.stage)
    return {(stage, number): segment for stage, rows in grouped for number, segment in enumerate(rows)}


def choose(
    segments: Sequence[Segment], *, named: Sequence[Name] = (), count: int | None = None, seed: str = ""
) -> tuple[Name, ...]:
    """The segments to compute again, in the chain's order: those named, and `count` drawn by `seed`.

    Where some are drawn, the weights before the first step are among them: nothing is cheaper, and "from scratch"
    rests on them. Raises InputError for a name that the chain does not have.
    """
    known = numbered(segments)
    if unknown := [name for name in named if name not in known]:
        stage, number = unknown[0]
        has = sum(name[0] == stage for name in known)
        message = f"the chain has no segment {stage}:{number}"
        advice = f"{stage} has {stage}:0 to {stage}:{has - 1}" if has else "its stages are train and refine"
        raise InputError(message, where="--segments", remedy=advice)
    chosen = set(named)
    if count is not None:
        first = next(iter(known))
        beginning = {first} if known[first].last_step == 0 else set()
        chosen |= beginning | set(drawn(known.keys() - beginning, count=count, seed=seed))
    return tuple(name for name in known if name in chosen)


def drawn(names: Iterable[Name], *, count: int, seed: str) -> list[Name]:
    """The `count` names whose SHA-256 of "SEED:STAGE:NUMBER" is least: anyone who knows the seed draws the same.

    >>> drawn([("train", 1), ("train", 2)], count=1, seed="a") == drawn([("train", 2), ("train", 1)], count=1, seed="a")
    True
    """
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed}:{name[0]}:{name[1]}".encode()).digest())[:count]


def told(outcomes: Iterable[Outcome]) -> str:
    """Outcomes in words."""
    rows = list(outcomes)
    equal = ", ".join(row.name for row in rows if row.result == EQUAL)
    near = ", ".join(f"{row.name} ({row.distance:.2g} of the way)" for row in rows if row.result == NEAR)
    words = [f"{equal} equal bit for bit"] if equal else []
    return "; ".join([*words, f"{near} within the tolerance of {TOLERANCE:g}"] if near else words)
