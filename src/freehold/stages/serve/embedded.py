"""The embedded engine: one worker thread runs the decoder, every client reads its own stream."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import replace

from freehold.errors import InputError
from freehold.model.folder import Opened
from freehold.model.generation import Answer, Piece, Request
from freehold.stages.serve.generator import Ask, Busy, EngineFailed, Served

MAX_WAITING = 64  # answers beyond the slots
log = logging.getLogger(__name__)


class EmbeddedStream:
    """Pieces cross from the worker thread into the event loop of the client."""

    def __init__(self, engine: Embedded, answer: Answer) -> None:
        self.engine = engine
        self.answer = answer
        self.prompt_tokens = len(answer.prompt)
        self.loop = asyncio.get_running_loop()
        self.pieces: asyncio.Queue[Piece | EngineFailed] = asyncio.Queue()

    async def next(self) -> Piece:
        """The next piece. Raises EngineFailed."""
        piece = await self.pieces.get()
        if isinstance(piece, EngineFailed):
            raise piece
        return piece

    def cancel(self) -> None:
        """Free the slot before the next token."""
        self.engine.cancel(self)

    def put(self, piece: Piece | EngineFailed) -> None:
        """Called by the worker; a client whose loop has ended has left."""
        try:
            self.loop.call_soon_threadsafe(self.pieces.put_nowait, piece)
        except RuntimeError:
            self.cancel()


class Embedded:
    """Our own decoder as a Generator. The worker alone touches decoder state; clients leave it notes."""

    def __init__(self, opened: Opened, *, served: Served, max_waiting: int = MAX_WAITING) -> None:
        self.decoder, self.template, self.served = opened.decoder, opened.template, served
        self.max_waiting = max_waiting
        self.note = threading.Condition()  # guards the four below
        self.arriving: list[EmbeddedStream] = []
        self.leaving: list[EmbeddedStream] = []
        self.streams: dict[Answer, EmbeddedStream] = {}
        self.closed = False
        self.names = {token: name for name, token in self.decoder.controls.items()}
        self.decoder.complete([Request(prompt=(0,), max_tokens=2, temperature=0)])  # first use sets up the matrices
        self.worker = threading.Thread(target=self._work, name="decoder", daemon=True)
        self.worker.start()

    async def generate(self, ask: Ask) -> EmbeddedStream:
        """Queue an ask. Raises InputError or Busy."""
        answer = await asyncio.to_thread(self._prepare, ask)
        stream = EmbeddedStream(self, answer)
        with self.note:
            if self.closed:
                raise Busy("the server is closing", remedy="ask another one")
            if len(self.streams) + len(self.arriving) >= self.decoder.cache.count + self.max_waiting:
                raise Busy(f"{self.max_waiting} answers are waiting already", remedy="ask again in a moment")
            self.arriving.append(stream)
            self.note.notify()
        return stream

    def written(self, token: int) -> str:
        """Text of a token; bytes that are not whole characters as U+FFFD."""
        return self.names.get(token) or self.decoder.bytes[token].decode(errors="replace")

    def cancel(self, stream: EmbeddedStream) -> None:
        """Leave the worker a note that nobody reads this stream any more."""
        with self.note:
            self.leaving.append(stream)
            self.note.notify()

    def close(self) -> None:
        """Stop the worker after the token under way."""
        with self.note:
            self.closed = True
            self.note.notify()
        self.worker.join()

    def _prepare(self, ask: Ask) -> Answer:
        if ask.messages is None:
            return self.decoder.prepare(ask.request)
        if self.template is None:
            advice = "use /v1/completions"
            raise InputError("this model has no chat template", where="messages", remedy=advice)
        for message in ask.messages:
            if found := next((name for name in self.decoder.controls if name in message.content), None):
                advice = "remove it: control tokens mark whose turn it is"
                raise InputError(f"a message contains the control token {found}", where="messages", remedy=advice)
        prompt = self.decoder.encode(self.template.render(ask.messages, answer=True), whole=True)
        return self.decoder.prepare(replace(ask.request, prompt=prompt))

    def _work(self) -> None:
        while self._read_notes():
            try:
                events = self.decoder.step()
            except Exception as failure:
                log.exception("the decoder failed")
                self._abandon(EngineFailed(f"generation failed: {failure}"))
                continue
            with self.note:
                told = [(self.streams.get(answer), piece) for answer, piece in events]
                for answer, piece in events:
                    if piece.finish:
                        self.streams.pop(answer, None)
            for stream, piece in told:
                if stream is not None:
                    stream.put(piece)

    def _read_notes(self) -> bool:
        """Wait for work, let arrivals in and leavers out; False when the engine is closed."""
        with self.note:
            while not (self.closed or self.arriving or self.leaving or self.streams):
                self.note.wait()
            for stream in self.arriving:
                self.streams[stream.answer] = stream
                self.decoder.add(stream.answer)
            for stream in self.leaving:
                if self.streams.pop(stream.answer, None) is not None:
                    self.decoder.drop(stream.answer)
            self.arriving, self.leaving = [], []
            closed = self.closed
        if closed:
            self._abandon(EngineFailed("the server is closing"))
        return not closed

    def _abandon(self, failure: EngineFailed) -> None:
        """Tell every client that its answer is lost, and free all slots."""
        with self.note:
            lost, self.streams = self.streams, {}
        for answer, stream in lost.items():
            self.decoder.drop(answer)
            stream.put(failure)
