"""What OpenAI clients expect back: the JSON of answers, chunks, models and errors. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from freehold.model.generation import Likelihood, Piece
from freehold.stages.serve.generator import Served

Written = Callable[[int], str]  # a token as text
Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Answered:
    """One answer as far as it has come."""

    index: int
    prompt_tokens: int
    shares_prompt: bool = False  # with an earlier answer: a prompt is counted once
    text: str = ""
    tokens: int = 0
    likelihoods: list[Likelihood] = field(default_factory=list)
    finish: str | None = None

    def take(self, piece: Piece) -> None:
        """Add a piece."""
        self.text += piece.text
        self.tokens += len(piece.tokens)
        self.likelihoods += piece.logprobs
        self.finish = piece.finish or self.finish


def usage(answers: Iterable[Answered]) -> Json:
    """Token counts of a call."""
    given = list(answers)
    prompt = sum(answer.prompt_tokens for answer in given if not answer.shares_prompt)
    completion = sum(answer.tokens for answer in given)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


class ChatShapes:
    """chat.completion and chat.completion.chunk."""

    def __init__(self, *, served: Served, call: str, created: int, written: Written) -> None:
        self.served, self.call, self.created, self.written = served, f"chatcmpl-{call}", created, written

    def whole(self, answers: Sequence[Answered]) -> Json:
        """The body of a call that does not stream."""
        choices = [
            {
                "index": answer.index,
                "message": {"role": "assistant", "content": answer.text, "refusal": None},
                "logprobs": self._logprobs(answer.likelihoods),
                "finish_reason": answer.finish,
            }
            for answer in answers
        ]
        return {**self._head("chat.completion"), "choices": choices, "usage": usage(answers)}

    def opening(self, answer: Answered) -> Json:
        """The first chunk of an answer says who speaks."""
        return self._chunk(answer.index, {"role": "assistant", "content": ""})

    def chunk(self, answer: Answered, piece: Piece) -> Json | None:
        """What a piece adds; None if a client would see nothing new."""
        if not (piece.text or piece.logprobs):
            return None
        return self._chunk(answer.index, {"content": piece.text}, logprobs=self._logprobs(piece.logprobs))

    def closing(self, answer: Answered) -> Json:
        """The last chunk of an answer says why it ended."""
        return self._chunk(answer.index, {}, finish=answer.finish)

    def count(self, answers: Sequence[Answered]) -> Json:
        """The chunk with the token counts."""
        return {**self._head("chat.completion.chunk"), "choices": [], "usage": usage(answers)}

    def _head(self, kind: str) -> Json:
        return head(self.served, call=self.call, created=self.created, kind=kind)

    def _chunk(self, index: int, delta: Json, *, logprobs: Json | None = None, finish: str | None = None) -> Json:
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return {**self._head("chat.completion.chunk"), "choices": [choice]}

    def _logprobs(self, likelihoods: Sequence[Likelihood]) -> Json | None:
        if not likelihoods:
            return None
        entries = []
        for one in likelihoods:
            alternatives = [self._entry(*alternative) for alternative in one.alternatives]
            entries.append({**self._entry(one.token, one.data, one.logprob), "top_logprobs": alternatives})
        return {"content": entries, "refusal": None}

    def _entry(self, token: int, data: bytes, logprob: float) -> Json:
        return {"token": self.written(token), "logprob": logprob, "bytes": list(data)}


class TextShapes:
    """text_completion, streamed or whole."""

    def __init__(self, *, served: Served, call: str, created: int, written: Written, echo: Sequence[str] = ()) -> None:
        """`echo`: by answer index, the prompt to put before the text."""
        self.served, self.call, self.created, self.written = served, f"cmpl-{call}", created, written
        self.echo = echo

    def whole(self, answers: Sequence[Answered]) -> Json:
        """The body of a call that does not stream."""
        choices = [
            self._choice(answer.index, self._before(answer) + answer.text, answer.likelihoods, answer.finish, offset=0)
            for answer in answers
        ]
        return {**self._head(), "choices": choices, "usage": usage(answers)}

    def opening(self, answer: Answered) -> Json | None:
        """The echoed prompt, if there is one."""
        before = self._before(answer)
        return {**self._head(), "choices": [self._choice(answer.index, before, (), None)]} if before else None

    def chunk(self, answer: Answered, piece: Piece) -> Json | None:
        """What a piece adds; None if a client would see nothing new. `answer` holds the piece already."""
        if not (piece.text or piece.logprobs):
            return None
        offset = len(answer.text) - len(piece.text)
        return {
            **self._head(),
            "choices": [self._choice(answer.index, piece.text, piece.logprobs, None, offset=offset)],
        }

    def closing(self, answer: Answered) -> Json:
        """The last chunk of an answer says why it ended."""
        return {**self._head(), "choices": [self._choice(answer.index, "", (), answer.finish)]}

    def count(self, answers: Sequence[Answered]) -> Json:
        """The chunk with the token counts."""
        return {**self._head(), "choices": [], "usage": usage(answers)}

    def _head(self) -> Json:
        return head(self.served, call=self.call, created=self.created, kind="text_completion")

    def _before(self, answer: Answered) -> str:
        return self.echo[answer.index] if self.echo else ""

    def _choice(
        self, index: int, text: str, likelihoods: Sequence[Likelihood], finish: str | None, *, offset: int = 0
    ) -> Json:
        logprobs = self._logprobs(likelihoods, offset=offset) if likelihoods else None
        return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": finish}

    def _logprobs(self, likelihoods: Sequence[Likelihood], *, offset: int) -> Json:
        """Parallel lists; offsets count characters of the tokens' own text."""
        texts = [self.written(one.token) for one in likelihoods]
        places = [offset + sum(map(len, texts[:place])) for place in range(len(texts))]
        return {
            "tokens": texts,
            "token_logprobs": [one.logprob for one in likelihoods],
            "top_logprobs": [
                {self.written(token): logprob for token, _, logprob in reversed(one.alternatives)} or None
                for one in likelihoods
            ],
            "text_offset": places,
        }


def head(served: Served, *, call: str, created: int, kind: str) -> Json:
    """The fields that every answer and chunk begins with."""
    return {
        "id": call,
        "object": kind,
        "created": created,
        "model": served.name,
        "system_fingerprint": served.fingerprint,
    }


def model_card(served: Served) -> Json:
    """An entry of /v1/models; `context_length` and `chat` are ours."""
    return {
        "id": served.name,
        "object": "model",
        "created": served.created,
        "owned_by": "freehold",
        "context_length": served.context,
        "chat": served.chats,
    }


def error(
    message: str, *, kind: str = "invalid_request_error", param: str | None = None, code: str | None = None
) -> Json:
    """An error in OpenAI's form."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}
