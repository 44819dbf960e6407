from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.stages.evaluate.ngram import BEGIN, GAP, ORDER, PAD, WittenBell, document


def slow_bits(training: list[list[int]], judged: list[int]) -> float:
    """The definition, one event at a time, over lists of symbols that begin with four pads."""
    followers: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
    for symbols in training:
        for place in range(PAD, len(symbols)):
            for length in range(ORDER):
                followers[tuple(symbols[place - length : place])][symbols[place]] += 1
    total = 0.0
    for place in range(PAD, len(judged)):
        estimate = 1 / 256
        for length in range(ORDER):
            seen = followers.get(tuple(judged[place - length : place]))
            if seen:
                kinds, count = len(seen), sum(seen.values())
                estimate = (seen[judged[place]] + kinds * estimate) / (count + kinds)
        total -= math.log2(estimate)
    return total


texts = st.lists(st.binary(max_size=40), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(training=texts, judged=st.binary(max_size=60), small=st.booleans())
def test_equals_the_definition(training: list[bytes], judged: bytes, small: bool) -> None:
    if small:  # few different bytes, so that every order is seen
        training, judged = [bytes(b % 3 for b in text) for text in training], bytes(b % 3 for b in judged)
    training = [b"ab", *training]
    model = WittenBell.trained_on(np.concatenate([document(text) for text in training]))
    expected = slow_bits([document(text).tolist() for text in training], document(judged).tolist())
    assert model.bits(document(judged)) == pytest.approx(expected, rel=1e-12, abs=1e-9)


def test_probabilities_sum_to_one_after_any_context() -> None:
    model = WittenBell.trained_on(document(b"abracadabra, abracadabra"))
    for context in (b"abra", b"zzzz", b"zabr"):
        total = 0.0
        for byte in range(256):
            symbols = np.array([*context, byte], dtype=np.int16)
            total += 2.0 ** -model.bits(symbols)
        assert total == pytest.approx(1)


def test_a_gap_hides_what_came_before_it() -> None:
    whole = document(b"abcdefgh")
    cut = np.concatenate((whole[:PAD], np.full(PAD, GAP, np.int16), whole[PAD:]))
    model = WittenBell.trained_on(cut)
    begins_with = [model.bits(np.array([BEGIN] * PAD + [ord(letter)], np.int16)) for letter in "ab"]
    assert begins_with[0] == begins_with[1], "the first byte after a gap does not count as a document's first"
    assert model.bytes_seen == 8


def test_pads_alone_hold_no_event() -> None:
    model = WittenBell.trained_on(document(b"a"))
    assert model.bits(document(b"")) == 0
    assert model.bits(np.zeros(0, np.int16)) == 0


def test_no_text_is_an_error() -> None:
    with pytest.raises(ValueError, match="no text"):
        WittenBell.trained_on(document(b"")).bits(document(b"a"))


def test_language_is_easier_after_reading_it() -> None:
    text = ("Dieses Gesetz regelt die Rechte und Pflichten der Bürgerinnen und Bürger. " * 40).encode()
    strange = "この法律は、国民の権利及び義務を定める。".encode()
    model = WittenBell.trained_on(document(text))
    assert model.bits(document(text)) / len(text) < 0.2
    assert model.bits(document(strange)) / len(strange) > 6
