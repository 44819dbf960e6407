"""Streaming: tokens become text that is safe to show, with whole characters and without stop strings."""

from __future__ import annotations

import codecs
import json
import re
from functools import cache

from tokenizers import Tokenizer

from freehold.errors import InputError

BLANK = "▁"  # how SentencePiece writes a space
BYTE = re.compile(r"<0x[0-9A-F]{2}>")  # and a byte of a character it has no token for


@cache
def byte_alphabet() -> dict[str, int]:
    """The character that byte-level BPE writes for each byte (GPT-2's table): printable bytes stand for themselves.

    >>> byte_alphabet()["a"], byte_alphabet()["Ġ"]
    (97, 32)
    """
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in set(printable)]
    table = {chr(byte): byte for byte in printable}
    return table | {chr(256 + place): byte for place, byte in enumerate(others)}


def token_bytes(tokenizer: Tokenizer, *, where: str = "tokenizer.json") -> list[bytes]:
    """The bytes each token stands for, by token id; control tokens stand for none.

    SentencePiece's kind writes a blank before a text, which is part of its first token here. Raises InputError for a
    tokenizer that does not give texts back byte for byte.
    """
    described = json.loads(tokenizer.to_str())
    decoder = json.dumps(described["decoder"], ensure_ascii=False)
    if "ByteLevel" in decoder:
        spell = _byte_level
    elif BLANK in decoder:
        spell = _sentence_piece
    else:
        message = "the tokenizer is neither byte-level nor SentencePiece's kind"
        raise InputError(message, where=where, remedy="take a model that has such a one")
    vocabulary = tokenizer.get_vocab(with_added_tokens=False)
    table = [b""] * (max(tokenizer.get_vocab(with_added_tokens=True).values(), default=-1) + 1)
    for text, token in vocabulary.items():
        table[token] = spell(text)
    for added in described["added_tokens"]:
        table[added["id"]] = b"" if added["special"] else added["content"].encode()
    return table


def _byte_level(token: str) -> bytes:
    alphabet = byte_alphabet()
    return bytes(alphabet[letter] for letter in token if letter in alphabet)


def _sentence_piece(token: str) -> bytes:
    return bytes([int(token[3:5], 16)]) if BYTE.fullmatch(token) else token.replace(BLANK, " ").encode()


def control_tokens(tokenizer: Tokenizer) -> dict[str, int]:
    """Control tokens such as <|im_end|>, by their written form."""
    return {added.content: token for token, added in tokenizer.get_added_tokens_decoder().items() if added.special}


class TextStream:
    """Text of one answer as its tokens arrive.

    `push` returns what can be shown already: whole characters only (bytes of an unfinished one are kept back), and
    nothing that may be the beginning of a stop string. `finish` returns the rest, ill-formed bytes as U+FFFD.

    >>> stream = TextStream(stops=("END",))
    >>> stream.push("Straß".encode()[:-1]), stream.push("Straß".encode()[-1:]), stream.push(b"e EN"), stream.push(b"Dx")
    ('Stra', 'ß', 'e ', '')
    >>> stream.stopped
    True
    """

    def __init__(self, *, stops: tuple[str, ...] = ()) -> None:
        self.stops = tuple(stop for stop in stops if stop)
        self.stopped = False
        self.held = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def push(self, data: bytes) -> str:
        """Take the bytes of the next token; the text that is now certain."""
        return self._advance(self.decoder.decode(data), final=False)

    def finish(self) -> str:
        """The answer is over: the text that was kept back."""
        return self._advance(self.decoder.decode(b"", final=True), final=True)

    def _advance(self, text: str, *, final: bool) -> str:
        if self.stopped:
            return ""
        self.held += text
        found = [place for place in (self.held.find(stop) for stop in self.stops) if place >= 0]
        if found:
            self.stopped = True
            keep = min(found)
        else:
            keep = len(self.held) - (0 if final else self._threatened())
        shown, self.held = self.held[:keep], self.held[keep:]
        return shown

    def _threatened(self) -> int:
        """Length of the longest end of the held text that begins a stop string."""
        longest = max((len(stop) for stop in self.stops), default=1) - 1
        for length in range(min(longest, len(self.held)), 0, -1):
            end = self.held[-length:]
            if any(stop.startswith(end) for stop in self.stops):
                return length
        return 0
