"""The seam between routes and engines: an ask goes in, a stream of pieces comes out.

The embedded engine is the twin on one machine; servers that speak OpenAI's protocol can stand behind the same verbs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from freehold.errors import FreeholdError
from freehold.model.dialogue import Message
from freehold.model.generation import Piece, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """The model that answers, as clients are told."""

    name: str
    created: int  # seconds since 1970
    fingerprint: str | None  # digest of the weights, where the release names it
    context: int  # tokens
    chats: bool  # whether it has a chat template


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One answer that somebody wants: a request, whose prompt is `messages` where they are given."""

    request: Request
    messages: tuple[Message, ...] | None = None


class Stream(Protocol):
    """An answer under way."""

    prompt_tokens: int

    async def next(self) -> Piece:
        """The next piece; the last one has `finish` set. Raises what the engine met."""
        ...

    def cancel(self) -> None:
        """Stop working on it; harmless when it is over."""
        ...


class Generator(Protocol):
    """An engine."""

    served: Served

    async def generate(self, ask: Ask) -> Stream:
        """Begin an answer. Raises InputError if it cannot be given, Busy if too many wait."""
        ...

    def written(self, token: int) -> str:
        """A token as text for log-probabilities, control tokens by name."""
        ...

    def close(self) -> None:
        """End all work."""
        ...


class Busy(FreeholdError):
    """Too many answers are waiting; ask again later."""


class EngineFailed(FreeholdError):
    """The engine met something it did not foresee; the answer is lost."""
