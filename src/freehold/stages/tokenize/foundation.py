"""The tokenizer of an open model that training goes on from, as it is or extended for the charter's languages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from tokenizers import Tokenizer

from freehold import charter as charters
from freehold.errors import InputError
from freehold.model.base import BaseModel
from freehold.model.streaming import token_bytes
from freehold.stage import Stage
from freehold.stages.tokenize.extension import extend
from freehold.stages.tokenize.scheme import Scheme
from freehold.store.atomic import place

FORMAT = 1

# For a base that was never taught to chat: roles in plain words, turns ended by the token that ends its texts.
PLAIN_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ message['role'] + ':\\n' + message['content'] + eos_token + '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'assistant:\\n' }}{% endif %}"
)


def take(stage: Stage, sampled: Callable[[int], Iterator[str]]) -> tuple[Scheme, Scheme]:
    """The base's tokenizer with new tokens, and as it came; its companion files go along.

    Raises InputError when the sample gives fewer new tokens than the charter asks for.
    """
    charter = stage.charter
    assert charter.base is not None
    base, wanted = BaseModel.inspect(charter.base_folder), charter.base.new_tokens
    original = base.folder / "tokenizer.json"
    token_bytes(Tokenizer.from_file(str(original)), where=str(original))  # refuses what evaluate could not judge
    path, table = stage.output / "tokenizer.json", stage.scratch / "pieces.json"
    if not (path.exists() and table.exists()):
        data, pieces = original.read_bytes(), dict[int, list[int]]()
        if wanted:
            with stage.progress.task("new tokens", total=wanted, unit="tokens") as task:
                found = extend(base.tokenizer, sampled(wanted), count=wanted, task=task, where=str(original))
            data, pieces = found.tokenizer, found.pieces
        if len(pieces) < wanted:
            raise InputError(
                f"{wanted} new tokens are more than the data supports: it gives {len(pieces)}",
                where=charters.where(charter.path, ("base", "new_tokens")),
                remedy=f"set it to at most {len(pieces)}, raise sample_bytes or add documents",
            )
        place(table, json.dumps(pieces).encode(), scratch=stage.scratch)
        place(path, data, scratch=stage.scratch)
    companions(stage, base)
    pieces = {int(number): parts for number, parts in json.loads(table.read_bytes()).items()}
    return Scheme.of_base(base, path, pieces=pieces), Scheme.of_base(base, original, pieces={})


def companions(stage: Stage, base: BaseModel) -> None:
    """tokenizer_config.json, special_tokens_map.json and the chat template, from the base where it has them."""
    if (marks := base.folder / "special_tokens_map.json").is_file():
        stage.put(marks.name, marks.read_bytes())
    if base.settings:
        stage.put("tokenizer_config.json", (base.folder / "tokenizer_config.json").read_bytes())
    else:
        names = {token["id"]: token["content"] for token in base.tokenizer.get("added_tokens", [])}
        roles = {"bos_token": base.bos, "eos_token": base.eos, "pad_token": base.pad}
        written = {role: names[number] for role, number in roles.items() if number in names}
        settings = {"tokenizer_class": "PreTrainedTokenizerFast", **written}
        stage.put("tokenizer_config.json", json.dumps(settings, indent=2).encode() + b"\n")
    stage.put("chat_template.jinja", template_of(base).encode())


def template_of(base: BaseModel) -> str:
    """The base's chat template: a file of its own, an entry of its settings (the default of several), or ours."""
    if (path := base.folder / "chat_template.jinja").is_file():
        return path.read_text(encoding="utf-8")
    found = base.settings.get("chat_template")
    if isinstance(found, list):
        found = next((entry["template"] for entry in found if entry["name"] == "default"), None)
    return found if isinstance(found, str) else PLAIN_TEMPLATE


def account(scheme: Scheme) -> dict[str, Any]:
    """extension.json: the rows that a model needs, and for every new token the base's tokens it stands for."""
    return {"format": FORMAT, "rows": scheme.rows, "pieces": {str(number): p for number, p in scheme.pieces.items()}}


def compared(before: Scheme, after: Scheme, costs: dict[str, Any], served: dict[str, Any]) -> dict[str, Any]:
    """What the new tokens bought: tokens per word (or character) and per byte, on the same text."""
    rows = {
        code: {
            "unit": row["unit"],
            "fertility_before": costs["languages"][code]["fertility"],
            "fertility_after": row["fertility"],
            "tokens_per_byte_before": round(costs["languages"][code]["tokens"] / row["bytes"], 4),
            "tokens_per_byte_after": round(row["tokens"] / row["bytes"], 4),
        }
        for code, row in served["languages"].items()
    }
    return {"new_tokens": len(after.pieces), "rows_before": before.rows, "rows": after.rows, "fertility": rows}
