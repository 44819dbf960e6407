"""What the verifier asks beyond what every release is asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from freehold.stages.verify.trusted import Trusted


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Questions of one run of verify; None or empty: not asked."""

    document: Path | None = None  # is this text in it?
    proof: Path | None = None  # where the proof of the answer goes
    replay: int | None = None  # how many segments are drawn and computed again
    segments: tuple[tuple[str, int], ...] = ()  # which ones besides: stage and number
    holdings: Path | None = None  # the workspace with the private artifacts
    rescore: int | None = None  # how many answers and completions the weights give again
    packs: Path | None = None  # the verifier's folder of question packs
    draw: str | None = None  # the seed of that choice; None: a new one
    base: Path | None = None  # the open model that training began with
    auditors: tuple[Path, ...] = ()  # public keys whose countersignatures count
    earlier: Path | None = None  # a release or head.json from before: did the log of withdrawals only grow?
    # Filled in by `verify`, from the keys and statements that it was given:
    holders: tuple[Trusted, ...] = ()  # whose signatures count, their successors among them
    countersigners: tuple[Trusted, ...] = ()  # whose countersignatures count: holders and auditors, none revoked
