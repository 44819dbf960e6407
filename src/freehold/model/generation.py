"""Generation: the embedded decoder, which answers several requests at once over the slots of one cache.

Answers of different lengths decode together (continuous batching, Orca, OSDI 2022, section 3.1): a request enters
as soon as a slot is free, and leaves it the moment it ends.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tokenizers import Tokenizer
from torch import Tensor

from freehold.errors import InputError
from freehold.model.language import Shape
from freehold.model.sampling import Scores, best, choose, logarithms, point
from freehold.model.slots import slots_of
from freehold.model.streaming import TextStream, control_tokens, token_bytes
from freehold.model.transformer import LanguageModel

Finish = Literal["stop", "length"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to continue, and how. Temperature 0 takes the best token each time."""

    prompt: str | tuple[int, ...]  # text is encoded as a document's beginning; tokens are taken as they are
    max_tokens: int | None = None  # None: until the context is full
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0  # 0: all
    seed: int | None = None  # None: another answer every time
    stop: tuple[str, ...] = ()
    logprobs: int | None = None  # how many alternatives to report per token; None: no log-probabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class Likelihood:
    """Log-probability (nats, at temperature 1) of a token and of the best alternatives."""

    token: int
    data: bytes
    logprob: float
    alternatives: tuple[tuple[int, bytes, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What one step added to an answer. Text may lag behind tokens: half characters and possible stops wait."""

    text: str
    tokens: tuple[int, ...] = ()
    logprobs: tuple[Likelihood, ...] = ()
    finish: Finish | None = None  # set on the last piece only


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A whole answer."""

    text: str
    tokens: tuple[int, ...]
    logprobs: tuple[Likelihood, ...]
    finish: Finish
    prompt_tokens: int


@dataclass(slots=True, kw_only=True, eq=False)
class Answer:
    """An answer under way; the decoder's own."""

    request: Request
    prompt: tuple[int, ...]
    limit: int  # tokens it may grow to
    seed: int
    stream: TextStream
    ends: frozenset[int]
    slot: int | None = None
    tokens: list[int] = field(default_factory=list)

    @property
    def cached(self) -> int:
        """Tokens whose keys and values its slot holds: all but the newest."""
        return len(self.prompt) + len(self.tokens) - 1


class Decoder:
    """Answers requests with one model. One thread at a time calls it; `prepare` alone may be called from any."""

    def __init__(
        self, model: LanguageModel, tokenizer: Tokenizer, *, slots: int = 8, ends: Iterable[int] | None = None
    ) -> None:
        """`ends` are the tokens that end an answer; by default the configuration's end and beginning of document."""
        config = model.config
        if slots < 1:
            raise InputError(f"{slots} slots", remedy="give at least one")
        if tokenizer.get_vocab_size() > config.vocab_size:
            sizes = f"the tokenizer has {tokenizer.get_vocab_size()} tokens, the model {config.vocab_size}"
            raise InputError(sizes, where="tokenizer.json", remedy="use the tokenizer the model was trained with")
        self.tokenizer = tokenizer
        self.config: Shape = config
        self.cache = slots_of(model, slots=slots)
        self.bytes = token_bytes(tokenizer)
        self.bytes += [b""] * (config.vocab_size - len(self.bytes))
        self.controls = control_tokens(tokenizer)
        self.longest = max(map(len, (*self.bytes, *self.controls)))  # bytes of text that one token can stand for
        chosen = (config.eos_id, config.bos_id) if ends is None else ends
        self.ends = frozenset(end for end in chosen if end is not None)
        self.free = list(range(slots))[::-1]
        self.waiting: deque[Answer] = deque()
        self.active: list[Answer] = []

    def generate(self, request: Request) -> Generator[Piece]:
        """Stream one answer; leaving the loop early frees its slot."""
        answer = self.prepare(request)
        self.add(answer)
        try:
            while True:
                for found, piece in self.step():
                    if found is answer:
                        yield piece
                        if piece.finish:
                            return
        finally:
            self.drop(answer)

    def complete(self, requests: Sequence[Request]) -> list[Completion]:
        """Answer all requests, as many at a time as there are slots; in the order of the requests."""
        answers = [self.prepare(request) for request in requests]
        pieces: dict[Answer, list[Piece]] = {answer: [] for answer in answers}
        for answer in answers:
            self.add(answer)
        under_way = set(answers)
        while under_way:
            for answer, piece in self.step():
                if answer in pieces:
                    pieces[answer].append(piece)
                    under_way -= {answer} if piece.finish else set()
        return [_joined(answer, pieces[answer]) for answer in answers]

    def prepare(self, request: Request) -> Answer:
        """Encode and check a request, from any thread. Raises InputError if it cannot be answered."""
        prompt = self.encode(request.prompt) if isinstance(request.prompt, str) else request.prompt
        return Answer(
            request=request,
            prompt=prompt,
            limit=self._limit(request, prompt),
            seed=secrets.randbits(63) if request.seed is None else request.seed,
            stream=TextStream(stops=request.stop),
            ends=self.ends | {self.controls[stop] for stop in request.stop if stop in self.controls},
        )

    def add(self, answer: Answer) -> None:
        """Queue a prepared answer; `step` begins it when a slot is free."""
        self.waiting.append(answer)

    def encode(self, text: str, *, whole: bool = False) -> tuple[int, ...]:
        """Tokens of a prompt, with the control tokens that the tokenizer itself adds unless the text is `whole`.

        Raises InputError for a text that cannot fit the context, without encoding it, or that is no Unicode.
        """
        try:
            size_bytes = len(text.encode())
        except UnicodeEncodeError:
            advice = "send valid Unicode"
            raise InputError("the prompt has half a surrogate pair", where="prompt", remedy=advice) from None
        if size_bytes > self.longest * self.config.context:
            raise self._too_long(f"at least {size_bytes // self.longest}")
        return tuple(self.tokenizer.encode(text, add_special_tokens=not whole).ids)

    def drop(self, answer: Answer) -> None:
        """Forget an answer, finished or not; its slot is free at once."""
        if answer in self.waiting:
            self.waiting.remove(answer)
        if answer in self.active:
            self.active.remove(answer)
        if answer.slot is not None:
            self.free.append(answer.slot)
            answer.slot = None

    def step(self) -> list[tuple[Answer, Piece]]:
        """Let waiting requests in, then add one token to every answer under way."""
        events: list[tuple[Answer, Piece]] = []
        while self.waiting and self.free:
            answer = self.waiting.popleft()
            answer.slot = self.free.pop()
            self.active.append(answer)
            events.append(self._extend(answer, self.cache.prefill(answer.slot, answer.prompt)))
        begun = {answer for answer, _ in events}
        events += self._decode([answer for answer in self.active if answer not in begun])
        for answer, piece in events:
            if piece.finish:
                self.drop(answer)
        return events

    def _decode(self, answers: list[Answer]) -> list[tuple[Answer, Piece]]:
        """One token more for each of `answers`."""
        if not answers:
            return []
        # A seeded answer is always computed with the full number of rows: see Slots.decode.
        seeded = any(answer.request.seed is not None for answer in answers)
        logits_RV = self.cache.decode(
            [answer.slot for answer in answers if answer.slot is not None],
            [answer.tokens[-1] for answer in answers],
            [answer.cached for answer in answers],
            rows=self.cache.count if seeded else len(answers),
        )
        return [self._extend(answer, logits_V) for answer, logits_V in zip(answers, logits_RV, strict=True)]

    def _extend(self, answer: Answer, logits: Tensor) -> tuple[Answer, Piece]:
        """Choose the answer's next token and say what it adds."""
        request, logits_V = answer.request, logits.cpu().numpy()
        at = point(answer.seed, len(answer.tokens)) if request.temperature > 0 else 0.0
        chosen = choose(logits_V, temperature=request.temperature, top_p=request.top_p, top_k=request.top_k, at=at)
        if chosen in answer.ends:
            return answer, Piece(text=answer.stream.finish(), finish="stop")
        answer.tokens.append(chosen)
        text = answer.stream.push(self.bytes[chosen])
        finish: Finish | None = "stop" if answer.stream.stopped else None
        if finish is None and len(answer.tokens) >= answer.limit:
            text, finish = text + answer.stream.finish(), "length"
            finish = "stop" if answer.stream.stopped else finish
        likelihood = () if request.logprobs is None else (self._likelihood(chosen, logits_V, request.logprobs),)
        return answer, Piece(text=text, tokens=(chosen,), logprobs=likelihood, finish=finish)

    def _likelihood(self, token: int, logits_V: Scores, alternatives: int) -> Likelihood:
        logprob_V = logarithms(logits_V)
        ranked = best(logprob_V, alternatives) if alternatives else ()
        return Likelihood(
            token=token,
            data=self.bytes[token],
            logprob=float(logprob_V[token]),
            alternatives=tuple((int(other), self.bytes[other], float(logprob_V[other])) for other in ranked),
        )

    def _limit(self, request: Request, prompt: tuple[int, ...]) -> int:
        """How many tokens the answer may have. Raises InputError for prompts the model cannot read."""
        if not prompt:
            raise InputError("the prompt is empty", where="prompt", remedy="give at least one token")
        if min(prompt) < 0 or max(prompt) >= self.config.vocab_size:
            known = f"tokens are numbered 0 to {self.config.vocab_size - 1}"
            raise InputError("the prompt has a token the model does not know", where="prompt", remedy=known)
        if len(prompt) >= self.config.context:
            raise self._too_long(str(len(prompt)))
        room = self.config.context - len(prompt)
        return room if request.max_tokens is None else max(1, min(room, request.max_tokens))

    def _too_long(self, tokens: str) -> PromptTooLong:
        advice = f"keep prompt and answer within the context of {self.config.context} tokens"
        return PromptTooLong(f"the prompt has {tokens} tokens", where="prompt", remedy=advice)


class PromptTooLong(InputError):
    """A prompt that leaves no room in the model's context."""


def _joined(answer: Answer, pieces: list[Piece]) -> Completion:
    """The pieces of a finished answer as one."""
    return Completion(
        text="".join(piece.text for piece in pieces),
        tokens=tuple(token for piece in pieces for token in piece.tokens),
        logprobs=tuple(likelihood for piece in pieces for likelihood in piece.logprobs),
        finish=pieces[-1].finish or "stop",
        prompt_tokens=len(answer.prompt),
    )
