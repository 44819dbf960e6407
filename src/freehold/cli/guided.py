"""`freehold tour`: the whole journey told as a story, while a model trains behind it."""

from __future__ import annotations

import json as jsonlib
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from freehold.cli import ask, show, trust
from freehold.cli.background import Background
from freehold.cli.journey import advance, finished
from freehold.cli.options import CharterFile, WorkspaceFolder, near, opened
from freehold.errors import GateError
from freehold.journey import STEPS
from freehold.plugins import part

if TYPE_CHECKING:
    from freehold.charter import Charter
    from freehold.store.workspace import Workspace

KILL_AT = 0.3  # of the training tokens


def add_to(app: typer.Typer) -> None:
    """Register this room's verbs."""
    app.command("tour")(tour)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """What every chapter of the tour needs."""

    file: Path  # of the charter, as the visitor typed it
    charter: Charter
    home: Workspace
    journey: Background

    def chapter(self, title: str, text: str) -> None:
        """A heading and a few sentences."""
        show.out.print(f"\n[bold green]── {title} [/bold green]" + "─" * max(3, 76 - len(title)))
        show.out.print(text, markup=False)

    def command(self, line: str) -> None:
        """The command a visitor would type for what follows."""
        show.out.print(f"\n$ freehold {line}", style="bold yellow", markup=False)

    def made(self, stage: str) -> Path:
        """The folder of a finished stage."""
        sealed = finished(self.charter, self.home, STEPS[stage])
        assert sealed is not None
        return sealed.path


def tour(charter: CharterFile, workspace: WorkspaceFolder = None) -> None:
    """A guided demonstration: train a small model from your charter, question it, prove it, tamper with it."""
    begun = time.monotonic()
    declared, home = opened(charter, workspace)
    log = home.folder / "runs" / "tour.log"
    journey = Background(charter=charter, workspace=home.folder, log=log, console=show.out)
    guide = Guide(file=charter, charter=declared, home=home, journey=journey)
    try:
        documents(guide)
        tokens(guide)
        journey.start()
        ask_corpus(guide)
        trace_sentence(guide)
        power_cut(guide)
        measured(guide)
        answers(guide)
        release = proof(guide)
        tamper(guide, release)
        farewell(guide, release, minutes=(time.monotonic() - begun) / 60)
    finally:
        journey.kill()


def documents(guide: Guide) -> None:
    """Curate, and show what was dropped."""
    guide.chapter(
        "Documents",
        f"{guide.charter.responsible.name} declares languages, sources and licences in {guide.file}.\n"
        "Curation keeps what the policy allows and writes down why the rest was dropped.",
    )
    guide.command(f"curate {guide.file}")
    show.figures(done(guide, "curate")["figures"])


def tokens(guide: Guide) -> None:
    """Tokenize, and show whom the vocabulary taxes."""
    guide.chapter("Tokens", "A vocabulary is fair when no language needs many more tokens than another.")
    guide.command(f"tokenize {guide.file}")
    show.figures(done(guide, "tokenize")["figures"])


def done(guide: Guide, stage: str) -> dict[str, Any]:
    """Run a stage in front of the visitor, unless it is done."""
    sealed = finished(guide.charter, guide.home, STEPS[stage])
    if sealed is not None:
        found: dict[str, Any] = part("freehold.stage:summary")(sealed)
        return found
    return advance(guide.charter, guide.home, STEPS[stage])


def ask_corpus(guide: Guide) -> None:
    """Search the corpus for the subjects of a few of its own documents."""
    guide.chapter(
        "Ask the corpus while the model trains",
        "Training has begun behind this text. The corpus can already be searched, with citations:\n"
        "this is search, not the model's word.",
    )
    for title in titles(guide.made("curate"), languages=3):
        guide.command(f'search {guide.file} "{title}"')
        ask.search(guide.file, title, top=1, workspace=guide.home.folder)
        guide.journey.wait(lambda: True)


def titles(curated: Path, *, languages: int) -> list[str]:
    """The title of one document in each of the first languages of the corpus, without its number of years."""
    table = part("pyarrow.parquet:read_table")(curated / "documents", columns=["language", "title"])
    found: dict[str, str] = {}
    for row in table.to_pylist():
        if row["title"] and row["language"] not in found:
            found[row["language"]] = " ".join(row["title"].split())[:80]
    return list(found.values())[:languages]


def trace_sentence(guide: Guide) -> None:
    """Trace a sentence of law to its document."""
    guide.chapter("Where does this come from?", "Any text can be traced to the documents that hold it word for word.")
    sentence = a_sentence(guide.made("curate"))
    guide.command(f'trace {guide.file} --text "{sentence}"')
    ask.trace(guide.file, text=sentence, file=None, min_tokens=6, workspace=guide.home.folder)


