"""What OpenAI clients send, checked at the border: unknown fields and settings we cannot keep are refused by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from freehold.errors import InputError
from freehold.model.dialogue import Message
from freehold.model.generation import Request

MAX_ANSWERS = 16  # of one call: prompts times n
MAX_ALTERNATIVES = 20
NEUTRAL: dict[str, tuple[Any, ...]] = {  # settings we do not have yet: accepted where they change nothing
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "response_format": ({"type": "text"},),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "modalities": (["text"],),
    "suffix": ("",),
    "best_of": (1,),
}
ABOUT_THE_CALL = {  # about billing, storing or routing: nothing they could change here
    "user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "parallel_tool_calls",
}  # fmt: skip


def listed(value: Any) -> Any:
    """A single string where a list may stand: ``listed("a") == ["a"]``."""
    return [value] if isinstance(value, str) else value


def as_parts(value: Any) -> Any:
    """Plain content as its one part."""
    return [{"type": "text", "text": value}] if isinstance(value, str) else value


def as_prompts(value: Any) -> list[str | tuple[int, ...]]:
    """A text, tokens, or a list of either; always as a list of prompts. Raises ValueError."""
    entries = [value] if isinstance(value, str) or (isinstance(value, list) and is_tokens(value)) else value
    if not isinstance(entries, list) or not all(isinstance(entry, str) or is_tokens(entry) for entry in entries):
        raise ValueError("should be a text, a list of token numbers, or a list of either")
    return [entry if isinstance(entry, str) else tuple(entry) for entry in entries]


def is_tokens(value: Any) -> bool:
    """Whether a value is a list of at least one token number."""
    return isinstance(value, list) and bool(value) and all(type(entry) is int and entry >= 0 for entry in value)


Stop = Annotated[str, Field(min_length=1, max_length=1000)]


class StreamOptions(BaseModel):
    """How to stream."""

    model_config = ConfigDict(extra="forbid", strict=True)
    include_usage: bool = False
    include_obfuscation: bool = False  # padding against traffic analysis; we add none


class Wanted(BaseModel):
    """Fields that both routes share."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    counted: ClassVar[str] = "max_tokens"
    model: str
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=-1)] | None = None  # as other servers have it: -1 and 0 mean all
    n: Annotated[int, Field(ge=1, le=MAX_ANSWERS)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stop: Annotated[list[Stop], Field(max_length=16), BeforeValidator(listed)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    @model_validator(mode="before")
    @classmethod
    def without_effect(cls, data: Any) -> Any:
        """Drop what would change nothing; name what we cannot do."""
        if not isinstance(data, dict):
            return data
        for name, neutral in NEUTRAL.items():
            if name in data and data[name] is not None and data[name] not in neutral:
                raise ValueError(f"{name} is not supported by this server")
        return {name: value for name, value in data.items() if name not in NEUTRAL and name not in ABOUT_THE_CALL}

    @property
    def answers(self) -> int:
        """How many answers to each prompt."""
        return self.n or 1

    @property
    def usage_in_stream(self) -> bool:
        """Whether the stream ends with the token counts."""
        return self.stream_options is not None and self.stream_options.include_usage

    def request(self, prompt: str | tuple[int, ...], *, place: int, limit: int | None, logprobs: int | None) -> Request:
        """What to generate for answer number `place`; a seed gives each answer its own."""
        return Request(
            prompt=prompt,
            max_tokens=limit,
            temperature=1.0 if self.temperature is None else self.temperature,
            top_p=1.0 if self.top_p is None else self.top_p,
            top_k=max(0, self.top_k or 0),
            seed=None if self.seed is None else self.seed + place,
            stop=tuple(self.stop or ()),
            logprobs=logprobs,
        )


class TextPart(BaseModel):
    """A part of a message's content."""

    model_config = ConfigDict(extra="forbid", strict=True)
    type: Literal["text"]
    text: str


class Turn(BaseModel):
    """One message."""

    model_config = ConfigDict(extra="forbid", strict=True)
    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[list[TextPart], BeforeValidator(as_parts)]
    name: str | None = None  # not shown to the model: its template has no place for it
    refusal: None = None  # clients send back the assistant's message as they got it

    @property
    def message(self) -> Message:
        """The message as the template reads it; a developer speaks for the system."""
        role = "system" if self.role == "developer" else self.role
        return Message(role=role, content="".join(part.text for part in self.content))


class ChatWanted(Wanted):
    """The body of /v1/chat/completions."""

    messages: Annotated[list[Turn], Field(min_length=1, max_length=1000)]
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=MAX_ALTERNATIVES)] | None = None

    @property
    def limit(self) -> int | None:
        """Tokens of the answer, under either of its names."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def alternatives(self) -> int | None:
        """Alternatives to report per token; None without log-probabilities. Raises InputError."""
        if self.top_logprobs and not self.logprobs:
            raise InputError("needs logprobs", where="top_logprobs", remedy="set logprobs to true")
        return (self.top_logprobs or 0) if self.logprobs else None


class TextWanted(Wanted):
    """The body of /v1/completions."""

    prompt: Annotated[list[str | tuple[int, ...]], BeforeValidator(as_prompts)]
    echo: bool | None = None
    logprobs: Annotated[int, Field(ge=0, le=MAX_ALTERNATIVES)] | None = None

    @property
    def limit(self) -> int:
        """Tokens of the answer; OpenAI's default."""
        return self.max_tokens or 16

    def prompts(self) -> Sequence[str | tuple[int, ...]]:
        """Every prompt. Raises InputError for too many answers in one call."""
        if (count := len(self.prompt) * self.answers) > MAX_ANSWERS:
            advice = f"ask for at most {MAX_ANSWERS} in one call"
            raise InputError(f"{count} answers", where="prompt", remedy=advice)
        if self.echo and self.logprobs is not None:
            raise InputError("is not supported together with logprobs", where="echo", remedy="leave out one of them")
        return self.prompt
