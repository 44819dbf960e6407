from __future__ import annotations

import json
from pathlib import Path

import pytest

from freehold.charter_tables import Policy
from freehold.errors import InputError
from freehold.stages.refine.instructions import Gate, gather

GATE = Gate(
    policy=Policy(licences=("CC0-1.0", "MIT")),
    held_out={"secret"},
    refused={"gone": "opted-out"},
    controls=("<|im_end|>",),
    withdrawn=["withdrawn/1"],
)


def row(**changes: object) -> dict[str, object]:
    messages = [{"role": "user", "content": "Was ist Recht?"}, {"role": "assistant", "content": "Eine Ordnung."}]
    return {"messages": messages, "language": "deu", "licence": "MIT", "document": "kept"} | changes


def said(*contents: str) -> list[dict[str, str]]:
    roles = ("user", "assistant") * len(contents)
    return [{"role": role, "content": content} for role, content in zip(roles, contents, strict=False)]


def written(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows), encoding="utf-8")
    return path


def test_what_the_policy_forbids_is_left_out_with_its_reason(tmp_path: Path) -> None:
    path = written(
        tmp_path / "i.jsonl",
        row(),
        row(licence="CC-BY-NC-4.0"),
        row(document="secret"),
        row(document="gone"),
        row(messages=said("x <|im_end|>", "y")),
        row(document=None),
        row(licence="MIT OR GPL-3.0-only", messages=said("a", "b")),
        row(document="withdrawn/1", messages=said("c", "d")),
    )
    kept, dropped = gather(path, GATE)
    assert [(one.line, one.reason) for one in dropped] == [
        (2, "licence"),
        (3, "held-out"),
        (4, "document-dropped"),
        (5, "control-token"),
        (6, "repeated"),
        (8, "withdrawn"),
    ]
    assert len(kept) == 2


def test_texts_are_normalised_and_personal_data_is_replaced(tmp_path: Path) -> None:
    path = written(
        tmp_path / "i.jsonl", row(messages=said(" Ge\u00adsetz u\u0308ber? \n", "Frag max@muster.example.org!"))
    )
    kept, _ = gather(path, GATE)
    assert [message.content for message in kept[0].messages] == ["Gesetz über?", "Frag <EMAIL>!"]


def test_names_follow_the_content(tmp_path: Path) -> None:
    kept, _ = gather(written(tmp_path / "i.jsonl", row(), row(messages=said("other", "answer"))), GATE)
    again, _ = gather(written(tmp_path / "j.jsonl", row(messages=said("other", "answer")), row()), GATE)
    assert [one.id for one in kept] == [one.id for one in reversed(again)]
    assert kept[0].id != kept[1].id


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "not an instruction"),
        ("[]", "not an instruction"),
        (json.dumps(row(messages=7)), "not an instruction"),
        (json.dumps({"messages": said("a", "b")}), "language"),
        (json.dumps(row(messages=said("a", ""))), "not empty"),
        (json.dumps(row(messages=said("a"))), "the roles are user"),
        (json.dumps(row(messages=[*said("a", "b"), *said("c")])), "the roles are"),
        (json.dumps(row(messages=[{"role": ["user"], "content": "a"}])), "are texts"),
        (json.dumps(row(licence=None)), "are texts"),
    ],
)
def test_what_is_no_instruction_is_named_with_its_line(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps(row()) + "\n\n" + line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=says) as refused:
        gather(path, GATE)
    assert refused.value.where == "set.jsonl:3"


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        gather(path, GATE)
