import json
from pathlib import Path

import pytest

from freehold.cli import ask
from freehold.errors import InputError


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A release as far as a question about its text looks at it."""
    steps = tmp_path / "release" / "evidence" / "steps"
    steps.mkdir(parents=True)
    statement = {"subject": [{"digest": {"sha256": "ab" * 32}}], "predicate": {"stage": "tokenize"}}
    (steps / "tokenize.intoto.json").write_text(json.dumps(statement))
    policy = steps.parent / "policy.json"
    policy.write_text(json.dumps({"format": 1, "threshold": 1, "parties": {"stadt-musterhausen": "00" * 32}}))
    return tmp_path / "release"


def test_a_release_without_its_workspace_says_who_can_answer(release: Path) -> None:
    with pytest.raises(InputError, match=r"no training text: who published it .stadt-musterhausen. can answer"):
        ask.trace(release, text="Die Würde des Menschen")


def test_a_workspace_of_something_else_says_so_too(release: Path, tmp_path: Path) -> None:
    (tmp_path / "workspace.json").write_text('{"format": 1}')
    with pytest.raises(InputError, match=r"holds no curate artifact of this release.*stadt-musterhausen"):
        ask.trace(release, text="Die Würde des Menschen", workspace=tmp_path)


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_an_empty_text_is_refused_before_anything_is_opened(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="the text is empty"):
        ask.trace(tmp_path / "nowhere", text=text)


def test_a_text_too_long_to_answer_at_once_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "long.txt"
    file.write_text("Wort " * 2_000_000)
    with pytest.raises(InputError, match="10,000,000 characters; at most 1,000,000"):
        ask.trace(tmp_path / "nowhere", file=file)


def test_a_text_is_given_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give the text once"):
        ask.trace(tmp_path, text="a", file=tmp_path / "b")
