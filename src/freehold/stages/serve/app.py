"""The routes: OpenAI's verbs over any Generator, errors in OpenAI's form, and nothing computed for absent clients."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException

from freehold.errors import FreeholdError, InputError
from freehold.model.generation import Piece, PromptTooLong
from freehold.stages.serve.generator import Ask, Busy, Generator, Stream
from freehold.stages.serve.shapes import Answered, ChatShapes, Json, TextShapes, error, model_card
from freehold.stages.serve.wire import ChatWanted, TextWanted, Wanted

CLIENT_LEFT = 499  # nginx's number; nobody reads it


class UnknownModel(InputError):
    """A client asks for a model that is not served here."""


def create_app(generator: Generator) -> FastAPI:
    """The application that serves one model."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        generator.close()

    # No documentation pages: they would load scripts from elsewhere. The description itself stays: /openapi.json.
    app = FastAPI(title="Freehold", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.add_exception_handler(RequestValidationError, on_bad_body)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(FreeholdError, on_error)
    served = generator.served

    @app.get("/health")
    async def health() -> Json:
        """Ready to answer."""
        return {"status": "ok", "model": served.name}

    @app.get("/v1/models")
    async def models() -> Json:
        """The one model."""
        return {"object": "list", "data": [model_card(served)]}

    @app.get("/v1/models/{name:path}")
    async def model(name: str) -> Json:
        """The model by name."""
        known(generator, name)
        return model_card(served)

    @app.post("/v1/chat/completions", response_model=None)
    async def chat(wanted: ChatWanted, http: Request) -> Response:
        """Answer a dialogue."""
        known(generator, wanted.model)
        messages = tuple(turn.message for turn in wanted.messages)
        limit, logprobs = wanted.limit, wanted.alternatives
        asks = [
            Ask(request=wanted.request("", place=place, limit=limit, logprobs=logprobs), messages=messages)
            for place in range(wanted.answers)
        ]
        shapes = ChatShapes(served=served, call=uuid.uuid4().hex, created=int(time.time()), written=generator.written)
        return await answer(generator, asks, wanted, shapes=shapes, http=http)

    @app.post("/v1/completions", response_model=None)
    async def complete(wanted: TextWanted, http: Request) -> Response:
        """Continue one or more texts."""
        known(generator, wanted.model)
        prompts = [prompt for prompt in wanted.prompts() for _ in range(wanted.answers)]
        asks = [
            Ask(
                request=wanted.request(
                    prompt, place=place % wanted.answers, limit=wanted.limit, logprobs=wanted.logprobs
                )
            )
            for place, prompt in enumerate(prompts)
        ]
        shapes = TextShapes(
            served=served,
            call=uuid.uuid4().hex,
            created=int(time.time()),
            written=generator.written,
            echo=[spelled(generator, prompt) for prompt in prompts] if wanted.echo else (),
        )
        return await answer(generator, asks, wanted, shapes=shapes, http=http)

    return app


async def answer(
    generator: Generator, asks: Sequence[Ask], wanted: Wanted, *, shapes: ChatShapes | TextShapes, http: Request
) -> Response:
    """Begin all answers of a call, then stream them or wait for them."""
    streams = await begun(generator, asks)
    answers = [
        Answered(index=place, prompt_tokens=stream.prompt_tokens, shares_prompt=place % wanted.answers > 0)
        for place, stream in enumerate(streams)
    ]
    if wanted.stream:
        events = server_sent(streams, answers, shapes=shapes, with_usage=wanted.usage_in_stream)
        return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
    return await until_gone(http, collected(streams, answers, shapes=shapes))


async def begun(generator: Generator, asks: Sequence[Ask]) -> list[Stream]:
    """Every ask under way, or none: the first refusal cancels those before it."""
    streams: list[Stream] = []
    try:
        for ask in asks:
            streams.append(await generator.generate(ask))
    except BaseException:
        for stream in streams:
            stream.cancel()
        raise
    return streams


async def merged(streams: Sequence[Stream], answers: Sequence[Answered]) -> AsyncIterator[tuple[Answered, Piece]]:
    """Pieces of all answers as they come, added to their answer; leaving early cancels the rest."""
    under_way = {asyncio.ensure_future(stream.next()): place for place, stream in enumerate(streams)}
    try:
        while under_way:
            done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(done, key=lambda task: under_way[task]):
                place = under_way.pop(task)
                piece = task.result()
                answers[place].take(piece)
                if not piece.finish:
                    under_way[asyncio.ensure_future(streams[place].next())] = place
                yield answers[place], piece
    finally:
        for task in under_way:
            task.cancel()
        for stream in streams:
            stream.cancel()


async def collected(
    streams: Sequence[Stream], answers: Sequence[Answered], *, shapes: ChatShapes | TextShapes
) -> Response:
    """All answers as one body."""
    async for _ in merged(streams, answers):
        pass
    return JSONResponse(shapes.whole(answers))


async def server_sent(
    streams: Sequence[Stream], answers: Sequence[Answered], *, shapes: ChatShapes | TextShapes, with_usage: bool
) -> AsyncIterator[str]:
    """All answers as server-sent events, ended by [DONE]; a failure on the way becomes an event with the error."""
    extra = {"usage": None} if with_usage else {}

    def event(data: Json) -> str:
        # ASCII only: some clients split lines at U+2028 and U+0085 too.
        return f"data: {json.dumps({**extra, **data}, ensure_ascii=True, separators=(',', ':'))}\n\n"

    try:
        for given in answers:
            if opening := shapes.opening(given):
                yield event(opening)
        async for given, piece in merged(streams, answers):
            if chunk := shapes.chunk(given, piece):
                yield event(chunk)
            if piece.finish:
                yield event(shapes.closing(given))
        if with_usage:
            yield event(shapes.count(answers))
    except FreeholdError as failure:
        yield event(error(str(failure), kind="server_error"))
        return
    yield "data: [DONE]\n\n"


async def until_gone(http: Request, work: Coroutine[Any, Any, Response]) -> Response:
    """The result of `work`, which is given up when the client leaves."""
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(departure(http))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else Response(status_code=CLIENT_LEFT)
    finally:
        working.cancel()
        watching.cancel()


async def departure(http: Request) -> None:
    """Wait until the client has closed the connection."""
    while (await http.receive())["type"] != "http.disconnect":
        pass


def known(generator: Generator, name: str) -> None:
    """Raise UnknownModel unless `name` is the served model."""
    if name != generator.served.name:
        raise UnknownModel(f"no model is called {name!r}", where="model", remedy=f"use {generator.served.name!r}")


def spelled(generator: Generator, prompt: str | tuple[int, ...]) -> str:
    """A prompt as text."""
    return prompt if isinstance(prompt, str) else "".join(generator.written(token) for token in prompt)


async def on_bad_body(_http: Request, failure: Exception) -> Response:
    """A body that is not what the route takes: the first complaint, with its field."""
    assert isinstance(failure, RequestValidationError)
    first = failure.errors()[0]
    places = [str(part) for part in first["loc"] if part != "body"]
    param = ".".join(places) or None
    told = {"extra_forbidden": "is not known to this server", "missing": "is missing"}.get(first["type"], first["msg"])
    told = str(told).removeprefix("Value error, ")
    message = f"{param}: {told}" if param else told
    return JSONResponse(error(message, param=param), status_code=400)


async def on_http_error(_http: Request, failure: Exception) -> Response:
    """Unknown routes and verbs."""
    assert isinstance(failure, HTTPException)
    kind = "invalid_request_error" if failure.status_code < 500 else "server_error"
    return JSONResponse(error(str(failure.detail), kind=kind), status_code=failure.status_code, headers=failure.headers)


async def on_error(_http: Request, failure: Exception) -> Response:
    """Our own errors: the client's slip (400), an unknown model (404), a full queue (429), ours (500)."""
    assert isinstance(failure, FreeholdError)
    if isinstance(failure, Busy):
        body = error(str(failure), kind="rate_limit_error", code="queue_full")
        return JSONResponse(body, status_code=429, headers={"Retry-After": "1"})
    if not isinstance(failure, InputError):
        return JSONResponse(error(str(failure), kind="server_error"), status_code=500)
    code = "context_length_exceeded" if isinstance(failure, PromptTooLong) else None
    code = "model_not_found" if isinstance(failure, UnknownModel) else code
    return JSONResponse(
        error(str(failure), param=failure.where, code=code), status_code=404 if code == "model_not_found" else 400
    )
