from __future__ import annotations

from pathlib import Path

import pytest
import transformers

from freehold.errors import InputError
from freehold.model.dialogue import ChatTemplate, Message
from tiny_model import tiny_folder

DIALOGUE = (
    Message(role="system", content="Antworte knapp."),
    Message(role="user", content='Was ist <b>Recht</b>?\nUnd "Gesetz"?'),
    Message(role="assistant", content="Eine Ordnung."),
    Message(role="user", content="日本国憲法"),
)


def test_text_is_that_of_transformers(tmp_path: Path) -> None:
    template = ChatTemplate.of_folder(tiny_folder(tmp_path))
    assert template is not None
    reference = transformers.AutoTokenizer.from_pretrained(tmp_path)
    turns = [{"role": message.role, "content": message.content} for message in DIALOGUE]
    for answer in (True, False):
        expected = reference.apply_chat_template(turns, tokenize=False, add_generation_prompt=answer)
        assert template.render(DIALOGUE, answer=answer) == expected


def test_a_template_in_the_settings_and_tokens_in_either_form(tmp_path: Path) -> None:
    assert ChatTemplate.of_folder(tmp_path) is None
    (tmp_path / "tokenizer_config.json").write_text(
        '{"chat_template": "{{ bos_token }}{{ eos_token }}", "bos_token": {"content": "<s>"}, "eos_token": "</s>"}'
    )
    template = ChatTemplate.of_folder(tmp_path)
    assert template is not None
    assert template.render(DIALOGUE) == "<s></s>"


@pytest.mark.parametrize(
    "source",
    ["{{ raise_exception('no system') }}", "{{ messages.append(1) }}", "{{ ''.__class__.__mro__ }}", "{{ 1 / 0 }}"],
)
def test_a_template_that_refuses_or_misbehaves_is_named(source: str) -> None:
    with pytest.raises(InputError, match="template"):
        ChatTemplate(source).render(DIALOGUE)


def test_a_broken_template_is_named() -> None:
    with pytest.raises(InputError, match="not a valid template"):
        ChatTemplate("{% for %}")
