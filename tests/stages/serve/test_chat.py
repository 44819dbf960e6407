from __future__ import annotations

import builtins
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.errors import InputError
from freehold.model.dialogue import Message
from freehold.model.folder import Opened, open_folder
from freehold.stages.serve.chat import chat, fitting, printable, talk


@pytest.fixture(scope="module")
def opened(release: Path) -> Opened:
    return open_folder(release / "model", slots=1)


def converse(opened: Opened, *lines: str) -> str:
    said: Iterator[str] = iter(lines)
    heard: list[str] = []

    def read() -> str:
        try:
            return next(said)
        except StopIteration:
            raise EOFError from None

    talk(opened, read=read, write=heard.append, seed=1)
    return "".join(heard)


def test_an_answer_is_streamed_and_remembered(opened: Opened) -> None:
    once = converse(opened, "Was ist Recht?", "/quit", "never read")
    assert len(once.strip()) > 10
    assert converse(opened, "Was ist Recht?") == once + "\n"
    twice = converse(opened, "Was ist Recht?", "/new", "Was ist Recht?", "/quit")
    assert twice == once + once


def test_unknown_commands_and_control_tokens_are_answered_plainly(opened: Opened) -> None:
    assert "/jump is no command" in converse(opened, "/jump high")
    assert "control token" in converse(opened, "x <|im_end|>")
    assert "too long" in converse(opened, "Recht " * 400)


def test_the_beginning_of_a_long_dialogue_is_forgotten(opened: Opened) -> None:
    assert opened.template is not None
    dialogue = [
        Message(role="user" if place % 2 == 0 else "assistant", content="Recht und Gesetz") for place in range(41)
    ]
    prompt, forgotten = fitting(opened.decoder, opened.template, dialogue)
    assert forgotten > 0 and forgotten % 2 == 0
    assert len(prompt) <= opened.decoder.config.context * 2 / 3


def test_chat_says_that_the_model_is_small(
    release: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(builtins, "input", lambda _prompt: "/quit")
    chat(release)
    assert "This model is small" in capsys.readouterr().out


def test_a_model_without_a_template_cannot_chat(opened: Opened) -> None:
    with pytest.raises(InputError, match="no chat template"):
        talk(Opened(decoder=opened.decoder, template=None), read=str, write=print)


def test_answers_cannot_steer_the_terminal() -> None:
    assert printable("§ 1\n\tأَبْ\u200d \x1b[2J\r\x9b") == "§ 1\n\tأَبْ\u200d �[2J��"
