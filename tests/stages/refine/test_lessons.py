from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import InputError
from freehold.learn.batches import Batch
from freehold.model.dialogue import ChatTemplate, Message
from freehold.model.head import IGNORED
from freehold.stages.refine.lessons import Lesson, Lessons, cut, lesson_of, pack
from freehold.stages.tokenize import vocabulary
from tiny_model import tiny_tokenizer

TEMPLATE = ChatTemplate(vocabulary.CHAT_TEMPLATE, tokens={"bos_token": vocabulary.BOS})
END = vocabulary.token_ids()[vocabulary.TURN_END]


def dialogue(*contents: str) -> list[Message]:
    roles = ("user", "assistant") * len(contents)
    return [Message(role=role, content=content) for role, content in zip(roles, contents, strict=False)]


def test_only_the_assistants_words_and_its_end_of_turn_are_taught() -> None:
    tokenizer = tiny_tokenizer()
    messages = [Message(role="system", content="Kurz."), *dialogue("Was?", "Die Würde 日本", "Und?", "대한민국!")]
    lesson = lesson_of("x", messages, template=TEMPLATE, tokenizer=tokenizer, end=END)
    taught = tokenizer.decode(lesson.tokens[lesson.taught].tolist(), skip_special_tokens=False)
    assert taught == "Die Würde 日本<|im_end|>대한민국!<|im_end|>"
    whole = tokenizer.decode(lesson.tokens.tolist(), skip_special_tokens=False)
    assert whole == TEMPLATE.render(messages)


def test_a_template_that_rewrites_the_past_is_refused() -> None:
    forgetful = ChatTemplate("{% for m in messages %}{% if loop.last %}{{ m.content }}{% endif %}{% endfor %}")
    with pytest.raises(InputError, match="changes what was said"):
        lesson_of("x", dialogue("a", "b"), template=forgetful, tokenizer=tiny_tokenizer(), end=END)


def lesson(size: int, name: str = "x") -> Lesson:
    return Lesson(name=name, tokens=np.arange(size), taught=np.arange(size) > 0)


@given(st.lists(st.integers(2, 33), min_size=1, max_size=150))
def test_rows_hold_every_lesson_once_and_never_too_much(sizes: list[int]) -> None:
    rows = pack([lesson(size) for size in sizes], length=33)
    assert sorted(place for row in rows for place in row) == list(range(len(sizes)))
    assert all(0 < sum(sizes[place] for place in row) <= 33 for row in rows)


@given(st.integers(2, 200), st.integers(1, 40))
def test_pieces_teach_every_token_once(size: int, sequence: int) -> None:
    pieces = cut(lesson(size), sequence=sequence)
    assert all(len(piece.tokens) <= sequence + 1 for piece in pieces)
    assert np.concatenate([piece.tokens[1:] for piece in pieces]).tolist() == list(range(1, size))


class Windows:
    """Replay whose window n holds only the number 1000 + n."""

    def at(self, step: int) -> Batch:
        tokens = torch.full((1, 16), 1000 + step)
        return Batch(tokens=tokens, targets=tokens, documents=(f"window {step}",))


def lessons_of(sizes: list[int], **changes: int) -> Lessons:
    numbers = {"windows": 10, "epochs": 2, "seed": 1, "samples": 4, "replayed": 1, "sequence": 16, "pad": 3} | changes
    return Lessons([lesson(size, f"lesson {place}") for place, size in enumerate(sizes)], replay=Windows(), **numbers)


def test_batches_have_one_shape_and_hold_lessons_and_replay() -> None:
    lessons = lessons_of([5, 9, 17, 12, 3, 8, 8])
    seen: list[str] = []
    counted = 0
    for step in range(lessons.steps):
        batch = lessons.at(step)
        assert batch.tokens.shape == batch.targets.shape == (4, 16)
        assert int((batch.tokens[-1] >= 1000).sum()) == 16
        counted += int(((batch.targets != IGNORED) & (batch.targets < 1000)).sum())
        seen += batch.documents
    assert counted == 2 * sum(size - 1 for size in (5, 9, 17, 12, 3, 8, 8))
    assert {f"lesson {place}" for place in range(7)} <= set(seen)
    windows = [name for name in seen if name.startswith("window")]
    assert len(windows) == len(set(windows))


def test_targets_are_the_tokens_that_follow_within_a_lesson() -> None:
    lessons = lessons_of([6], epochs=1)
    batch = lessons.at(0)
    assert batch.tokens[0].tolist() == [0, 1, 2, 3, 4, *[3] * 11]
    assert batch.targets[0].tolist() == [1, 2, 3, 4, 5, *[IGNORED] * 11]


def test_batches_are_a_pure_function_of_seed_and_step() -> None:
    first, again, other = lessons_of([5, 9, 12]), lessons_of([5, 9, 12]), lessons_of([5, 9, 12], seed=2)
    assert torch.equal(first.at(1).tokens, again.at(1).tokens)
    assert any(not torch.equal(first.at(step).tokens, other.at(step).tokens) for step in range(first.steps))
