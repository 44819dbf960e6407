from __future__ import annotations

import threading

import pytest
import torch

from freehold.learn.ahead import Ahead, ahead
from freehold.learn.batches import Batch


class Counted:
    """Batches that say which were made, and in which thread; there are seven."""

    def __init__(self) -> None:
        self.made: list[int] = []
        self.threads: set[str] = set()

    def at(self, step: int) -> Batch:
        if step >= 7:
            raise IndexError(f"no batch {step}")
        self.made.append(step)
        self.threads.add(threading.current_thread().name)
        return Batch(tokens=torch.full((2, 4), step), targets=torch.zeros(2, 4), documents=(f"d{step}",))


def test_the_same_batches_in_the_same_order_each_made_once() -> None:
    counted = Counted()
    prepared = Ahead(counted, pin=False)
    found = [prepared.at(step) for step in range(2, 6)]
    prepared.close()
    assert [int(batch.tokens[0, 0]) for batch in found] == [2, 3, 4, 5]
    assert counted.made in ([2, 3, 4, 5], [2, 3, 4, 5, 6]) and counted.threads == {"batches_0"}


def test_what_goes_wrong_is_raised_when_it_is_asked_for() -> None:
    prepared = Ahead(Counted(), pin=False)
    assert prepared.at(6).documents == ("d6",)  # the seventh fails in the background
    with pytest.raises(IndexError, match="no batch 7"):
        prepared.at(7)
    assert prepared.at(0).documents == ("d0",)  # a jump back is answered too
    prepared.close()


def test_a_cpu_takes_batches_as_they_come() -> None:
    counted = Counted()
    with ahead(counted, device="cpu") as batches:
        assert batches is counted
