"""How far a replay ends from the chain on another stack, and how far where something else was learned.

A small model is trained on official law with a checkpoint kept every few steps. Then stretches between kept
checkpoints are taken again: with other kernels, threads or compilation, and on the same stack with one window, one
batch or all of them changed. The distance is what `verify --replay` compares with its tolerance: L2 over all weights,
as a share of the way that they went. The tolerance must lie between the two kinds.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from report import Figure, arguments, report

COMMONS = Path(__file__).resolve().parent.parent / "examples" / "commons" / "data"
CHARTER = """
format = 1
[responsible]
name = "Bench"
country = "DE"
{languages}
[policy]
licences = ["public-domain-law"]
[curate]
held_out_bytes = 6000
[tokenizer]
vocabulary = 1024
sample_bytes = 400_000
[model]
depth = 2
[train]
steps = {steps}
sequence = 128
batch_tokens = 2048
checkpoint_steps = {every}
keep_every = {every}
precision = "bf16"
compile = false
[refine]
[evaluate]
[release]
name = "bench"
"""
LANGUAGE = """[[languages]]
code = "{0}"
share = 0.5
[[sources]]
name = "{0}-law"
path = "{0}.jsonl"
origin = "https://example.org"
licence = "public-domain-law"
language = "{0}"
"""
DOCUMENTS = 150
EVERY, STEPS = 16, 128
STACKS = ("the same stack", "kernels of torch", "two threads", "compiled")
CHANGES = ("one window of one batch", "one batch", "other batches")


def town(folder: Path) -> Path:
    """Train the small model in a workspace of its own; its charter."""
    import zstandard

    for code in ("deu", "jpn"):
        with (COMMONS / f"{code}-law.jsonl.zst").open("rb") as file:
            text = zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(file).read(20_000_000).decode()
        lines = [line for line in text.splitlines()[:-1] if 1200 < len(line) < 12_000][:DOCUMENTS]
        (folder / f"{code}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    languages = "\n".join(LANGUAGE.format(code) for code in ("deu", "jpn"))
    charter = folder / "charter.toml"
    charter.write_text(CHARTER.format(languages=languages, steps=STEPS, every=EVERY), encoding="utf-8")
    command = [sys.executable, "-m", "freehold.cli.main", "run", str(charter), "--until", "train"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return charter


def taken_again(workspace: str, begin: int, end: int, variant: str) -> float:
    """How far a stretch ends from the chain; a job in a process of its own."""
    from freehold.learn import compilation
    from freehold.learn.course import take_steps
    from freehold.learn.parallel import ALONE
    from freehold.learn.replay import Replay, distance
    from freehold.learn.session import use_threads
    from freehold.proof import chain, statements
    from freehold.stages.replay.run import prepared
    from freehold.store.holdings import Holdings
    from freehold.store.workspace import Workspace

    home = Workspace(Path(workspace))
    steps = {}
    for stage in ("tokenize", "train"):
        sealed = home.latest(stage)
        assert sealed is not None
        data = sealed.attestation.read_bytes().removesuffix(b"\n")
        steps[stage] = statements.parse(data, where=stage)
    held = Holdings(folder=home.folder, steps=steps)
    _, course = prepared("train", held, base=None)
    rows = chain.parse([("chain.jsonl", (held.artifact("train") / "chain.jsonl").read_bytes())])
    recipe = {**course.recipe, "compiled": variant == "compiled" and compilation.possible()}
    use_threads(2 if variant == "two threads" else recipe["threads"])
    changed = replace(course, recipe=recipe, batches=Other(course.batches, variant, begin=begin))
    if variant == "compiled":
        from freehold.stages.train.recipe import session_of

        changed = replace(changed, begin=lambda: session_of(recipe))
    replay = Replay(changed, rows, where="chain.jsonl", exact=False)
    session = replay.begun(begin)
    before = {name: weight.clone() for name, weight in session.weights().items()}
    quiet: dict[str, Callable[[Any], None]] = {"after": lambda _: None, "tell": lambda _: None}
    take_steps(session, batches=changed.batches, recipe=recipe, first=begin, last=end, ranks=ALONE, **quiet)
    theirs = replay.held(end)
    assert theirs is not None
    return distance(session.weights(), theirs, before=before)


class Other:
    """Batches of a course with something changed in the first step of the stretch, or in all of them."""

    def __init__(self, batches: Any, variant: str, *, begin: int) -> None:
        self.batches, self.variant, self.begin = batches, variant, begin

    def at(self, step: int) -> Any:
        """The batch of a step, changed where the variant says so."""
        batch = self.batches.at(step)
        if self.variant == "other batches" or (self.variant == "one batch" and step == self.begin):
            return self.batches.at(step + STEPS)
        if self.variant == "one window of one batch" and step == self.begin:
            other = self.batches.at(step + STEPS)
            tokens, targets = batch.tokens.clone(), batch.targets.clone()
            tokens[0], targets[0] = other.tokens[0], other.targets[0]
            return replace(batch, tokens=tokens, targets=targets)
        return batch

    def check(self) -> None:
        """Nothing to add."""
        self.batches.check()


def measured(workspace: Path, begin: int, end: int, variant: str) -> float:
    """The distance that a process of its own finds."""
    environment = {**os.environ, **({"FREEHOLD_KERNELS": "torch"} if variant == "kernels of torch" else {})}
    command = [sys.executable, __file__, "--work", str(workspace), str(begin), str(end), variant]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure every variant over stretches of several lengths, early and late in the run."""
    from freehold.proof.replays import TOLERANCE

    options = arguments(__doc__)
    folder = Path(tempfile.mkdtemp(prefix="freehold-bench-"))
    try:
        workspace = town(folder).parent / ".freehold"
        stretches = [(16, 32)] if options.quick else [(0, 16), (16, 32), (96, 112), (16, 48), (0, STEPS)]
        figures = []
        for variant in (*STACKS, *CHANGES):
            for begin, end in stretches:
                far = measured(workspace, begin, end, variant)
                honest = variant in STACKS
                judged = honest or end - begin == EVERY
                figures.append(
                    Figure(
                        figure=f"{variant}, steps {begin + 1} to {end}",
                        value=far,
                        unit="of the way",
                        goal=f"{'at most' if honest else 'more than'} {TOLERANCE:g}" if judged else "",
                        holds=(far <= TOLERANCE) == honest if judged else None,
                    )
                )
        report("replay", figures, options=options, repetitions=1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        print(json.dumps(taken_again(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])))
    else:
        main()
