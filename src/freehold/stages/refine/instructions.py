"""Instructions: dialogues that may be taught, and a reason for each that may not."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

from freehold.charter_tables import Policy
from freehold.errors import InputError
from freehold.model.dialogue import Message
from freehold.records import canonical_json
from freehold.text.normalise import normalise
from freehold.text.privacy import finder, redact
from freehold.text.rights import permits

ROLES = {"system": ("user",), "user": ("assistant",), "assistant": ("user",)}  # who may speak next


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """A dialogue that ends with the assistant."""

    messages: tuple[Message, ...]
    language: str  # ISO 639-3
    licence: str
    document: str | None  # id of the curated document it was made from

    @property
    def id(self) -> str:
        """Name by content, as the training chain records it."""
        said = [[message.role, message.content] for message in self.messages]
        return f"instruction:{sha256(canonical_json(said)).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """An instruction that is not taught, never with its text."""

    line: int
    reason: str
    detail: str


def read_instructions(path: Path) -> Iterator[tuple[int, Instruction]]:
    """Line numbers and instructions of a JSON Lines file. Raises InputError with the line for what is not one."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, parsed(line, where=f"{path.name}:{number}")
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8: {error.reason}", where=path.name, remedy="save the file as UTF-8") from None


def parsed(line: str, *, where: str) -> Instruction:
    """One line: {"messages": [{"role", "content"}, …], "language", "licence", "document"?}. Raises InputError."""
    try:
        row = json.loads(line)
        messages = tuple(Message(role=turn["role"], content=turn["content"]) for turn in row["messages"])
        found = Instruction(
            messages=messages, language=row["language"], licence=row["licence"], document=row.get("document")
        )
    except (ValueError, KeyError, TypeError) as error:
        advice = 'a line is {"messages": [{"role": …, "content": …}], "language": …, "licence": …}'
        raise InputError(f"not an instruction: {error!r}", where=where, remedy=advice) from None
    texts: list[Any] = [
        found.language,
        found.licence,
        *(text for turn in messages for text in (turn.role, turn.content)),
    ]
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise InputError("language, licence, every role and every content are texts that are not empty", where=where)
    speakers = [message.role for message in messages]
    follows = all(after in ROLES.get(before, ()) for before, after in pairwise(speakers))
    if not follows or speakers[:1] not in (["system"], ["user"]) or speakers[-1] != "assistant":
        advice = "let user and assistant take turns, a system message at most first, the assistant last"
        raise InputError(f"the roles are {', '.join(map(str, speakers))}", where=where, remedy=advice)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What an instruction must pass before anything learns from it."""

    policy: Policy
    held_out: Collection[str]  # ids of documents kept for evaluation
    refused: Mapping[str, str]  # id of a document that curate dropped → its reason
    controls: Collection[str]  # written forms of control tokens
    withdrawn: Collection[str] = ()  # ids of documents that no weight may depend on

    def admit(self, found: Instruction) -> Instruction | tuple[str, str]:
        """The instruction as it is taught (normalised, personal data replaced), or (reason, detail) against it."""
        if not permits(found.licence, allowed=self.policy.licences):
            return "licence", found.licence
        if found.document in self.held_out:
            return "held-out", found.document or ""
        if reason := self.refused.get(found.document or ""):
            return "document-dropped", f"{found.document}: {reason}"
        if found.document in self.withdrawn:
            return "withdrawn", found.document or ""
        if named := next((name for name in self.controls for m in found.messages if name in m.content), None):
            return "control-token", named
        messages = tuple(
            Message(role=message.role, content=self.cleaned(message.content, found.language))
            for message in found.messages
        )
        return Instruction(messages=messages, language=found.language, licence=found.licence, document=found.document)

    def cleaned(self, text: str, language: str) -> str:
        """A content as curate would leave it."""
        names = finder(self.policy.names) if self.policy.names else None
        return redact(normalise(text).strip(), rules=self.policy.redact, language=language, names=names).text


def gather(path: Path, gate: Gate) -> tuple[list[Instruction], list[Dropped]]:
    """Everything that may be taught, and everything that may not with its reason; a repeated one is dropped."""
    kept: dict[str, Instruction] = {}
    dropped = []
    for line, found in read_instructions(path):
        verdict = gate.admit(found)
        if isinstance(verdict, tuple):
            dropped.append(Dropped(line=line, reason=verdict[0], detail=verdict[1]))
        elif verdict.id in kept:
            dropped.append(Dropped(line=line, reason="repeated", detail=verdict.id))
        else:
            kept[verdict.id] = verdict
    return list(kept.values()), dropped
