"""What the verifier asks beyond what every release is asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Questions of one run of verify; None: not asked."""

    document: Path | None = None  # is this text in it?
    proof: Path | None = None  # where the proof of the answer goes
    replay: int | None = None  # how many segments are computed again
