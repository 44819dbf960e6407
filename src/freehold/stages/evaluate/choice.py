"""Multiple choice: the model's answer is the choice it finds most probable per byte after the question."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freehold.errors import InputError
from freehold.progress import Progress
from freehold.proof.scores import chosen
from freehold.stages.evaluate.judged import Judged
from freehold.stages.evaluate.surprisal import Span, surprisal

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of a pack; `answer` is the place of the right choice."""

    id: str
    question: str
    choices: tuple[str, ...]
    answer: int
    language: str


def load_pack(path: Path) -> list[Question]:
    """Read a pack: JSON lines with id, question, choices, answer and language. Raises InputError with the line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        advice = "give a UTF-8 file of JSON lines"
        raise InputError(f"the pack cannot be read: {error}", where=path.name, remedy=advice) from None
    questions = [question_of(line, f"{path.name}:{n}") for n, line in enumerate(lines, start=1) if line.strip()]
    if not questions:
        raise InputError("the pack holds no question", where=path.name, remedy="add questions or remove the pack")
    return questions


def question_of(line: str, where: str) -> Question:
    """Read one line of a pack. Raises InputError."""
    wanted = '{"id": …, "question": …, "choices": [two or more], "answer": place of the right one, "language": …}'
    try:
        row = json.loads(line)
        question = Question(
            id=str(row["id"]),
            question=str(row["question"]).strip(),
            choices=tuple(str(choice).strip() for choice in row["choices"]),
            answer=int(row["answer"]),
            language=str(row.get("language", "und")),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"not a question: {error!r}", where=where, remedy=wanted) from None
    if len(question.choices) < 2 or not all(question.choices) or not 0 <= question.answer < len(question.choices):
        raise InputError("a question needs two or more choices and the place of the right one", where=where)
    return question


def answers(judged: Judged, questions: Sequence[Question], *, progress: Progress) -> list[Answer]:
    """Return the model's answer to each question: nats per byte of every choice, and which one it takes.

    A question is read as text, without a chat template: pre-training is what could have taught its answer.
    """
    spans: list[Span] = []
    for question in questions:
        begun = [judged.bos, *judged.tokens_of(question.question + "\n")]
        ways = [judged.tokens_of(choice) for choice in question.choices]
        spans += [span_of(begun, way, judged.model.config.context) for way in ways]
    total = sum(len(span.tokens) - span.scored_from for span in spans)
    with progress.task("multiple choice", total=total, unit="tok") as task:
        nats = iter(surprisal(judged.model, spans, task=task).tolist())
    return [answer_of(question, [next(nats) for _ in question.choices]) for question in questions]


def span_of(asked: list[int], choice: list[int], context: int) -> Span:
    """Join question and choice; of what is longer than the context, the question's beginning is left out.

    Of a choice that does not fit by itself only the end is scored.
    """
    tokens = [*asked, *choice][-(context + 1) :]
    return Span(tokens=tokens, scored_from=max(1, len(tokens) - len(choice)))


def answer_of(question: Question, nats: list[float]) -> Answer:
    """Choose by nats per byte, so that long choices are not at a disadvantage; equal ones by place."""
    scores = [round(n / len(choice.encode()), 5) for n, choice in zip(nats, question.choices, strict=True)]
    taken = chosen(scores)
    return {
        "id": question.id,
        "language": question.language,
        "nats_per_byte": scores,
        "chosen": taken,
        "answer": question.answer,
        "correct": taken == question.answer,
    }
