"""Parsers for hostile files, in a process of their own that the kernel ends when it takes too much.

The process is started once, does one job after another, and knows three limits it cannot lift (setrlimit(2),
setitimer(2)): memory, CPU seconds per job, and not a byte written to a file. What it answers is JSON, never pickled
objects. If it dies the caller gets a `Fault`, the next job a new process.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import struct
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any, BinaryIO, Final

from freehold.errors import FreeholdError
from freehold.plugins import part

SECONDS: Final = 60  # of CPU for one file; the largest page let in takes a quarter of it
MEMORY: Final = 3 << 29  # bytes of address space, 1.5 GiB
ANSWER: Final = 1 << 28  # bytes
LENGTH: Final = struct.Struct(">Q")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What a job died of."""

    reason: str  # parser-time, parser-memory or parser-crash
    detail: str


class Confined:
    """One process that does one kind of work, started when first asked."""

    def __init__(self, entry: str, *, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self.entry, self.seconds, self.memory = entry, seconds, memory
        self.process: subprocess.Popen[bytes] | None = None

    def ask(self, data: bytes) -> Any:
        """What the work answers for `data`, as JSON values, or a `Fault`. Raises FreeholdError if it cannot start."""
        process = self.process or self.start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(LENGTH.pack(len(data)))
            process.stdin.write(data)
            process.stdin.flush()
            answer = receive(process.stdout, limit=ANSWER)
        except BrokenPipeError:
            answer = None
        return self.post_mortem() if answer is None else understood(json.loads(answer))

    def start(self) -> subprocess.Popen[bytes]:
        """A new process; it ends when this one does, because its input ends."""
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", __name__, self.entry, str(self.seconds), str(self.memory)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        if receive(self.process.stdout, limit=ANSWER) is None:
            self.post_mortem()
            raise FreeholdError(f"the parser {self.entry} does not start", remedy="pip install 'freehold[curate]'")
        return self.process

    def post_mortem(self) -> Fault:
        """Why the process died, or answered nothing that can be held; the next job finds a new one."""
        process, self.process = self.process, None
        assert process is not None
        for pipe in (process.stdin, process.stdout):
            try:
                if pipe is not None:
                    pipe.close()
            except BrokenPipeError:
                pass  # what could not be written is not needed any more
        code = process.wait()
        if code == -signal.SIGPROF:
            return Fault(reason="parser-time", detail=f"more than {self.seconds:g} s of CPU")
        return Fault(reason="parser-crash", detail=f"its process ended with {code}")


def understood(answer: Any) -> Any:
    """The answer, or the fault that it is."""
    return Fault(**answer["fault"]) if isinstance(answer, dict) and "fault" in answer else answer


def receive(stream: Any, *, limit: int) -> bytes | None:
    """One message; None where the stream ends or the message is longer than `limit`."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack(head)
    if size > limit:
        return None
    data: bytes = stream.read(size)
    return data if len(data) == size else None


@cache
def confined(entry: str) -> Confined:
    """This process's parser of one kind; `entry` names a function from bytes to JSON values."""
    return Confined(entry)


def serve(entry: str, *, seconds: float, memory: int) -> None:
    """The confined side: do one job after another until the input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    work = part(entry)
    done(work, b"")  # what it imports is not counted as a file's time, and may need files
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # ends the process also inside C code
    send(answers, b"ready")
    while (data := receive(sys.stdin.buffer, limit=1 << 62)) is not None:
        signal.setitimer(signal.ITIMER_PROF, seconds)
        answer = json.dumps(done(work, data)).encode()
        signal.setitimer(signal.ITIMER_PROF, 0)
        send(answers, answer)


def done(work: Any, data: bytes) -> Any:
    """What the work gives, or its fault."""
    try:
        return work(data)
    except MemoryError:
        return {"fault": {"reason": "parser-memory", "detail": "more memory than one file may take"}}
    except Exception as error:  # hostile files find exceptions nobody listed; one file is counted, the run goes on
        return {"fault": {"reason": "parser-crash", "detail": type(error).__name__}}


def send(stream: BinaryIO, data: bytes) -> None:
    """One message."""
    stream.write(LENGTH.pack(len(data)) + data)
    stream.flush()


if __name__ == "__main__":
    serve(sys.argv[1], seconds=float(sys.argv[2]), memory=int(sys.argv[3]))
