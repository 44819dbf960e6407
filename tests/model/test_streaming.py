from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from freehold.errors import InputError
from freehold.model.streaming import TextStream, byte_alphabet, control_tokens, token_bytes
from tiny_model import tiny_tokenizer


@given(st.lists(st.binary(max_size=4), max_size=30))
def test_streamed_text_is_the_text_of_all_bytes(parts: list[bytes]) -> None:
    stream = TextStream()
    shown = "".join(stream.push(part) for part in parts) + stream.finish()
    assert shown == b"".join(parts).decode(errors="replace")


@given(st.text(max_size=40), st.integers(1, 3))
def test_whole_characters_only(text: str, size: int) -> None:
    data, stream = text.encode(errors="replace"), TextStream()
    for start in range(0, len(data), size):
        assert "\ufffd" not in stream.push(data[start : start + size]).replace("\ufffd" if "\ufffd" in text else "", "")


@given(st.text("abEN", max_size=40), st.lists(st.text("abEN", min_size=1, max_size=4), min_size=1, max_size=3))
def test_text_ends_before_the_first_stop(text: str, stops: list[str]) -> None:
    stream = TextStream(stops=tuple(stops))
    shown = ""
    for letter in text:
        shown += stream.push(letter.encode())
        if stream.stopped:
            break
    shown += stream.finish()
    found = [stop for stop in stops if stop in text]
    if not found:
        assert shown == text
        return
    ends = min(text.index(stop) + len(stop) for stop in found)  # letter by letter, the stop that completes first
    assert shown == text[: min(text.index(stop) for stop in found if text.index(stop) + len(stop) == ends)]


def test_tokens_stand_for_the_bytes_of_their_text() -> None:
    tokenizer = tiny_tokenizer()
    table = token_bytes(tokenizer)
    for text in ("Die Würde", "日本国\n", "🏛 laïque", "\0\x7f"):
        tokens = tokenizer.encode(text, add_special_tokens=False).ids
        assert b"".join(table[token] for token in tokens).decode() == text
    assert all(table[token] == b"" for token in control_tokens(tokenizer).values())


def test_a_tokenizer_that_is_not_byte_level_is_refused() -> None:
    with pytest.raises(InputError, match="neither byte-level nor SentencePiece"):
        token_bytes(Tokenizer(models.BPE()))


def test_sentence_piece_spells_blanks_and_bytes() -> None:
    model = models.BPE({"▁": 0, "a": 1, "<0xC3>": 2, "<0xA9>": 3, "▁a": 4}, [("▁", "a")], byte_fallback=True)
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    tokens = tokenizer.encode("a éa").ids
    assert b"".join(token_bytes(tokenizer)[token] for token in tokens) == " a éa".encode()


def test_every_byte_has_one_character() -> None:
    assert sorted(byte_alphabet().values()) == list(range(256))
