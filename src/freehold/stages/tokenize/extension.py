"""Vocabulary extension: go on with the BPE training of an open model's own tokenizer, on text of other languages.

The base's merges are applied first, so what is left of a word are its pieces in the base's eyes. Further merges are
learned from how often two pieces meet (Sennrich et al. 2016, arXiv:1508.07909) and appended behind all others: a text
is first cut as the base cuts it, then its pieces are joined. Every token of the base keeps its number and meaning.

A tokenizer that spells unknown characters as bytes (SentencePiece) learns such characters as tokens too: joined bytes
would not decode.
"""

from __future__ import annotations

import heapq
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tokenizers import Tokenizer

from freehold.errors import InputError
from freehold.model.base import token_numbers
from freehold.model.streaming import BLANK, BYTE
from freehold.progress import Task

WORD = re.compile(rf"{BLANK}*[^{BLANK}]+|{BLANK}+")
LEAST = 2  # times that a pair must be seen

Key = tuple[int, ...]  # two pieces that meet, or one character the base has no token for, as -code point
Word = list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """A tokenizer.json with more tokens, and what each of them stands for."""

    tokenizer: bytes
    pieces: dict[int, list[int]]  # new token → the base's tokens for the same text


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """A new token: the two it joins, or () for a character."""

    number: int
    text: str
    parts: tuple[str, ...]


def extend(described: dict[str, Any], texts: Iterable[str], *, count: int, task: Task, where: str) -> Extension:
    """Learn `count` more tokens for a tokenizer.json (fewer where the text holds too few pairs); `task` counts them.

    Raises InputError for a tokenizer that is no byte-level or SentencePiece-like BPE.
    """
    refuse_unknown(described, where=where)
    tokenizer = Tokenizer.from_str(json.dumps(described))
    numbers = token_numbers(described)
    cut = Cut.of(tokenizer, described)
    words: list[tuple[Word, int]] = []
    for word, times in sorted(Counter(word for text in texts for word in cut.words(text)).items()):
        words.append((cut.pieces(word), times))
    learned = learn(words, cut=cut, taken=numbers, count=count, task=task)
    pieces = {one.number: [piece.id for piece in tokenizer.model.tokenize(one.text)] for one in learned}
    return Extension(tokenizer=with_tokens(described, learned), pieces=pieces)


def refuse_unknown(described: Mapping[str, Any], *, where: str) -> None:
    """Raise InputError unless new merges can be appended and decode exactly."""
    model, decoder = described["model"], json.dumps(described.get("decoder"))
    advice = "set [base].new_tokens to 0: the vocabulary is kept as it is"
    if model.get("type") != "BPE":
        raise InputError(f"a vocabulary of kind {model.get('type')} cannot be extended", where=where, remedy=advice)
    odd = [name for name in ("dropout", "continuing_subword_prefix", "end_of_word_suffix") if model.get(name)]
    if odd:
        raise InputError(f"a BPE with {odd[0]} cannot be extended", where=where, remedy=advice)
    if "ByteLevel" not in decoder and not ("ByteFallback" in decoder and model.get("byte_fallback")):
        message = "the tokenizer is neither byte-level BPE nor BPE with bytes for unknown characters"
        raise InputError(message, where=where, remedy=advice)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How the base cuts text into words and words into pieces."""

    tokenizer: Tokenizer
    texts: dict[int, str]  # piece → how it is written
    closed: frozenset[int]  # pieces that never join another: bytes, control tokens, the unknown

    @classmethod
    def of(cls, tokenizer: Tokenizer, described: Mapping[str, Any]) -> Cut:
        """The cut of a tokenizer."""
        vocabulary, added = described["model"]["vocab"], described.get("added_tokens", [])
        closed = {number for text, number in vocabulary.items() if BYTE.fullmatch(text)}
        closed |= {entry["id"] for entry in added}
        if (unknown := described["model"].get("unk_token")) in vocabulary:
            closed.add(vocabulary[unknown])
        texts = {number: text for text, number in vocabulary.items()}
        return cls(tokenizer=tokenizer, texts=texts, closed=frozenset(closed))

    def words(self, text: str) -> Iterator[str]:
        """Pre-tokens as the model sees them; where the base joins across words, merges are still learned within."""
        normalizer, splitter = self.tokenizer.normalizer, self.tokenizer.pre_tokenizer
        text = normalizer.normalize_str(text) if normalizer else text
        for word in [word for word, _ in splitter.pre_tokenize_str(text)] if splitter else [text]:
            yield from WORD.findall(word) if BLANK in word else [word]

    def pieces(self, word: str) -> Word:
        """The base's pieces of a word; a character that takes several byte pieces becomes minus its code point."""
        found: Word = []
        spelled: list[int] = []
        for piece in self.tokenizer.model.tokenize(word):
            if not BYTE.fullmatch(piece.value):
                found.append(piece.id)
                continue
            spelled.append(int(piece.value[3:5], 16))
            if character := character_of(spelled):
                found.append(-ord(character) if len(spelled) > 1 else piece.id)
                spelled = []
        return found

    def keys(self, word: Word) -> Iterator[Key]:
        """What may become a token: pairs of neighbours, and characters without one."""
        for piece in word:
            if piece < 0:
                yield (piece,)
        for left, right in pairwise(word):
            if left >= 0 and right >= 0 and left not in self.closed and right not in self.closed:
                yield (left, right)


