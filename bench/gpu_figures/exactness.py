"""Exactness: a killed run ends with the same bits, fp8 loses as bf16 does."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from report import Figure

from freehold.errors import InputError
from freehold.learn import checkpoint
from freehold.learn import device as devices
from freehold.learn import precision as precisions
from freehold.learn.ahead import ahead
from freehold.learn.batches import Batch
from freehold.learn.loop import Taken, learn
from freehold.learn.schedule import Schedule
from freehold.model.config import ModelConfig
from gpu_figures.setting import Curve, Noise, Setting, session_of, take

BENCH = Path(__file__).parent.parent
COMMONS = BENCH.parent / "examples" / "commons"
RESUMED_STEPS, SAVED_EVERY = 24, 6
DRIFT_STEPS, NOTED_EVERY, LAST = 500, 25, 50


class Bytes:
    """Windows of the example's own documents, a token a byte, in an order drawn from the step."""

    def __init__(self, *, samples: int, sequence: int) -> None:
        self.text, self.samples, self.sequence = example_text(), samples, sequence

    def at(self, step: int) -> Batch:
        """The batch of a step."""
        starts = np.random.default_rng(step).integers(0, len(self.text) - self.sequence - 1, self.samples)
        window = torch.from_numpy(np.stack([self.text[start : start + self.sequence + 1] for start in starts]))
        window = window.to(torch.int64)
        return Batch(tokens=window[:, :-1].contiguous(), targets=window[:, 1:].contiguous(), documents=("bytes",))


def example_text() -> np.ndarray:
    """The law of the example in four languages if pyarrow can unpack it here, else its instructions."""
    try:
        import pyarrow as pa

        packed = sorted((COMMONS / "data").glob("*.jsonl.zst"))
        texts = [pa.input_stream(str(path), compression="zstd").read() for path in packed]
        rows = [json.loads(line)["text"] for text in texts for line in text.splitlines()]
    except (ImportError, OSError, KeyError):
        rows = [(COMMONS / "instructions.jsonl").read_text(encoding="utf-8")]
    return np.frombuffer("\n".join(rows).encode(), dtype=np.uint8)


def drift(setting: Setting) -> Iterator[Figure | Curve]:
    """Losses of bf16 and fp8 over the same steps of real text."""
    samples, sequence, steps = (4, 32, 20) if setting.rehearse else (32, 1024, DRIFT_STEPS)
    config = small(setting, vocabulary=256, sequence=sequence)
    text = Bytes(samples=samples, sequence=sequence)
    means = {}
    for name in ("bf16", "fp8"):
        try:
            if not setting.rehearse:
                precisions.choose(name, device=setting.device)
        except InputError as absent:
            yield Figure(figure="fp8: loss drift", value=None, unit="nats", why=str(absent))
            return
        setting.forget()
        losses: list[float] = []
        session = session_of(setting, config, precision="bf16" if setting.rehearse else name)
        take(setting, session, text, steps=steps, micro=0, after=lambda taken, kept=losses: kept.append(taken.loss))
        yield Curve(name=f"loss {name}", rows=[[step, losses[step]] for step in range(0, steps, NOTED_EVERY)])
        means[name] = sum(losses[-LAST:]) / len(losses[-LAST:])
    yield Figure(
        figure="fp8: loss drift",
        value=means["fp8"] - means["bf16"],
        unit="nats",
        peer="bf16",
        ratio=means["fp8"] / means["bf16"],
        why=f"mean loss of the last {LAST} of {steps} steps {means['fp8']:.4f} against {means['bf16']:.4f}; no goal",
    )


def resume(setting: Setting) -> Iterator[Figure]:
    """One run to its end, and one killed between two checkpoints and begun again: equal bits?"""
    with tempfile.TemporaryDirectory() as folder:
        whole, broken = Path(folder) / "whole", Path(folder) / "broken"
        expected = finish(setting, whole)
        process = start(setting, broken)
        while not (broken / checkpoint.LATEST).exists() or checkpoint_step(broken) < SAVED_EVERY:
            if process.poll() is not None:
                raise RuntimeError("the run that was to be killed ended by itself")
            time.sleep(0.02)
        time.sleep(0.01 * (os.getpid() % 10))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        step = checkpoint_step(broken)
        if step >= RESUMED_STEPS:
            raise RuntimeError("the run that was to be killed had taken its last step: nothing would be resumed")
        found = finish(setting, broken)
    yield Figure(
        figure="resume after kill -9: bit-equal",
        value=float(found == expected),
        unit="of 1",
        goal="= 1",
        holds=found == expected,
        why=f"killed after the checkpoint of step {step} of {RESUMED_STEPS}",
    )


def checkpoint_step(folder: Path) -> int:
    """The step of the newest checkpoint."""
    return int(json.loads((folder / checkpoint.LATEST).read_bytes())["step"])


def start(setting: Setting, folder: Path) -> subprocess.Popen[bytes]:
    """A run in a process of its own."""
    command = [sys.executable, str(BENCH / "gpu.py"), "--run", str(folder)]
    return subprocess.Popen(command + ["--rehearse"] * setting.rehearse, stdout=subprocess.PIPE)


def finish(setting: Setting, folder: Path) -> str:
    """The digest of the weights at the end of a run that may have begun before."""
    process = start(setting, folder)
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the run ended with {process.returncode}")
    return output.decode().splitlines()[-1]


def run(setting: Setting, folder: Path) -> str:
    """Learn from the newest checkpoint of `folder` to the end; SHA-256 of the weights."""
    devices.settle(setting.device)
    sequence = 32 if setting.rehearse else 1024
    config = small(setting, vocabulary=512 if setting.rehearse else 4096, sequence=sequence)
    session = session_of(setting, config, precision="bf16")
    found = checkpoint.latest(folder)
    if found:
        session.restore(found)

    def after(taken: Taken) -> None:
        if (taken.step + 1) % SAVED_EVERY == 0:
            session.save(folder, step=taken.step + 1, facts={})

    noise = Noise(vocabulary=config.vocab_size, samples=16, sequence=sequence)
    with ahead(noise, device=setting.device) as prepared:
        learn(
            session.model,
            batches=prepared,
            optimizer=session.optimizer,
            schedule=Schedule(steps=RESUMED_STEPS),
            guard=session.guard,
            first=found.step if found else 0,
            micro=8,
            after=after,
        )
    digest = hashlib.sha256()
    for name, weight in sorted(session.weights().items()):
        digest.update(name.encode() + weight.contiguous().numpy().tobytes())
    return digest.hexdigest()


def small(setting: Setting, *, vocabulary: int, sequence: int) -> ModelConfig:
    """Six layers, or two in a rehearsal."""
    if setting.rehearse:
        return ModelConfig.from_depth(2, vocabulary=vocabulary, context=sequence, width=32, head_size=16)
    return ModelConfig.from_depth(6, vocabulary=vocabulary, context=sequence, width=512, head_size=128)
