"""Proofs that a log only grew."""

from __future__ import annotations

import pytest

from freehold.errors import GateError
from freehold.proof.log.consistency import EMPTY, Head, grew, head_of, parse_head, prove

LEAVES = [bytes([number]) for number in range(40)]


@pytest.mark.parametrize("later", range(len(LEAVES)))
def test_every_earlier_head_of_every_log_is_proven(later: int) -> None:
    leaves = LEAVES[:later]
    for earlier in range(later + 1):
        proof = prove(leaves, earlier)
        assert grew(head_of(leaves[:earlier]), head_of(leaves), proof)
        assert len(proof) <= max(later, 1).bit_length() + 1


@pytest.mark.parametrize(("earlier", "later"), [(1, 2), (3, 7), (4, 7), (8, 8), (6, 39), (32, 40), (0, 5)])
def test_a_log_that_was_rewritten_is_not(earlier: int, later: int) -> None:
    leaves = LEAVES[:later]
    proof, old, new = prove(leaves, earlier), head_of(leaves[:earlier]), head_of(leaves)
    forged = [b"forged", *leaves[1:]]
    assert not grew(old, head_of(forged), prove(forged, earlier)) or earlier == 0
    assert not grew(Head(size=earlier, root="1" * 64), new, proof)
    assert not grew(old, Head(size=later, root="1" * 64), proof) or earlier == 0
    assert not grew(old, new, (*proof, "2" * 64))
    for place in range(len(proof)):
        assert not grew(old, new, (*proof[:place], *proof[place + 1 :]))
        assert not grew(old, new, (*proof[:place], "3" * 64, *proof[place + 1 :]))
        assert not grew(old, new, (*proof[:place], "no digest", *proof[place + 1 :]))


def test_a_log_cannot_shrink() -> None:
    assert not grew(head_of(LEAVES[:5]), head_of(LEAVES[:4]), ())
    assert not grew(head_of(LEAVES[:1]), EMPTY, ())
    assert not grew(Head(size=0, root="4" * 64), head_of(LEAVES), ())


def test_a_head_survives_its_file_and_nothing_else_is_one() -> None:
    head = head_of(LEAVES)
    assert parse_head(head.line(), where="head") == head
    for data in (b"{}", b"[]", head.line().replace(b'"size":40', b'"size":-1'), head.line().replace(b"40", b'"40"')):
        with pytest.raises(GateError):
            parse_head(data, where="head")
