from __future__ import annotations

import math

import pytest

from freehold.stages.train.laws import ALPHA, BETA, best_rate, loss_law, rate_law


def test_the_vertex_lies_between_the_rates_tried() -> None:
    truth = 0.013

    def bits(rate: float) -> float:
        return 2.0 + 0.1 * math.log(rate / truth) ** 2

    best = best_rate([(rate, bits(rate)) for rate in (0.04, 0.005, 0.01, 0.02)])
    assert best.inside and best.rate == pytest.approx(truth, rel=1e-4) and best.bits_per_byte == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("points", "rate", "how"),
    [
        ([(0.01, 2.0), (0.02, 2.1), (0.04, 2.3)], 0.01, "lower"),
        ([(0.01, 2.3), (0.02, 2.1), (0.04, 2.0)], 0.04, "higher"),
        ([(0.01, 2.3), (0.02, 2.1)], 0.02, "three rates"),
        ([(0.01, 2.0), (0.02, 2.0), (0.04, 2.0), (0.08, 2.0)], 0.01, "lower"),
    ],
)
def test_what_is_no_optimum_is_not_called_one(points: list[tuple[float, float]], rate: float, how: str) -> None:
    best = best_rate(points)
    assert (best.rate, best.inside) == (rate, False) and how in best.how


def test_two_widths_make_a_law_that_says_nothing_checks_it() -> None:
    law = rate_law([(128, 0.02), (512, 0.01)])
    assert law is not None and law.exponent == pytest.approx(-0.5) and "nothing checks it" in law.how
    assert law.coefficient * 128**law.exponent == pytest.approx(0.02)
    assert rate_law([(128, 0.02), (128, 0.03)]) is None


def test_the_loss_law_finds_what_made_the_points() -> None:
    points = [(n, d, 0.8 + 40 / n**ALPHA + 30 / d**BETA) for n in (1e5, 4e5, 1.6e6) for d in (1e6, 4e6)]
    law = loss_law(points)
    assert law is not None and "too few" in law.how
    found = (law.floor, law.size_factor, law.token_factor, law.worst_error)
    assert found == pytest.approx((0.8, 40, 30, 0.0), abs=1e-6)


def test_five_sizes_give_the_exponent_and_one_number_of_tokens_goes_into_the_floor() -> None:
    law = loss_law([(n, 1e6, 1.1 + 9 / n**0.25) for n in (1e5, 2e5, 4e5, 8e5, 16e5)])
    assert law is not None and law.alpha == pytest.approx(0.25) and "alpha fitted" in law.how
    assert law.floor == pytest.approx(1.1, abs=1e-6) and law.token_factor == 0.0


def test_points_that_follow_no_such_law_are_said_to() -> None:
    assert loss_law([(1e5, 1e6, 2.0), (2e5, 1e6, 1.9)]) is None
    law = loss_law([(1e5, 1e6, 2.0), (2e5, 1e6, 2.1), (4e5, 1e6, 2.2)])
    assert law is not None and "do not extrapolate" in law.how
