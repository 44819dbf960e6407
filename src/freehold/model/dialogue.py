"""Dialogue: messages become the text the model was taught, by the chat template of its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from freehold.errors import InputError

TOKENS = ("bos_token", "eos_token", "pad_token", "unk_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a dialogue."""

    role: str  # system, user or assistant
    content: str


class ChatTemplate:
    """A Jinja chat template as Hugging Face folders carry it; sandboxed, for it comes with the model.

    >>> template = ChatTemplate("{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}")
    >>> template.render([Message(role="user", content="Hello")])
    '<user>Hello'
    """

    def __init__(self, source: str, *, tokens: Mapping[str, str] | None = None, where: str = "chat template") -> None:
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, autoescape=False)
        environment.globals["raise_exception"] = _refuse
        environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
        self.tokens = dict(tokens or {})
        self.where = where
        try:
            self.template = environment.from_string(source)
        except TemplateError as error:
            raise InputError(f"not a valid template: {error}", where=where, remedy="mend the template") from None

    @classmethod
    def of_folder(cls, folder: Path) -> ChatTemplate | None:
        """The template of a model folder: chat_template.jinja, or the entry in tokenizer_config.json; None without."""
        settings = tokenizer_settings(folder)
        file = folder / "chat_template.jinja"
        source = file.read_text(encoding="utf-8") if file.is_file() else settings.get("chat_template")
        if not isinstance(source, str):
            return None
        return cls(source, tokens=_written(settings), where=str(file if file.is_file() else folder))

    def render(self, messages: Sequence[Message], *, answer: bool = False) -> str:
        """The dialogue as text; with `answer`, up to where the assistant's next turn begins. Raises InputError."""
        turns = [{"role": message.role, "content": message.content} for message in messages]
        try:
            return self.template.render(messages=turns, add_generation_prompt=answer, **self.tokens)
        except Exception as error:  # the template is a stranger's program: whatever it raises, it refused
            advice = "send the messages that this model's template allows"
            raise InputError(f"the template refused the messages: {error}", where="messages", remedy=advice) from None


def tokenizer_settings(folder: Path) -> dict[str, Any]:
    """tokenizer_config.json of a model folder; empty without one. Raises InputError if it is not JSON."""
    path = folder / "tokenizer_config.json"
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"not JSON: {error}", where=str(path), remedy="give a complete model folder") from None
    return found if isinstance(found, dict) else {}


def _written(settings: Mapping[str, Any]) -> dict[str, str]:
    """Control tokens that templates name, as text; the file holds them plainly or as {"content": …}."""
    found = {name: settings.get(name) for name in TOKENS}
    plain = {name: value.get("content") if isinstance(value, dict) else value for name, value in found.items()}
    return {name: value for name, value in plain.items() if isinstance(value, str)}


def _refuse(message: str) -> str:
    raise TemplateError(message)
