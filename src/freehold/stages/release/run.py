"""Release: one folder that a stranger can run, read and check without asking anyone.

    model/         Hugging Face folder with its card
    gguf/          the same weights for llama.cpp and Ollama
    plots/         loss and bits per byte, for a README
    evidence/      sources, recipe, chain, attestations, results, digests, signature
    report.html    all of it on one page, for people

It takes seconds, so a killed run starts it afresh. The model folder is a function of the earlier artifacts alone;
the evidence also carries the times at which the stages ran.
"""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from freehold.proof.bundle import TREE
from freehold.proof.chain import weights_digest_of
from freehold.proof.digests import digest_of, manifest_of
from freehold.proof.tree.sparse import Tree
from freehold.stage import Stage
from freehold.stages.release import evidence, law
from freehold.stages.release.card import model_card
from freehold.stages.release.evidence import Signer
from freehold.stages.release.facts import Facts, read_facts
from freehold.stages.release.gguf_file import write_gguf
from freehold.stages.release.guide import evidence_guide
from freehold.stages.release.languages import short_code
from freehold.stages.release.report import plots
from freehold.stages.release.report.page import page
from freehold.stages.release.report.sections import Signed

# Everything else that a stage may leave in its model folder stays out of the release.
MODEL_FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
)
WEIGHT_FILES = ("*.safetensors", "*.safetensors.index.json")  # one file, or shards and their index


def run(stage: Stage) -> None:
    """Gather, describe, seal, sign."""
    clear(stage.output)
    facts = read_facts(stage)
    with stage.progress.task("release", total=5, unit="parts") as task:
        place_model(stage, facts)
        task.advance()
        place_gguf(stage, facts)
        task.advance()
        evidence.gather(stage)
        task.advance()
        law.write(stage)
        signer = evidence.signer_of(stage)
        describe(stage, facts, signer)
        task.advance()
        evidence.seal_and_sign(stage, signer)
        task.advance()
    stage.figures.update(figures(stage, facts, signer))


def clear(folder: Path) -> None:
    """Remove what a killed run left: nothing half-written may be signed."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def place_model(stage: Stage, facts: Facts) -> None:
    """Copy the refined model and write its card beside it."""
    source, target = stage.input("refine") / "model", stage.output / "model"
    target.mkdir()
    weights = sorted(path.name for pattern in WEIGHT_FILES for path in source.glob(pattern))
    for name in (*MODEL_FILES, *weights):
        if (source / name).is_file():  # facts has refused already if a needed one is missing
            shutil.copyfile(source / name, target / name)
    (target / "README.md").write_text(model_card(facts), encoding="utf-8")


def place_gguf(stage: Stage, facts: Facts) -> None:
    """Write the same model as one GGUF file; where none can be written, the card says why."""
    if facts.no_gguf:
        stage.progress.note(f"no GGUF file: {facts.no_gguf}")
        return
    write_gguf(
        stage.output / "model",
        stage.output / "gguf" / f"{facts.name}.gguf",
        title=facts.name,
        version=facts.version,
        licence=facts.licence,
        languages=[short_code(code) for code in facts.languages],
    )


def describe(stage: Stage, facts: Facts, signer: Signer) -> None:
    """Write what people read: guide, plots and report."""
    weights = weights_digest_of(stage.output / "model")
    files = len(list((stage.output / "model").glob("*.safetensors")))
    with Tree.open(stage.output / TREE) as tree:
        guide = evidence_guide(facts, party=signer.party, weights=weights, files=files, tree=tree)
    (stage.output / "evidence" / "README.md").write_text(guide, encoding="utf-8")
    folder = stage.output / "plots"
    folder.mkdir()
    (folder / "loss.svg").write_bytes(plots.loss(facts).alone())
    (folder / "bits_per_byte.svg").write_bytes(plots.bits_per_byte(facts).alone())
    stages = [told(stage, name) for name in evidence.NEEDS]
    signed = Signed(party=signer.party, fingerprint=signer.fingerprint, weights=weights, stages=stages)
    (stage.output / "report.html").write_bytes(page(facts, signed=signed))


def told(stage: Stage, name: str) -> dict[str, Any]:
    """What the report says of an earlier stage: its artifact, and how long it took."""
    predicate = json.loads(stage.attestation(name))["predicate"]
    begun, ended = (datetime.fromisoformat(predicate[key]) for key in ("started", "finished"))
    return {"name": name, "digest": stage.digest(name), "seconds": (ended - begun).total_seconds()}


def figures(stage: Stage, facts: Facts, signer: Signer) -> dict[str, Any]:
    """What the person sees at the end and the attestation keeps."""
    sizes = [path.stat().st_size for path in stage.output.rglob("*") if path.is_file()]
    return {
        "name": facts.name,
        "version": facts.version,
        "parameters": facts.parameters,
        "files": len(sizes),
        "size_bytes": sum(sizes),
        "model_digest": digest_of(manifest_of(stage.output / "model")),
        "signed_by": signer.party,
        "key": signer.fingerprint,
    }
