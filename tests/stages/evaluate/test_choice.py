from __future__ import annotations

import json
from pathlib import Path

import pytest

from freehold.errors import InputError
from freehold.progress import Progress
from freehold.proof.scores import accuracy
from freehold.stages.evaluate.choice import Question, answer_of, answers, load_pack, span_of
from freehold.stages.evaluate.judged import Judged
from freehold.stages.evaluate.surprisal import Span, surprisal

GOOD = {"id": "q", "question": "Wer wählt?", "choices": ["das Volk", "niemand"], "answer": 0, "language": "deu"}


def ask(**fields: object) -> Question:
    row = GOOD | fields
    return Question(
        id=str(row["id"]),
        question=str(row["question"]),
        choices=tuple(row["choices"]),  # type: ignore[arg-type]
        answer=int(row["answer"]),  # type: ignore[call-overload]
        language="deu",
    )


def test_a_pack_is_read_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "pack.jsonl"
    path.write_text(json.dumps(GOOD) + "\n\n" + json.dumps(GOOD | {"id": 7}) + "\n", encoding="utf-8")
    assert [question.id for question in load_pack(path)] == ["q", "7"]
    assert load_pack(path)[0].choices == ("das Volk", "niemand")


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        json.dumps({"id": "q"}),
        json.dumps(GOOD | {"choices": ["one"]}),
        json.dumps(GOOD | {"choices": ["one", " "]}),
        json.dumps(GOOD | {"answer": 2}),
        json.dumps(GOOD | {"answer": -1}),
        json.dumps(GOOD | {"answer": "right"}),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "pack.jsonl"
    path.write_text(json.dumps(GOOD) + "\n" + line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"pack\.jsonl:2"):
        load_pack(path)


@pytest.mark.parametrize("data", [b"", b"\n", b"\xff\xfe"])
def test_a_pack_without_questions_or_of_other_bytes_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "pack.jsonl").write_bytes(data)
    with pytest.raises(InputError, match=r"pack\.jsonl"):
        load_pack(tmp_path / "pack.jsonl")


def test_long_choices_are_not_at_a_disadvantage() -> None:
    question = ask(choices=["kurz", "eine viel längere Antwort"], answer=1)
    given = answer_of(question, [8.0, 20.0])
    assert given["chosen"] == 1
    assert given["correct"]
    assert given["nats_per_byte"] == [2.0, round(20 / 26, 5)]


def test_only_the_choice_is_scored_and_the_question_gives_way() -> None:
    assert span_of([0, 1, 2], [8, 9], 10) == Span(tokens=[0, 1, 2, 8, 9], scored_from=3)
    assert span_of([0, 1, 2, 3], [8, 9], 3) == Span(tokens=[2, 3, 8, 9], scored_from=2)
    assert span_of([0], [6, 7, 8, 9], 2) == Span(tokens=[7, 8, 9], scored_from=1)


def test_answers_are_those_of_asking_alone(judged: Judged) -> None:
    questions = [
        ask(),
        ask(id="r", question="Was ist ein Gesetz?", choices=["eine Regel", "ein Baum", "das"], answer=2),
    ]
    given = answers(judged, questions, progress=Progress(quiet=True))
    for question, row in zip(questions, given, strict=True):
        for choice, nats in zip(question.choices, row["nats_per_byte"], strict=True):
            begun = [judged.bos, *judged.tokens_of(question.question + "\n")]
            span = Span(tokens=[*begun, *judged.tokens_of(choice)], scored_from=len(begun))
            assert nats == pytest.approx(surprisal(judged.model, [span])[0] / len(choice.encode()), abs=2e-5)
        assert row["chosen"] == row["nats_per_byte"].index(min(row["nats_per_byte"]))


def test_the_score_has_an_interval_and_the_chance_of_each_question() -> None:
    rows = [answer_of(ask(answer=place % 2), [1.0, 9.0]) for place in range(10)]
    rows += [answer_of(ask(choices=["a", "b", "c", "d"], answer=0), [1.0, 9.0, 9.0, 9.0])] * 10
    found = accuracy(rows)
    assert found["accuracy"] == 0.75
    assert found["chance"] == 0.375
    assert found["low"] < 0.75 < found["high"]
    assert found["n"] == 20
