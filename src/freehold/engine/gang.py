"""A gang: jobs that live and die with the block of code that started them."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from types import TracebackType

from freehold.engine.job import Engine, Handle, JobSpec
from freehold.errors import FreeholdError

GRACE_S = 10.0  # for the block to notice by itself that a job has failed


class Gang:
    """Jobs that work together with this process; if one fails, all of them end.

    A failed job may leave the others waiting for it inside a library that no exception reaches. Then this process
    ends itself, and with it the jobs that are left.
    """

    def __init__(self, engine: Engine, jobs: Sequence[JobSpec]) -> None:
        """Nothing starts before the block is entered."""
        self.engine, self.jobs = engine, jobs
        self.handles: list[Handle] = []
        self.failures: list[FreeholdError] = []
        self.over = threading.Event()

    def __enter__(self) -> Gang:
        self.handles = [self.engine.submit(job) for job in self.jobs]
        self.watches = [threading.Thread(target=self._watch, args=(handle,), daemon=True) for handle in self.handles]
        for watch in self.watches:
            watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for all jobs, or stop them if the block failed. Raises the failure of a job that came first."""
        self.over.set()
        for watch in self.watches:
            watch.join(timeout=None if error is None else 1.0)  # a failed job may be why the block failed
        causes = list(self.failures)
        for handle in self.handles:
            handle.cancel()  # does nothing to a job that has ended
        if causes and not isinstance(error, FreeholdError | KeyboardInterrupt):
            raise causes[0] from error

    def _watch(self, handle: Handle) -> None:
        """Wait for one job."""
        try:
            handle.wait()
        except FreeholdError as failure:
            self.failures.append(failure)
            if not self.over.wait(GRACE_S):
                print(f"freehold: {failure}", file=sys.stderr, flush=True)
                os.kill(os.getpid(), signal.SIGTERM)
