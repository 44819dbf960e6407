from __future__ import annotations

from freehold.learn.schedule import Schedule


def test_it_rises_stays_and_falls_to_almost_nothing() -> None:
    rates = [Schedule(steps=100, warmup_steps=10, decay_share=0.3).rate(step) for step in range(100)]
    assert rates[:10] == sorted(rates[:10]) and rates[9:71] == [1.0] * 62
    assert rates[70:] == sorted(rates[70:], reverse=True) and 0 < rates[-1] < 0.05


def test_no_warm_up_and_no_decay() -> None:
    assert {Schedule(steps=5, decay_share=0.0).rate(step) for step in range(5)} == {1.0}
    assert Schedule(steps=5, decay_share=1.0).rate(0) == 1.0
