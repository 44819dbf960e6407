from __future__ import annotations

from collections import Counter

from freehold.text import canaries


def test_the_same_seed_plants_the_same_and_another_seed_nothing_of_it() -> None:
    first, again = (canaries.planted(["jpn", "deu"], seed=7, count=3) for _ in range(2))
    assert first == again
    assert {canary.text for canary in first}.isdisjoint(
        canary.text for canary in canaries.planted(["jpn", "deu"], seed=8, count=3)
    )
    assert len({canary.text for canary in first}) == len(first) == 2 * 3 * len(canaries.TIMES)


def test_more_canaries_leave_the_earlier_ones_as_they_were() -> None:
    few, many = (canaries.planted(["deu"], seed=7, count=count) for count in (2, 5))
    assert set(few) < set(many)


def test_what_was_never_planted_is_of_the_same_kind_but_never_the_same() -> None:
    planted = {canary.text for canary in canaries.planted(["deu"], seed=7, count=50)}
    others = canaries.never_planted(200, seed=7)
    assert planted.isdisjoint(others) and len(set(others)) == 200
    shapes = {tuple(map(len, text.split(" "))) for text in [*planted, *others]}
    assert shapes == {(canaries.LETTERS,) * canaries.WORDS}


def test_letters_are_equally_likely() -> None:
    seen = Counter("".join(canaries.never_planted(2000, seed=1)).replace(" ", ""))
    expected = seen.total() / 26
    assert len(seen) == 26
    assert sum((count - expected) ** 2 / expected for count in seen.values()) < 60  # chi-square, 25 degrees: p < 1e-4


def test_every_document_has_an_id_of_its_own() -> None:
    ids = [name for canary in canaries.planted(["deu", "kor"], seed=7, count=4) for name in canary.documents]
    assert len(set(ids)) == len(ids) == 2 * 4 * sum(canaries.TIMES)