def a_sentence(curated: Path) -> str:
    """A sentence of ordinary length from the middle of a document."""
    table = part("pyarrow.parquet:read_table")(curated / "documents", columns=["text"]).slice(0, 50)
    for text in table["text"].to_pylist():
        for line in text[len(text) // 2 :].splitlines()[1:]:
            if 80 <= len(line) <= 220:
                return str(line).replace('"', "").strip()
    return str(table["text"][0].as_py()[:120])


def power_cut(guide: Guide) -> None:
    """Kill the training once and let it go on."""
    guide.chapter(
        "A power cut",
        f"At {KILL_AT:.0%} of the training, it is killed with kill -9 and started again. It goes on from its last\n"
        "checkpoint, and the result is the same to the last bit as without the cut.",
    )
    guide.journey.wait(lambda: share_trained(guide) >= KILL_AT)
    if guide.journey.running() and guide.journey.state()[0] == "train":
        guide.command(f"run {guide.file}   # process {guide.journey.process and guide.journey.process.pid}")
        show.out.print("  " + guide.journey.line(), style="cyan", markup=False)
        guide.journey.kill()
        show.out.print("  kill -9: the process is gone", style="red", markup=False)
        guide.command(f"run {guide.file}")
        killed_at = time.time()
        guide.journey.start()
        guide.journey.wait(lambda: resumed(guide, killed_at))
        show.out.print("  " + guide.journey.line(), style="cyan", markup=False)


def share_trained(guide: Guide) -> float:
    """How far the training is, 1 when it is over."""
    stage, event = guide.journey.state()
    if stage in ("refine", "evaluate", "release"):
        return 1.0
    return event.get("done", 0) / (event.get("total") or 1) if stage == "train" else 0.0


def resumed(guide: Guide, since: float) -> bool:
    """Whether training has made progress since a moment (seconds since the epoch)."""
    stage, event = guide.journey.state()
    return stage != "train" or (event.get("time", 0) > since and "loss" in event)


def measured(guide: Guide) -> None:
    """Wait for the journey's end and show the quality."""
    guide.chapter(
        "Training, then proof of quality",
        "The rest of the training runs now; then the model learns the chat template, is measured on documents it\n"
        "never saw, beside xz and a 5-gram model trained on the same text, and is released.",
    )
    guide.journey.wait(lambda: False)
    figures = done(guide, "evaluate")["figures"]
    show.figures(figures)


def answers(guide: Guide) -> None:
    """Completions beside the spans that stand verbatim in the training data."""
    guide.chapter(
        "Completions, beside their traces",
        "The model is small and knows no facts. It has learned how laws are written in its languages; it goes on\n"
        "from the beginning of a document that it has not seen.",
    )
    rows = (guide.made("evaluate") / "completions.jsonl").read_text(encoding="utf-8").splitlines()
    seen: set[str] = set()
    for row in map(jsonlib.loads, rows):
        if row["language"] in seen or len(seen) == 3:
            continue
        seen.add(row["language"])
        show.out.print(f"\n[{row['language']}] …{row['prompt'][-160:]}", style="dim", markup=False)
        show.out.print(row["completion"].strip()[:400], style="bold", markup=False)
        artifacts = ask.index(guide.file, guide.home.folder, "trace")
        spans = part("freehold.stages.trace.query:trace")(
            artifacts["trace"].path, artifacts["tokenize"].path, row["completion"], min_tokens=8
        )
        for span in spans[:2]:
            held = span.documents[0]
            line = f"   verbatim: “{span.text.strip()[:90]}” [{held.licence} · {held.id}]"
            show.out.print(line, style="cyan", markup=False)


def proof(guide: Guide) -> Path:
    """Verify the release as a stranger would."""
    guide.chapter(
        "Proof", "Anyone who holds the public key can check the release, offline, without our software's word."
    )
    name = f"{guide.charter.release.name}-{guide.charter.release.version}"
    release = near(guide.home.folder / "releases" / name)
    keys = sorted(near(guide.home.folder / "keys").glob("*.pub"))
    guide.command(f"verify {release} " + " ".join(f"--trust {key}" for key in keys))
    trust.verify(release, trust=keys)
    return release


def tamper(guide: Guide, release: Path) -> None:
    """Flip one bit of the weights in a copy and let verify find it."""
    guide.chapter("Tampering", "One bit of the weights is flipped in a copy of the release.")
    keys = sorted(near(guide.home.folder / "keys").glob("*.pub"))
    with tempfile.TemporaryDirectory() as folder:
        forged = Path(folder) / release.name
        shutil.copytree(release, forged)
        weights = forged / "model" / "model.safetensors"
        offset = weights.stat().st_size // 2
        with weights.open("r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 1]))
        show.out.print(
            f"  byte {offset:,} of model.safetensors: {byte:#04x} → {byte ^ 1:#04x}", style="red", markup=False
        )
        guide.command(f"verify {forged}")
        try:
            trust.verify(forged, trust=keys)
        except GateError as refusal:
            show.out.print(f"{refusal} (exit {refusal.exit_code})", style="red", markup=False)
        else:
            raise GateError("verify accepted a forged release", remedy="report this as a defect")


def farewell(guide: Guide, release: Path, *, minutes: float) -> None:
    """How to go on."""
    guide.chapter("Yours", f"{minutes:.1f} minutes. The release, its evidence and its report are yours:")
    for line in (
        f"{release}/report.html   # open in a browser",
        f"freehold chat {release}",
        f"freehold serve {release}   # OpenAI-compatible, http://127.0.0.1:8080/v1",
        f"freehold trace {guide.file} --text '…'",
        "freehold init my-nation --language deu --language kor   # your own charter",
    ):
        show.out.print("  " + line, markup=False)
