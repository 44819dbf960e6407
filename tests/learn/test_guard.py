from __future__ import annotations

import pytest
import torch

from freehold.errors import GateError
from freehold.learn.batches import Batch
from freehold.learn.guard import REMEMBERED, Guard

BATCH = Batch(tokens=torch.zeros(1, 1), targets=torch.zeros(1, 1), documents=("law/1", "law/2"))


def test_a_spike_is_skipped_once_there_is_a_past() -> None:
    guard = Guard()
    assert all(guard.admits(3.0 + 0.01 * (step % 2), step=step, batch=BATCH) for step in range(REMEMBERED))
    assert not guard.admits(9.0, step=99, batch=BATCH)
    assert guard.admits(3.0, step=100, batch=BATCH)


def test_the_first_steps_may_leap() -> None:
    assert Guard([3.0]).admits(9.0, step=1, batch=BATCH)


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_no_number_stops_and_names_the_documents(loss: float) -> None:
    with pytest.raises(GateError, match=r"step 5.*law/1, law/2"):
        Guard().admits(loss, step=4, batch=BATCH)


@pytest.mark.parametrize("gradient", [float("nan"), float("inf")])
def test_a_gradient_that_is_no_number_stops_and_names_the_documents(gradient: float) -> None:
    with pytest.raises(GateError, match=r"gradient is \w+ at step 5.*law/1, law/2"):
        Guard().admits(2.0, gradient=gradient, step=4, batch=BATCH)
