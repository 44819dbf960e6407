"""What tokens say, byte for byte: byte-level BPE writes each byte as one printable character."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from tokenizers import Tokenizer


@cache
def byte_of() -> dict[str, int]:
    """The byte-level alphabet backwards: printable Latin-1 stands for itself, the other bytes from U+0100 on.

    >>> byte_of()["A"], byte_of()["Ġ"], byte_of()["Ċ"]
    (65, 32, 10)
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(rest)}


class Spelling:
    """The bytes of every token of a tokenizer; special tokens say nothing."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        special = tokenizer.get_added_tokens_decoder()
        self.bytes_of = [b""] * tokenizer.get_vocab_size()
        alphabet = byte_of()
        for token, number in tokenizer.get_vocab(with_added_tokens=False).items():
            if number not in special:
                self.bytes_of[number] = bytes(alphabet[character] for character in token)

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
