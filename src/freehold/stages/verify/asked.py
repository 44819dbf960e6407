"""What the verifier asks beyond what every release is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Questions of one run of verify; None: not asked."""

    document: Path | None = None  # is this text in it?
    proof: Path | None = None  # where the proof of the answer goes
    earlier: Path | None = None  # a release or head.json from before: did the log of withdrawals only grow?
    keys: Mapping[str, EllipticCurvePublicKey] = field(
        default_factory=dict
    )  # trusted ones by fingerprint; run's to fill
    replay: int | None = None  # how many segments are computed again
