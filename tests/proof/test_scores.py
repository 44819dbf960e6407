from __future__ import annotations

import math
import random

import pytest

from freehold.proof import scores


def test_verbatim_shares_are_counted_by_language_and_frequency() -> None:
    rows = [
        {"language": "deu", "times": 0, "verbatim": 3},
        {"language": "deu", "times": 3, "verbatim": 50},
        {"language": "deu", "times": 4, "verbatim": 10},
        {"language": "kor", "times": 40, "verbatim": 50},
    ]
    found = scores.verbatim(rows, tokens=50)
    assert list(found) == ["all", "deu", "kor"]
    assert list(found["all"]) == ["0", "3-4", "33-64"]
    assert found["deu"]["3-4"] == {
        "verbatim": 0.5,
        "low": 0.0945,
        "high": 0.9055,
        "mean_tokens": 30.0,
        "at_least": {"5": 1.0, "10": 1.0, "20": 0.5},
        "longest": 50,
        "passages": 2,
    }


def test_exposure_is_the_rank_in_bits() -> None:
    references = [float(value) for value in range(100, 355)]  # 255
    assert scores.exposed(50.0, references, bits=300)["exposure"] == 8.0
    assert scores.exposed(50.0, references, bits=300)["rank"] == 1
    assert scores.exposed(100.0, references, bits=300)["rank"] == 2  # equal counts against it
    assert scores.exposed(999.0, references, bits=300)["exposure"] == 0.0


def test_the_estimate_goes_on_where_ranks_end_and_no_further_than_chance() -> None:
    drawn = random.Random(3)
    references = [drawn.gauss(300, 5) for _ in range(255)]
    near, far = (scores.exposed(nats, references, bits=200)["estimate"] for nats in (285, 280))
    assert 8 < near < far < 200
    assert scores.exposed(10.0, references, bits=200)["estimate"] == 200
    middle = scores.exposed(sum(references) / 255, references, bits=200)
    assert middle["estimate"] == pytest.approx(1.0)
    assert middle["exposure"] == pytest.approx(1.0, abs=0.2)


def test_what_was_never_planted_is_exposed_by_one_and_a_half_bits_in_the_mean() -> None:
    """The mean of log2(n / rank) over all ranks is log2(e) for large n: the figure to compare with."""
    drawn = random.Random(5)
    pool = [drawn.gauss(300, 5) for _ in range(256)]
    each = [scores.exposed(nats, [*pool[:at], *pool[at + 1 :]], bits=300)["exposure"] for at, nats in enumerate(pool)]
    assert sum(each) / len(each) == pytest.approx(math.log2(math.e), abs=0.05)


def test_canaries_are_summed_by_documents() -> None:
    rows = [
        {"times": 16, "read": 14.5, "exposure": 8.0, "estimate": 90.0, "verbatim": 30, "of": 30},
        {"times": 16, "read": 15.5, "exposure": 6.0, "estimate": 10.0, "verbatim": 2, "of": 31},
        {"times": 1, "read": 1.0, "exposure": 1.0, "estimate": 1.0, "verbatim": 0, "of": 30},
    ]
    found = scores.canaries(rows)
    assert found["16"] == {"canaries": 2, "read": 15.0, "exposure": 7.0, "estimate": 50.0, "extracted": 1}
    assert found["1"]["extracted"] == 0
