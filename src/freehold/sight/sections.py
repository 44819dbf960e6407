"""The sections of a run's page, each one from what was seen to markup."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from freehold.page.charts import Chart, curve, smoothed, thinned
from freehold.page.loss import brief
from freehold.page.markup import Markup, join, tag
from freehold.page.parts import folded, note, section, table, tiles
from freehold.progress import clock
from freehold.sight.history import History
from freehold.sight.languages import bytes_per_token

if TYPE_CHECKING:
    from freehold.sight.report import Run

TALL, LOW = 250, 130  # pixels
LEFT, NARROW_LEFT = 6.5, 13.0  # per cent: where a curve begins that has the page, or half of it
SHOWN_SEGMENTS = 5
THREE = "{:.3f}".format
FEW = 10  # points that make no curve yet: their axis begins at zero
RECENT = 20  # rows whose mean a tile shows


def everything(run: Run, history: History, *, segments: Sequence[Mapping[str, Any]]) -> list[Markup]:
    """In the order in which a person asks: where is it, does it learn, how fast, with what."""
    shown = (
        *heading(run, history),
        learning(run, history),
        machine(run, history),
        data(run, history),
        skipped(history),
        recipe(run),
        proof(run, segments, finished=int(history.last["step"]) >= run.steps),
    )
    return [part for part in shown if part is not None]


def heading(run: Run, history: History) -> list[Markup]:
    """State and the figures of now."""
    last, recent = history.last, history.rows[-RECENT:] or [history.last]
    step, seen = int(last["step"]), time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(last["time"]))
    finished = step >= run.steps
    speed = mean(recent, "tokens_per_s")
    batch_tokens = int(run.recipe["samples"] * run.recipe["sequence"])
    left_s = (run.steps - step) * batch_tokens / max(speed, 1e-9)
    read = f"{brief(last['tokens'])} tokens read"
    told = f"All {run.steps:,} steps are done, {read}." if finished else f"Step {step:,} of {run.steps:,}, {read}."
    figures = [
        ("Loss", f"{mean(recent, 'loss'):.3f}"),
        *([("Bits per byte", f"{mean(recent, 'bits_per_byte'):.3f}")] if "bits_per_byte" in last else []),
        ("Tokens/s", f"{speed:,.0f}"),
        ("Utilisation", f"{100 * mean(recent, 'utilisation'):.1f} %"),
        ("Memory", f"{last['memory_gb']:.2f} GB"),
        ("Steps", f"{step:,}") if finished else ("Left", clock(left_s)),
    ]
    more = f" Finished {seen}." if finished else f" Seen {seen}; this page is written anew at every checkpoint."
    return [
        tag("p", f"Run of the stage {run.stage} · {brief(run.parameters)} parameters", class_="kicker"),
        tag("h1", run.title),
        tag("p", told + more, class_="lead"),
        tiles(figures),
    ]


def learning(run: Run, history: History) -> Markup:
    """Loss, bits per byte and rate."""
    bits = chart(
        history, "bits_per_byte", title="Bits per byte of the training text", height=TALL, floor=None, named=THREE
    )
    said = (
        f"Bits per byte are the loss divided by ln 2 and by {bytes_per_token(run.languages):.3f} bytes a token, the "
        "mean over the languages by their shares of a batch. They are of packed training windows, before each step; "
        "held-out documents are what evaluation measures."
    )
    return section(
        "Does it learn?",
        titled(loss(history, vocabulary=run.recipe.get("model", {}).get("vocab_size"))),
        titled(bits) if "bits_per_byte" in history.last else None,
        note("Each step faint, the running mean drawn." + (f" {said}" if "bits_per_byte" in history.last else "")),
    )


def machine(run: Run, history: History) -> Markup:
    """Speed, utilisation, memory and what they were measured on."""
    last, recent = history.last, history.rows[-RECENT:] or [history.last]
    reached = mean(recent, "tokens_per_s") * run.flops_per_token
    peak = last["tokens_per_s"] * run.flops_per_token / max(last["utilisation"], 1e-9)
    charts = (
        chart(history, "learning_rate", title="Learning rate of the matrices", plain=True, left=NARROW_LEFT),
        chart(history, "tokens_per_s", title="Tokens per second", named=brief, left=NARROW_LEFT),
        chart(history, "utilisation", title="Utilisation", named="{:.2f}".format, left=NARROW_LEFT),
        chart(history, "memory_gb", title="Memory of the process, GB", named="{:.2f}".format, left=NARROW_LEFT),
    )
    return section(
        "How fast, and on what?",
        tag("div", *(tag("div", titled(one)) for one in charts), class_="pair"),
        table(["", ""], [[name, value] for name, value in run.machine.items()]),
        note(
            f"Utilisation: {run.flops_per_token / 1e6:,.1f} MFLOP a token, forward and backward (6 x matrix parameters "
            f"and causal attention), times tokens/s: {reached / 1e12:.3f} TFLOP/s of the {peak / 1e12:.2f} that "
            "a matrix product reached when the run began. Checkpoints are not in the speed."
        ),
    )


def data(run: Run, history: History) -> Markup | None:
    """Languages and how often each is read; None where languages are not mixed by shares."""
    if not run.languages:
        return None
    done = int(history.last["tokens"])
    whole = run.steps * int(run.recipe["samples"] * run.recipe["sequence"])
    rows = [
        [
            one.code,
            f"{100 * one.share:.1f} %",
            f"{one.tokens:,}",
            f"{one.bytes / 1e6:,.2f}",
            f"{one.bytes_per_token:.2f}",
            f"{one.share * done:,.0f}",
            f"{one.share * done / max(one.tokens, 1):.2f}",
            f"{one.share * whole / max(one.tokens, 1):.2f}",
        ]
        for one in run.languages
    ]
    names = ["language", "share", "tokens there", "MB", "bytes a token", "tokens read", "epochs now", "at the end"]
    return section(
        "What does it read?",
        table(names, rows, numbers=len(names) - 1),
        note("An epoch is once through all text of a language; up to about four count almost like new text."),
    )


def skipped(history: History) -> Markup | None:
    """Steps that the guard skipped, and which documents were in them; None when there were none."""
    if not history.skipped:
        return None
    rows = [[f"{row['step']:,}", f"{row['loss']:.3f}", ", ".join(row.get("documents", ()))] for row in history.skipped]
    return section(
        f"{len(rows):,} skipped step{'s' if len(rows) > 1 else ''}",
        tag("p", "The loss leapt, so the weights stayed as they were. These documents were in the batch:"),
        table(["step", "loss", "documents"], rows),
    )


def recipe(run: Run) -> Markup:
    """Every setting, tables of the recipe unfolded one level."""
    rows = []
    for name, value in sorted(run.recipe.items()):
        inner = value if isinstance(value, dict) else {"": value}
        rows += [[f"{name}.{key}".rstrip("."), str(entry)] for key, entry in inner.items()]
    shape = run.recipe.get("model", {})
    said = f"Depth {shape['depth']}, width {shape['width']}, " if {"depth", "width"} <= set(shape) else ""
    batch = run.recipe["samples"] * run.recipe["sequence"]
    return section(
        "By which recipe?",
        tag("p", f"{said}{run.steps:,} steps of {batch:,} tokens, computed in {run.recipe['precision']}."),
        folded("Every setting", table(["setting", "value"], rows)),
    )


def proof(run: Run, segments: Sequence[Mapping[str, Any]], *, finished: bool) -> Markup:
    """Where the chain is and how it ends."""
    rows = [
        [f"{one['first_step']:,} to {one['last_step']:,}", str(one["checkpoint"]), str(one["documents"])]
        for one in segments[-SHOWN_SEGMENTS:]
    ]
    now = f"the artifact that refs/{run.stage} of the workspace names"
    place = now if finished else f"the newest checkpoint, in {run.artifact}/.scratch/checkpoints"
    names = ["steps", "weights after them (SHA-256)", "documents (root)"]
    return section(
        "Where is the chain?",
        tag(
            "p",
            f"{len(segments):,} segments, each with the root of its documents and the digest of the weights after it; ",
            f"in {place}{' (chain.jsonl)' if finished else ''}.",
        ),
        folded("How it ends", table(names, rows)) if rows else None,
    )


def loss(history: History, *, vocabulary: int | None) -> Chart:
    """Loss over tokens, beside what guessing among `vocabulary` tokens would cost."""
    guess = None if vocabulary is None else (math.log(vocabulary), f"guessing: {math.log(vocabulary):.2f}")
    return chart(history, "loss", title="Training loss, nats per token", height=TALL, mark=guess, floor=None)


def chart(
    history: History,
    name: str,
    *,
    title: str,
    height: float = LOW,
    plain: bool = False,
    named: Callable[[float], str] = "{:.2f}".format,
    mark: tuple[float, str] | None = None,
    left: float = LEFT,
    floor: float | None = 0.0,
) -> Chart:
    """One figure over tokens; `plain` draws it as it is, without a running mean."""
    points = history.points(name)
    said = f"{named(points[-1][1])} after {brief(points[-1][0])} tokens" if points else "nothing seen yet"
    return curve(
        thinned(points),
        smooth=thinned(points if plain else smoothed(points)),
        height=height,
        across="training tokens",
        figure=brief,
        mark=mark,
        named=named,
        left=left,
        floor=floor if len(points) >= FEW else 0.0,
        title=title,
        summary=said,
    )


def titled(drawn: Chart) -> Markup:
    """A chart below its title."""
    return join(tag("h3", drawn.title), drawn.inline())


def mean(rows: Sequence[Mapping[str, Any]], name: str) -> float:
    """Mean of a figure over some rows."""
    return sum(float(row[name]) for row in rows) / len(rows)
