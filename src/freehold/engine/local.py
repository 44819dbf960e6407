"""Jobs as processes on this machine, one after the other or side by side."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freehold.engine.job import JobSpec
from freehold.errors import FreeholdError, GateError, IncompleteError, InputError


@dataclass(slots=True, kw_only=True)
class LocalHandle:
    """A child process that runs one job; it dies with us."""

    job: JobSpec
    process: subprocess.Popen[bytes]

    @property
    def events(self) -> Path:
        """JSON lines the job writes as it goes."""
        return self.job.folder / "events.jsonl"

    def wait(self) -> dict[str, Any]:
        """The job's result. Raises the FreeholdError the job ended with."""
        try:
            code = self.process.wait()
        except KeyboardInterrupt:
            self.cancel()
            raise
        if code == 0:
            result: dict[str, Any] = json.loads((self.job.folder / "result.json").read_bytes())
            return result
        raise self.failure(code)

    def failure(self, code: int) -> FreeholdError:
        """What went wrong, as the same kind of error the job raised."""
        told = self.job.folder / "failure.json"
        if told.is_file():
            kinds = {2: InputError, 3: GateError, 4: IncompleteError}
            return kinds.get(code, FreeholdError)(json.loads(told.read_bytes())["message"])
        reason = signal.Signals(-code).name if code < 0 else f"exit {code}"
        advice = "run the same command again: it continues where it stopped"
        return FreeholdError(f"{self.job.name} stopped unexpectedly ({reason})", remedy=advice)

    def cancel(self) -> None:
        """Ask the job to stop, then make it."""
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class LocalEngine:
    """Starts a fresh interpreter for each job, so that a stage's memory and threads end with it."""

    def submit(self, job: JobSpec) -> LocalHandle:
        """Start a job; its errors and bars go to our stderr."""
        job.folder.mkdir(parents=True, exist_ok=True)
        spec = job.folder / "job.json"
        spec.write_text(json.dumps(job.as_json(), indent=1), encoding="utf-8")
        environment = dict(os.environ)
        if job.threads is not None:
            environment["OMP_NUM_THREADS"] = str(job.threads)
        command = [sys.executable, "-m", "freehold.engine.worker", str(spec)]
        return LocalHandle(job=job, process=subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL))
