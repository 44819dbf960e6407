"""Lessons: dialogues as rows of tokens in which only the assistant's words count, mixed with text seen before.

Legend: B rows of a batch, T positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from freehold.errors import InputError
from freehold.learn.batches import Batch, Batches
from freehold.learn.mixture import key_of, permutation
from freehold.model.dialogue import ChatTemplate, Message
from freehold.model.head import IGNORED

OPEN_ROWS = 32  # rows that a dialogue may still be put into; more would only cost time


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A dialogue as tokens; `taught` says which of them the assistant wrote, its end of turn included."""

    name: str
    tokens: NDArray[np.int64]
    taught: NDArray[np.bool_]


def lesson_of(
    name: str, messages: Sequence[Message], *, template: ChatTemplate, tokenizer: Tokenizer, end: int
) -> Lesson:
    """Encode a dialogue exactly as serving will, and mark what the assistant says; `end` is the token of its end.

    Raises InputError if the template rewrites earlier turns, for then serving and teaching would not agree.
    """
    text = template.render(messages)
    encoding = tokenizer.encode(text, add_special_tokens=False)
    tokens = np.array(encoding.ids, dtype=np.int64)
    begins = np.array([begin for begin, _ in encoding.offsets])
    taught = np.zeros(len(tokens), dtype=np.bool_)
    for place, message in enumerate(messages):
        if message.role != "assistant":
            continue
        before, after = template.render(messages[:place], answer=True), template.render(messages[: place + 1])
        if not (after.startswith(before) and text.startswith(after)):
            raise InputError("the chat template changes what was said before", where=template.where)
        said = (begins >= len(before)) & (begins < len(after))
        last = np.flatnonzero(said & (tokens == end))
        if len(last):  # what the template writes after the end of a turn is not the model's to say
            said[last[-1] + 1 :] = False
        taught |= said
    return Lesson(name=name, tokens=tokens, taught=taught)


def cut(lesson: Lesson, *, sequence: int) -> list[Lesson]:
    """Pieces of at most `sequence` + 1 tokens in which something is taught; each begins with the last token before it.

    >>> whole = Lesson(name="x", tokens=np.arange(8), taught=np.arange(8) > 3)
    >>> [piece.tokens.tolist() for piece in cut(whole, sequence=3)]
    [[3, 4, 5, 6], [6, 7]]
    """
    parts = [slice(begin, begin + sequence + 1) for begin in range(0, max(1, len(lesson.tokens) - 1), sequence)]
    pieces = [Lesson(name=lesson.name, tokens=lesson.tokens[part], taught=lesson.taught[part]) for part in parts]
    return [piece for piece in pieces if piece.taught[1:].any()]


def pack(lessons: Sequence[Lesson], *, length: int) -> list[list[int]]:
    """Places of lessons, row by row: each goes into the fullest open row that still has room (best fit).

    No lesson is cut; all must fit `length` tokens.
    """
    rows: list[list[int]] = []
    room: dict[int, int] = {}  # open row → tokens left
    for place, lesson in enumerate(lessons):
        size = len(lesson.tokens)
        fits = [row for row, left in room.items() if left >= size]
        if fits:
            row = min(fits, key=lambda row: (room[row], row))
        else:
            row = len(rows)
            rows.append([])
            room[row] = length
        rows[row].append(place)
        room[row] -= size
        if room[row] == 0 or len(room) > OPEN_ROWS:
            del room[min(room, key=lambda row: (room[row], row))]
    return rows


class Lessons:
    """Batches of packed dialogues and replayed windows: a pure function of lessons, seed and step."""

    def __init__(
        self,
        lessons: Sequence[Lesson],
        *,
        replay: Batches,
        windows: int,
        epochs: int,
        seed: int,
        samples: int,
        replayed: int,
        sequence: int,
        pad: int,
    ) -> None:
        """Of the `samples` rows of a batch, `replayed` are one-row batches of `replay`, out of its first `windows`."""
        self.replay, self.seed, self.samples, self.sequence, self.pad = replay, seed, samples, sequence, pad
        self.rows: list[list[Lesson]] = []
        for epoch in range(epochs):
            order = permutation(len(lessons), key=key_of("lessons", seed, epoch))
            shuffled = [lessons[place] for place in order]
            self.rows += [[shuffled[place] for place in row] for row in pack(shuffled, length=sequence + 1)]
        self.taught_rows = samples - replayed
        self.steps = -(-len(self.rows) // self.taught_rows)
        self.windows = permutation(windows, key=key_of("replay", seed))

    def at(self, step: int) -> Batch:
        """The batch of a step; where dialogues run out, replay fills the last one."""
        rows = self.rows[step * self.taught_rows : (step + 1) * self.taught_rows]
        tokens_BT = torch.full((self.samples, self.sequence), self.pad, dtype=torch.int64)
        targets_BT = torch.full((self.samples, self.sequence), IGNORED, dtype=torch.int64)
        documents: dict[str, None] = {}
        for place, row in enumerate(rows):
            tokens, taught = (np.concatenate([getattr(one, name) for one in row]) for name in ("tokens", "taught"))
            size = min(len(tokens) - 1, self.sequence)
            tokens_BT[place, :size] = torch.from_numpy(tokens[:size])
            targets_BT[place, :size] = torch.from_numpy(np.where(taught, tokens, IGNORED)[1 : size + 1])
            documents.update(dict.fromkeys(lesson.name for lesson in row))
        first = step * (self.samples - self.taught_rows)
        for place in range(len(rows), self.samples):
            window = self.windows[(first + place - len(rows)) % len(self.windows)]
            seen = self.replay.at(int(window))
            tokens_BT[place], targets_BT[place] = seen.tokens[0], seen.targets[0]
            documents.update(dict.fromkeys(seen.documents))
        return Batch(tokens=tokens_BT, targets=targets_BT, documents=tuple(documents))

    def check(self) -> None:
        """Raise InputError if the replayed text is not what it was."""
        self.replay.check()
