"""What a filter of withdrawn text stops, what it lets pass, and how it goes along with a stream."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.proof.log.withdrawn_filter import parse
from freehold.text.tokens import tokens
from freehold.text.withdrawn import Filter, Span, bounds, filter_of

LAW = (
    "§ 1 Die Gemeinde führt ein Verzeichnis aller Brunnen, die nach dem Jahr 1850 auf öffentlichem Grund gebaut worden "
    "sind. § 2 Wer einen Brunnen verschließt, zeigt dies dem Amt binnen sechs Wochen schriftlich an."
)
JAPANESE = "第一条 市長は、千八百五十年以後に公有地に築かれた井戸の台帳を作成し、これを毎年公表しなければならない。"
OTHER = "Die Satzung regelt, wer einen Brunnen verschließt, zeigt dies dem Amt binnen eines Jahres schriftlich an."


@pytest.fixture(scope="module")
def known() -> Filter:
    return filter_of([LAW, JAPANESE], staying=[OTHER])[0]


@pytest.mark.parametrize(
    "said",
    [
        LAW,
        f"Der Bescheid sagt: {LAW[5:120]} Mehr nicht.",
        LAW[5:120].upper(),
        LAW[5:120].replace(" ", "\n\n").replace(",", ""),
        f"Er schrieb: {JAPANESE[4:40]} と。",
    ],
)
def test_withdrawn_words_are_found_whatever_their_dress(known: Filter, said: str) -> None:
    (span,) = known.emits(said)
    assert span.end - span.start > 20


@pytest.mark.parametrize("said", ["", "   ", "Guten Tag.", LAW[:40], JAPANESE[:12], OTHER, "1 2 3 4 5 6 7 8 9"])
def test_other_words_and_short_ones_pass(known: Filter, said: str) -> None:
    assert known.emits(said) == []


def test_the_span_is_where_the_words_stand(known: Filter) -> None:
    quoted = "ein Verzeichnis aller Brunnen, die nach dem Jahr 1850 auf öffentlichem Grund"
    said = f"Nach der Satzung gibt es {quoted} gar nicht."
    assert known.emits(said) == [Span(said.index(quoted), said.index(quoted) + len(quoted))]


def test_what_also_stands_elsewhere_is_not_theirs_alone(known: Filter) -> None:
    shared = "wer einen Brunnen verschließt, zeigt dies dem Amt binnen"
    assert known.emits(shared) == []
    alone, elsewhere = filter_of([LAW], staying=[])
    assert elsewhere == 0
    assert alone.emits(shared)
    assert filter_of([LAW], staying=[OTHER])[1] == 2


def test_a_filter_survives_its_file_and_several_are_one(known: Filter) -> None:
    again = Filter.of(parse(known.file().data(), where="filter"))
    assert again.emits(LAW) == known.emits(LAW)
    one, other = (filter_of([text], staying=[])[0].file() for text in (LAW, JAPANESE))
    both = Filter.of(one, other)
    assert both.emits(LAW) and both.emits(JAPANESE)
    assert Filter.of().emits(LAW) == []
    assert Filter.of().releasable(LAW) == len(LAW)


def test_its_file_holds_no_word_of_the_text(known: Filter) -> None:
    data = known.file().data().split(b"\n", 1)[1]
    assert not any(word.encode() in data for word in LAW.split() if len(word) > 4)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*LAW.split(), "und", "dann", "mehr", "井戸"]), max_size=60), st.integers(1, 9))
def test_a_stream_never_shows_what_the_whole_would_stop(words: list[str], step: int) -> None:
    known = filter_of([LAW, JAPANESE], staying=[])[0]
    whole = " ".join([*words, LAW])
    shown = 0
    for end in range(0, len(whole) + 1, step):
        if known.emits(whole[:end]):
            break
        assert known.releasable(whole[:end]) >= shown
        shown = known.releasable(whole[:end])
    assert shown <= known.emits(whole)[0].start


@given(st.text(max_size=80))
def test_every_token_has_its_place(text: str) -> None:
    begins, ends = bounds(text)
    assert len(begins) == len(ends)
    assert (ends > begins).all()
    if len(begins) == len(tokens(text)):
        assert all(text[begin:end].strip() for begin, end in zip(begins, ends, strict=True))
