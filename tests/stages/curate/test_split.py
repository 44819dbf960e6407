"""The held-out part is a function of what the documents say."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.stages.curate.split import Candidate, held_out

DOCUMENTS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(["deu", "jpn"]), st.integers(1, 5000)), min_size=1, max_size=120
)


def candidates(drawn: list[tuple[int, str, int]]) -> list[Candidate]:
    return [
        Candidate(row=row, family=family, language=language, digest=f"{row:064x}", bytes=size)
        for row, (family, language, size) in enumerate(drawn)
    ]


@settings(max_examples=200)
@given(DOCUMENTS, st.integers(0, 20_000))
def test_families_stay_whole_and_limits_hold(drawn: list[tuple[int, str, int]], wanted: int) -> None:
    documents = candidates(drawn)
    rows = held_out(documents, wanted_bytes=wanted)
    for family in {document.family for document in documents}:
        assert len({document.row in rows for document in documents if document.family == family}) == 1
    for language in ("deu", "jpn"):
        total = sum(document.bytes for document in documents if document.language == language)
        held = sum(document.bytes for document in documents if document.language == language and document.row in rows)
        assert held <= min(wanted, total // 10)


@given(DOCUMENTS, st.randoms(use_true_random=False))
def test_order_and_place_do_not_matter(drawn: list[tuple[int, str, int]], shuffle: random.Random) -> None:
    documents = candidates(drawn)
    rows = held_out(documents, wanted_bytes=5000)
    chosen = {document.digest for document in documents if document.row in rows}
    shuffle.shuffle(documents)
    moved = [
        Candidate(
            row=place + 1000, family=document.family + 7, language=document.language, digest=document.digest,
            bytes=document.bytes,
        )
        for place, document in enumerate(documents)
    ]  # fmt: skip
    rows = held_out(moved, wanted_bytes=5000)
    assert {document.digest for document in moved if document.row in rows} == chosen


def test_enough_is_held_out() -> None:
    documents = candidates([(n, "deu", 1000 + n * 7 % 500) for n in range(400)])
    rows = held_out(documents, wanted_bytes=20_000)
    held = sum(document.bytes for document in documents if document.row in rows)
    assert 18_000 < held <= 20_000


def test_one_large_document_does_not_fill_it() -> None:
    documents = candidates([(0, "deu", 9000), *((n, "deu", 500) for n in range(1, 400))])
    rows = held_out(documents, wanted_bytes=10_000)
    assert 0 not in rows
    assert len(rows) == 20


def test_large_documents_are_better_than_none() -> None:
    documents = candidates([(n, "deu", 9000) for n in range(20)])
    assert len(held_out(documents, wanted_bytes=20_000)) == 2
