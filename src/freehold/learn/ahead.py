"""Batches prepared while the step before them computes: the same batches in the same order.

A GPU computes without the processor, which can read and pin the next batch meanwhile. On a CPU both want the same
cores, so there batches are prepared when they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from torch import Tensor

from freehold.learn.batches import Batch, Batches


@contextmanager
def ahead(batches: Batches, *, device: str) -> Iterator[Batches]:
    """The batches as the device wants them; what was prepared in vain is forgotten on leaving."""
    if device == "cpu":
        yield batches
        return
    prepared = Ahead(batches, pin=True)
    try:
        yield prepared
    finally:
        prepared.close()


class Ahead:
    """Asked for a step, hands it out and begins the next one; what goes wrong there is raised when it is asked for."""

    def __init__(self, batches: Batches, *, pin: bool) -> None:
        """`pin` keeps tensors in memory that a GPU reads by itself."""
        self.batches, self.pin = batches, pin
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="batches")
        self.step, self.begun = -1, Future[Batch]()

    def at(self, step: int) -> Batch:
        """The batch of a step."""
        begun = self.begun if step == self.step else self.thread.submit(self._prepare, step)
        batch = begun.result()
        self.step, self.begun = step + 1, self.thread.submit(self._prepare, step + 1)
        return batch

    def check(self) -> None:
        """Raise InputError if the data behind the batches is not what it was."""
        self.batches.check()

    def close(self) -> None:
        """Wait for what is under way, and forget it."""
        self.thread.shutdown(wait=True, cancel_futures=True)

    def _prepare(self, step: int) -> Batch:
        batch = self.batches.at(step)
        return batch.each(Tensor.pin_memory) if self.pin else batch
