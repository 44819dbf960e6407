"""What every engine is given, and what it gives back."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """A job as plain data: it can be written to a file, queued, signed and run elsewhere."""

    name: str
    entry: str  # "module:function"
    arguments: dict[str, Any]  # JSON
    folder: Path  # of this run: events, log, result
    inputs: dict[str, str] = field(default_factory=dict)  # name → SHA-256
    code: str = ""  # digest of the entry's import closure
    threads: int | None = None  # None: all cores

    def as_json(self) -> dict[str, Any]:
        """Plain values for a file."""
        return asdict(self) | {"folder": str(self.folder)}


class Handle(Protocol):
    """A running job."""

    @property
    def events(self) -> Path:
        """JSON lines the job writes as it goes."""

    def wait(self) -> dict[str, Any]:
        """The job's result. Raises the FreeholdError the job ended with."""

    def cancel(self) -> None:
        """Stop the job and everything it started."""


class Engine(Protocol):
    """A place where jobs run."""

    def submit(self, job: JobSpec) -> Handle:
        """Start a job."""