def character_of(spelled: list[int]) -> str | None:
    """The character that UTF-8 bytes spell, None while bytes are missing."""
    try:
        return bytes(spelled).decode()
    except UnicodeDecodeError:
        return None


def learn(
    words: list[tuple[Word, int]], *, cut: Cut, taken: Mapping[str, int], count: int, task: Task
) -> list[Learned]:
    """The next `count` tokens by how many tokens each saves; ties go to the lower numbers.

    A pair that spells a token which exists is passed over: a new merge must not change what old tokens are for.
    Counts of known pairs only fall, so the heap holds upper bounds, made true when they come up.
    """
    texts, names = dict(cut.texts), set(taken)
    saves, places = tally(words, cut)
    heap = [(-saved, key) for key, saved in saves.items()]
    heapq.heapify(heap)
    number, learned = max(taken.values()), list[Learned]()
    while heap and len(learned) < count:
        bound, key = heapq.heappop(heap)
        if saves[key] != -bound:
            heapq.heappush(heap, (-saves[key], key))
            continue
        parts = tuple(texts[piece] for piece in key if piece >= 0)
        text = "".join(parts) or chr(-key[0])
        if -bound < LEAST or text in names:
            continue
        number += 1
        texts[number] = text
        names.add(text)
        learned.append(Learned(number=number, text=text, parts=parts))
        fresh = replace(words, places.pop(key), key=key, number=number, cut=cut, saves=saves, places=places)
        for found in sorted(fresh):
            heapq.heappush(heap, (-saves[found], found))
        task.advance()
    return learned


def tally(words: list[tuple[Word, int]], cut: Cut) -> tuple[Counter[Key], dict[Key, set[int]]]:
    """How many tokens each key would save, and the words it stands in."""
    saves: Counter[Key] = Counter()
    places: dict[Key, set[int]] = {}
    for index, (word, times) in enumerate(words):
        for key in cut.keys(word):
            saves[key] += times * saving(key)
            places.setdefault(key, set()).add(index)
    return saves, places


def saving(key: Key) -> int:
    """Tokens saved each time: one for a pair, all byte pieces but one for a character."""
    return 1 if len(key) == 2 else len(chr(-key[0]).encode()) - 1


def replace(
    words: list[tuple[Word, int]],
    indices: set[int],
    *,
    key: Key,
    number: int,
    cut: Cut,
    saves: Counter[Key],
    places: dict[Key, set[int]],
) -> set[Key]:
    """Write `number` for `key` in the words at `indices`, in place, and keep the tally; the keys that are new."""
    fresh: set[Key] = set()
    for index in sorted(indices):
        word, times = words[index]
        after = joined(word, key, number)
        if len(after) == len(word) and len(key) == 2:
            continue  # the pair was taken apart by an earlier token
        for old in cut.keys(word):
            saves[old] -= times * saving(old)
        for new in cut.keys(after):
            saves[new] += times * saving(new)
            if number in new:
                places.setdefault(new, set()).add(index)
                fresh.add(new)
        words[index] = (after, times)
    return fresh


def joined(word: Word, key: Key, number: int) -> Word:
    """The word with every occurrence of `key`, from the left, written as `number`.

    >>> joined([1, 2, 1, 2, 2], (1, 2), 9)
    [9, 9, 2]
    """
    found: Word = []
    place, size = 0, len(key)
    while place < len(word):
        if tuple(word[place : place + size]) == key:
            found.append(number)
            place += size
        else:
            found.append(word[place])
            place += 1
    return found


def with_tokens(described: dict[str, Any], learned: list[Learned]) -> bytes:
    """tokenizer.json with the new tokens behind the old ones.

    Added tokens get an entry in the vocabulary: a reader numbers those without one by the vocabulary's size, which
    has just changed.
    """
    model = described["model"]
    vocabulary = {**model["vocab"], **{token["content"]: token["id"] for token in described.get("added_tokens", [])}}
    pairs = [list(one.parts) for one in learned if one.parts]
    spelled = bool(model["merges"]) and isinstance(model["merges"][0], str)
    merges = [*model["merges"], *(" ".join(pair) if spelled else pair for pair in pairs)]
    grown = {**model, "vocab": {**vocabulary, **{one.text: one.number for one in learned}}, "merges": merges}
    return json.dumps({**described, "model": grown}, ensure_ascii=False).encode()
