"""`freehold run` and the verbs of its stages."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freehold.cli import show
from freehold.cli.options import (
    HERE,
    AsJson,
    BaseFolder,
    CharterFile,
    DryRun,
    Resume,
    Steps,
    WorkspaceFolder,
    near,
    opened,
    overriding,
)
from freehold.errors import InputError
from freehold.journey import JOURNEY, STEPS, Step, until
from freehold.plugins import part

if TYPE_CHECKING:
    from freehold.charter import Charter
    from freehold.store.workspace import Sealed, Workspace

SENTENCES = {
    "curate": "Read the sources; keep what policy, language and quality allow; say why the rest was dropped.",
    "refine": "Teach the model the chat template with a short supervised pass.",
    "evaluate": "Measure bits per byte per language beside two references, and answer the question packs.",
}


refine = typer.Typer(help="Teach the model with instructions.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Register this room's verbs."""
    own: dict[str, Callable[..., None]] = {"tokenize": tokenize, "train": train, "release": release}
    for name in (step.name for step in JOURNEY):
        if name == "refine":  # a room of verbs of its own, of which the journey's stage is one
            app.add_typer(refine, name=name)
            refine.callback()(lambda: None)  # keeps "build" a verb while it is the only one
            refine.command("build", help=SENTENCES[name])(verb(name))
        elif name in own:
            app.command(name)(own[name])
        else:
            app.command(name, help=SENTENCES[name])(verb(name))
    app.command("run")(run)


def verb(name: str) -> Any:
    """The command of one stage."""

    def command(
        charter: CharterFile = HERE, workspace: WorkspaceFolder = None, dry_run: DryRun = False, json: AsJson = False
    ) -> None:
        declared, home = opened(charter, workspace)
        if dry_run:
            forecast(declared, home, (STEPS[name],), as_json=json)
            return
        show.result(advance(declared, home, STEPS[name]), as_json=json, following=after(name, charter), title=name)

    return command


