"""What the verifier asks beyond what every release is asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Questions of one run of verify; None: not asked."""

    document: Path | None = None  # is this text in it?
    replay: int | None = None  # how many segments are computed again
    rescore: int | None = None  # how many answers and completions the weights give again
    packs: Path | None = None  # the verifier's folder of question packs
    draw: str | None = None  # the seed of the verifier's choice; None: a new one
