"""What tokens say, byte for byte."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Tokenizer

from freehold.model.streaming import token_bytes


class Spelling:
    """The bytes of every token of a tokenizer; special tokens say nothing."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.bytes_of = token_bytes(tokenizer)

    def spell(self, tokens: Iterable[int]) -> bytes:
        """The bytes that tokens stand for; a part of a character stays a part."""
        return b"".join([self.bytes_of[token] for token in tokens])


def whole_characters(data: bytes) -> tuple[int, int]:
    """The largest range of UTF-8 bytes that begins and ends between characters.

    >>> whole_characters("aé漢".encode()[2:5])
    (1, 1)
    >>> whole_characters("aé漢".encode()[:6])
    (0, 6)
    """
    begin = 0
    while begin < len(data) and data[begin] & 0xC0 == 0x80:
        begin += 1
    end = len(data)
    while end > begin and data[end - 1] & 0xC0 == 0x80:
        end -= 1
    if end > begin:  # data[end - 1] opens the last character: keep it if all of it is there
        needed = next((n for n, bound in ((1, 0xC0), (2, 0xE0), (3, 0xF0)) if data[end - 1] < bound), 4)
        end = end - 1 + needed if end - 1 + needed <= len(data) else end - 1
    return begin, end