def tokenize(
    charter: CharterFile = HERE,
    base: BaseFolder = None,
    workspace: WorkspaceFolder = None,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Learn a vocabulary that is fair to the languages, or extend a base's, and cut the corpus into tokens."""
    overrides = overriding(base, None)
    declared, home = opened(charter, workspace, overrides)
    if dry_run:
        forecast(declared, home, (STEPS["tokenize"],), as_json=json)
        return
    found = advance(declared, home, STEPS["tokenize"], overrides)
    show.result(found, as_json=json, following=kept(declared, overrides, after("tokenize", charter)), title="tokenize")


def train(
    charter: CharterFile = HERE,
    base: BaseFolder = None,
    steps: Steps = None,
    resume: Resume = "auto",
    workspace: WorkspaceFolder = None,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Train the model from its published seed, or go on from an open model; killed, it goes on where it stopped."""
    if resume not in ("auto", "never"):
        raise InputError(f"{resume!r} is no way to resume", where="--resume", remedy="auto or never")
    overrides = overriding(base, steps)
    declared, home = opened(charter, workspace, overrides)
    if dry_run:
        forecast(declared, home, (STEPS["train"],), as_json=json)
        return
    if base is not None and finished(declared, home, STEPS["tokenize"]) is None:
        show.note(f"tokenize has not run with the tokenizer of {base}: it runs first")
        advance(declared, home, STEPS["tokenize"], overrides)
    if resume == "never" and part("freehold.stage:forget")(home, declared, STEPS["train"]):
        show.note("the unfinished run was thrown away")
    found = advance(declared, home, STEPS["train"], overrides)
    show.result(found, as_json=json, following=kept(declared, overrides, after("train", charter)), title="train")


def kept(charter: Charter, overrides: dict[str, Any], following: str) -> str:
    """The next verb, and what the charter must say for it to find what a call with options made."""
    lines = []
    if "base" in overrides and charter.base is not None:
        base = charter.base_folder
        written = base.relative_to(charter.folder) if base.is_relative_to(charter.folder) else base
        lines.append(f'[base] path = "{written}" (and nothing in [model], no [tokenizer].vocabulary)')
    if "steps" in overrides:
        lines.append(f"[train] steps = {charter.train.steps} (instead of tokens or minutes)")
    return f"write into {charter.path.name}: {'; '.join(lines)}; then {following}" if lines else following


def run(
    charter: CharterFile = HERE,
    until_stage: Annotated[str | None, typer.Option("--until", help="stop after this stage")] = None,
    base: BaseFolder = None,
    steps: Steps = None,
    workspace: WorkspaceFolder = None,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """The whole journey, documents to release; stages already done are not done again."""
    overrides = overriding(base, steps)
    declared, home = opened(charter, workspace, overrides)
    stages = until(until_stage)
    if dry_run:
        forecast(declared, home, stages, as_json=json)
        return
    found: dict[str, Any] = {}
    for step in stages:
        done = finished(declared, home, step)
        found = part("freehold.stage:summary")(done) if done else advance(declared, home, step, overrides)
        if not json:
            show.result(found, as_json=False, title=f"{step.name}{'  (already done)' if done else ''}")
    published = publish(declared, home, None) if stages[-1].name == "release" else None
    following = check_it(published, home) if published else kept(declared, overrides, after(stages[-1].name, charter))
    if json:
        show.machine({**found, "next": following})
    else:
        show.out.print(f"next  {following}", markup=False)


def release(
    charter: CharterFile = HERE,
    out: Annotated[Path | None, typer.Option("--out", help="where the bundle goes")] = None,
    workspace: WorkspaceFolder = None,
    json: AsJson = False,
) -> None:
    """Bundle model, evidence and report, signed, so that anyone can verify them offline."""
    declared, home = opened(charter, workspace)
    found = advance(declared, home, STEPS["release"])
    folder = publish(declared, home, out)
    found["artifact"]["path"] = str(folder)
    show.result(found, as_json=json, following=check_it(folder, home), title="release")


def check_it(release: Path, home: Workspace) -> str:
    """The command that verifies a release with the keys of the workspace it was made in."""
    keys = " ".join(f"--trust {near(key)}" for key in sorted((home.folder / "keys").glob("*.pub")))
    return f"freehold verify {near(release)} {keys}"


def advance(charter: Charter, home: Workspace, step: Step, overrides: dict[str, Any] | None = None) -> dict[str, Any]:
    """Run one stage as a job on this machine; its artifact and figures.

    `overrides` are what made `charter` differ from its file: the job reads the file again.
    """
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    folder = home.folder / "runs" / f"{stamp}-{step.name}-{time.time_ns() % 10**9:09d}"
    arguments = {
        "charter": str(charter.path),
        "workspace": str(home.folder),
        "stage": step.name,
        "run_folder": str(folder),
        "overrides": overrides or {},
    }
    job = part("freehold.engine.job:JobSpec")(
        name=step.name, entry="freehold.stage:perform", arguments=arguments, folder=folder
    )
    done: dict[str, Any] = part("freehold.engine.local:LocalEngine")().submit(job).wait()
    return done


def finished(charter: Charter, home: Workspace, step: Step) -> Sealed | None:
    """The stage's artifact if it is already there for this charter and this code."""
    done: Sealed | None = part("freehold.stage:find")(home, charter, step)
    return done


def publish(charter: Charter, home: Workspace, out: Path | None) -> Path:
    """Copy the sealed release to the place people look: --out, or releases/NAME-VERSION in the workspace."""
    sealed = finished(charter, home, STEPS["release"])
    assert sealed is not None
    name = f"{charter.release.name}-{charter.release.version}"
    target: Path = part("freehold.store.care:publish")(sealed, out or home.folder / "releases" / name)
    return target


def forecast(charter: Charter, home: Workspace, steps: tuple[Step, ...], *, as_json: bool) -> None:
    """What a run would do: which stages are done, and what training would cost."""
    states = {step.name: "done" if finished(charter, home, step) else "to do" for step in steps}
    figures: dict[str, Any] = {"stages": states}
    if "train" in states:
        tokenized = finished(charter, home, STEPS["tokenize"])
        seen = tokenized.path if tokenized else None
        figures["training"] = part("freehold.stages.train.forecast:forecast")(charter, seen)
    show.result({"figures": figures}, as_json=as_json, title="dry run: nothing was done")


def after(name: str, charter: Path) -> str:
    """The verb that comes after a stage before the last."""
    names = [step.name for step in JOURNEY]
    following = names[names.index(name) + 1]
    return f"freehold {'refine build' if following == 'refine' else following} {charter}"
