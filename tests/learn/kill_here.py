"""A nursery for runs that are killed: it imports torch once and forks a child for every life of a run.

`python kill_here.py FOLDER` prints JSON: how many kills at random moments there were, how many of them hit a save, at
which points of a save others were, and the runs that did not end with the bytes of one that nobody killed. With
`kernels` behind FOLDER the model is in bf16, of a shape that the native kernels take, and killed at random alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from corpus import VOCABULARY, write_shards

from freehold.learn import checkpoint, utilisation
from freehold.learn.course import follow
from freehold.learn.optimizer import Rates
from freehold.learn.phases import Curriculum
from freehold.learn.session import Session
from freehold.learn.shards import Shards
from freehold.learn.start import initialise
from freehold.model import native as kernels
from freehold.model.config import ModelConfig
from freehold.model.transformer import Transformer
from freehold.progress import Progress

KILLS, STEPS = 20, 12
NATIVE_KILLS, SIDE = 6, 32
SAVED = "step-00000006.tmp"  # the save of which every point is hit


def recipe(*, native: bool = False) -> dict[str, Any]:
    """Two phases, a checkpoint after every step. For native kernels windows are longer and without document masks."""
    if native:
        plain = recipe()
        phases = [{**phase, "sequence": 2 * phase["sequence"]} for phase in plain["phases"]]
        return {**plain, "phases": phases, "sequence": SIDE, "document_mask": False, "precision": "bf16"}
    shares = {"deu": 0.5, "jpn": 0.5}
    plain = {"shares": shares, "sources": [], "micro": 4, "rate": [1.0, 1.0], "model": {}}
    phases = [
        {**plain, "name": "main", "steps": 8, "sequence": 16, "samples": 8},
        {**plain, "name": "anneal", "steps": 4, "sequence": 32, "samples": 4, "rate": [1.0, 0.0]},
    ]
    shape = {"sequence": 16, "samples": 8, "micro": 4, "steps": STEPS, "phases": phases, "data": "d", "seed": 3}
    rates = {"rates": {"matrix": 0.02}, "warmup_steps": 0, "decay_share": 0.5, "precision": "fp32", "device": "cpu"}
    return {**shape, **rates, "goldfish": 10, "document_mask": True, "checkpoint_steps": 1, "dtype": "float32"}


def live(tokens: Path, folder: Path, *, native: bool = False) -> None:
    """Train to the end, from wherever a life before this one was cut off."""
    folder.mkdir(exist_ok=True)
    width = 2 * SIDE if native else 32
    model = Transformer(ModelConfig.from_depth(2, vocabulary=VOCABULARY, context=64, width=width, head_size=width // 2))
    initialise(model, seed=1)
    given = recipe(native=native)
    session = Session.of(model, rates=Rates(), precision=given["precision"], compiled=False)
    batches, progress = Curriculum(Shards.open(tokens), given), Progress(quiet=True)
    follow(session, batches=batches, recipe=given, stage="train", folder=folder, progress=progress)


def fork(life: Callable[[], None]) -> int:
    """A child that lives `life`; its process id."""
    child = os.fork()
    if child == 0:
        try:
            life()
            os._exit(0)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
    return child


def ended(child: int) -> None:
    """Wait for a child that nobody kills."""
    _, status = os.waitpid(child, 0)
    assert status == 0, f"the run ended with {status}"


def bytes_of(folder: Path) -> dict[str, str]:
    """Digests of everything a run leaves: its curve, and checkpoints that hold weights, moments and chain."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class Points:
    """The points before, after and (for writes) in the middle of every change that the save of SAVED makes on disk."""

    def __init__(self, log: Path, *, die: int = 0) -> None:
        """At point number `die` this process dies; 0: never. `log` holds the names of the points passed."""
        self.log, self.die, self.names, self.saving = log, die, list[str](), False
        self.watch(checkpoint, "save_file", written=1)
        self.watch(os, "fsync")
        self.watch(Path, "write_bytes", written=0)
        self.watch(Path, "replace")
        self.watch(Path, "unlink")
        self.watch(checkpoint, "sweep")

    def pass_by(self, name: str) -> None:
        """Note a point, or die at it."""
        if self.saving:
            self.names.append(name)
            self.log.write_text("\n".join(self.names))
            if len(self.names) == self.die:
                os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, owner: Any, name: str, *, written: int | None = None) -> None:
        """Put points around a function; `written` is the place of the path it writes to."""
        plain = getattr(owner, name)

        def watched(*parts: Any, **named: Any) -> Any:
            if name == "save_file":
                self.saving = Path(parts[1]).name == SAVED
            self.pass_by(f"before {name}")
            result = plain(*parts, **named)
            if written is not None and self.saving and parts[written] != self.log:
                whole = parts[written].read_bytes()
                os.truncate(parts[written], len(whole) // 2)
                self.pass_by(f"within {name}")
                parts[written].open("wb").write(whole)
            self.pass_by(f"after {name}")
            self.saving = self.saving and name != "sweep"
            return result

        setattr(owner, name, watched)


@contextmanager
def watched(called: set[str]) -> Iterator[None]:
    """Note the native kernels that are called meanwhile."""
    plain = kernels._call

    def noted(name: str, *arguments: Any) -> None:
        called.add(name)
        plain(name, *arguments)

    kernels._call = noted
    try:
        yield
    finally:
        kernels._call = plain


def killed_at_random(
    life: Callable[[Path], None], home: Path, *, kills: int, whole: dict[str, str], seconds: float
) -> dict[str, Any]:
    """Kill runs at random moments, let each come to its end, and compare."""
    draw, saving, wrong = random.Random(20261121), 0, list[int]()
    for number in range(kills):
        folder = home / f"random-{number}"
        child = fork(lambda folder=folder: life(folder))  # type: ignore[misc]
        time.sleep(draw.uniform(0.0, seconds))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        saving += bool(list(folder.glob("checkpoints/*.tmp")))
        ended(fork(lambda folder=folder: life(folder)))  # type: ignore[misc]
        if bytes_of(folder) != whole:
            wrong.append(number)
    return {"kills": kills, "during_a_save": saving, "wrong": wrong}


def killed_at_points(tokens: Path, home: Path, *, whole: dict[str, str]) -> dict[str, Any]:
    """Kill a run at each point of one save, let it come to its end, and compare."""
    log, wrong = home / "points.txt", list[str]()
    ended(fork(lambda: (Points(log), live(tokens, home / "points"))[0]))  # type: ignore[arg-type,return-value]
    names = log.read_text().split("\n")
    for number, name in enumerate(names, start=1):
        folder = home / f"point-{number}"
        child = fork(lambda: (Points(log, die=number), live(tokens, folder))[0])  # type: ignore[arg-type,return-value]  # noqa: B023
        _, status = os.waitpid(child, 0)
        assert os.WTERMSIG(status) == signal.SIGKILL, (name, status)
        ended(fork(lambda: live(tokens, folder)))  # noqa: B023
        if bytes_of(folder) != whole:
            wrong.append(name)
    return {"points": names, "wrong": wrong}


def main(home: Path, *, native: bool) -> None:
    """Run everything and print what was found."""
    torch.set_num_threads(1)
    utilisation.SECONDS, utilisation.PRODUCTS = 1e-4, ((64, 64, 64),) * 2  # nobody looks at the utilisation here
    tokens, called = write_shards(home / "tokens"), set[str]()
    life = partial(live, tokens, native=native)
    with watched(called):
        life(home / "first")  # what is imported on the way is there for every child
    begun = time.monotonic()
    ended(fork(lambda: life(home / "whole")))
    seconds, whole = time.monotonic() - begun, bytes_of(home / "whole")
    kills = NATIVE_KILLS if native else KILLS
    found: dict[str, Any] = {"kernels": sorted(called)}
    found["random"] = killed_at_random(life, home, kills=kills, whole=whole, seconds=seconds)
    if not native:
        found["points"] = killed_at_points(tokens, home, whole=whole)
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), native="kernels" in sys.argv[2:])
