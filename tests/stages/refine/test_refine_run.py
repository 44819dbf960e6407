from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from corpora import StageMaker
from questions import MESSAGES
from safetensors.torch import load_file

from freehold.errors import InputError
from freehold.model.dialogue import ChatTemplate, Message
from freehold.model.folder import read_tokenizer
from freehold.model.hf import load_folder
from freehold.proof import chain
from freehold.proof.digests import sha256_file
from freehold.stages.refine.recipe import Base, compose, lessons_of, settle
from freehold.stages.refine.run import admitted, run

KILLED = """
import json, os, signal, sys
from pathlib import Path
from freehold import charter_file
from freehold.learn.diary import Diary
from freehold.progress import Progress
from freehold.stage import Identity, Stage
from freehold.stages.refine.run import run
from freehold.store.workspace import Sealed, Workspace

charter, output, inputs = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
note = Diary.__call__

def killing(diary, taken):
    note(diary, taken)
    if taken.step == 4:
        os.kill(os.getpid(), signal.SIGKILL)

Diary.__call__ = killing
output.mkdir(parents=True)
run(Stage(
    charter=charter_file.load(charter),
    identity=Identity(stage="refine", format=1, code="", parameters={}, inputs={}, files={}),
    inputs={k: Sealed(stage=k, key=k, digest="0" * 64, path=Path(p), attestation=Path(p)) for k, p in inputs.items()},
    workspace=Workspace(output.parent / "workspace"),
    output=output,
    run_folder=output.parent,
    progress=Progress(quiet=True),
))
"""


@pytest.fixture
def inputs(curated: Path, tokenized: Path, trained: Path) -> dict[str, Path]:
    return {"curate": curated, "tokenize": tokenized, "train": trained}


def whole_chain(*folders: Path) -> tuple[chain.Segment, ...]:
    """The segments of several artifacts, every link checked."""
    return chain.parse([(folder.name, (folder / "chain.jsonl").read_bytes()) for folder in folders])


def parts(folder: Path) -> dict[str, str]:
    """SHA-256 of every file that would be sealed."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): sha256_file(path) for path in files if ".scratch" not in path.parts}


def test_the_chat_template_is_learned_and_the_chain_goes_on(
    charter: Path, inputs: dict[str, Path], stage_at: StageMaker, tmp_path: Path
) -> None:
    stage = stage_at(tmp_path / "out", name="refine", charter=charter, **inputs)
    run(stage)
    segments = whole_chain(inputs["train"], stage.output)
    assert [segment.stage for segment in segments].count("refine") == len(range(0, stage.figures["steps"], 3)) + 1
    trained_weights = sha256_file(inputs["train"] / "model" / "model.safetensors")
    first = next(segment for segment in segments if segment.stage == "refine")
    assert first.last_step == 0 and first.checkpoint == trained_weights
    assert segments[-1].checkpoint == sha256_file(stage.output / "model" / "model.safetensors") != trained_weights
    assert stage.figures["instructions"] == 40
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "config.json"):
        assert (stage.output / "model" / name).read_bytes() == (inputs["train"] / "model" / name).read_bytes()
    for name in ("recipe.json", "curve.jsonl", "refine.json", "instructions.jsonl", "dropped.jsonl"):
        assert (stage.output / name).is_file()
    said = (stage.output / "instructions.jsonl").read_text(encoding="utf-8")
    assert "Würde" not in said and said.count("\n") == 40


def test_the_model_learns_where_its_turn_ends(
    charter: Path, inputs: dict[str, Path], stage_at: StageMaker, tmp_path: Path
) -> None:
    text = charter.read_text(encoding="utf-8").replace("[refine]", "[refine]\nepochs = 6\nlearning_rate = 0.02")
    charter.write_text(text, encoding="utf-8")
    stage = stage_at(tmp_path / "out", name="refine", charter=charter, **inputs)
    run(stage)
    assert stage.figures["last_loss"] < stage.figures["first_loss"] - 0.3
    assert ending(stage.output / "model") > 0.1 > 10 * ending(inputs["train"] / "model")


def ending(folder: Path) -> float:
    """How probable the model holds the end of its turn after a right answer."""
    template, tokenizer, model = ChatTemplate.of_folder(folder), read_tokenizer(folder), load_folder(folder)
    assert template is not None
    asked, answer = MESSAGES[1]
    said = [Message(role="user", content=f"{asked} 3"), Message(role="assistant", content=answer)]
    tokens = tokenizer.encode(template.render(said), add_special_tokens=False).ids
    end = len(tokens) - 1 - tokens[::-1].index(model.config.eos_id)
    with torch.inference_mode():
        return float(model(torch.tensor([tokens]))[0, end - 1].softmax(-1)[model.config.eos_id])


def test_killed_and_run_again_it_ends_with_the_same_bytes(
    charter: Path, inputs: dict[str, Path], stage_at: StageMaker, tmp_path: Path
) -> None:
    undisturbed = stage_at(tmp_path / "whole" / "out", name="refine", charter=charter, **inputs)
    run(undisturbed)
    output = tmp_path / "killed" / "out"
    named = json.dumps({name: str(path) for name, path in inputs.items()})
    command = [sys.executable, "-c", KILLED, str(charter), str(output), named]
    ended = subprocess.run(command, check=False, env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())})
    assert ended.returncode == -signal.SIGKILL
    assert (output / ".scratch" / "checkpoints" / "latest.json").is_file()
    assert not (output / "model").exists()
    again = stage_at(output, name="refine", charter=charter, **inputs)
    run(again)
    assert parts(output) == parts(undisturbed.output)
    assert again.figures == undisturbed.figures


def test_what_training_kept_frozen_stays_so(
    charter: Path, inputs: dict[str, Path], stage_at: StageMaker, tmp_path: Path
) -> None:
    before = Path(shutil.copytree(inputs["train"], tmp_path / "train"))
    recipe = json.loads((before / "recipe.json").read_bytes())
    (before / "recipe.json").write_text(json.dumps({**recipe, "frozen": ["attention", "norms"]}))
    stage = stage_at(tmp_path / "out", name="refine", charter=charter, **{**inputs, "train": before})
    run(stage)
    assert json.loads((stage.output / "recipe.json").read_bytes())["frozen"] == ["attention", "norms"]
    old, new = (load_file(folder / "model" / "model.safetensors") for folder in (before, stage.output))
    kept = {name for name in old if torch.equal(old[name], new[name])}
    assert kept == {name for name in old if "self_attn" in name or "norm" in name}


def test_refining_goes_on_only_where_it_began(
    charter: Path, inputs: dict[str, Path], stage_at: StageMaker, tmp_path: Path
) -> None:
    stage = stage_at(tmp_path / "out", name="refine", charter=charter, **inputs)
    base = Base.of(stage.input("train"))
    (stage.scratch / "recipe.json").write_text(json.dumps({**compose(stage, base), "torch": "1.0"}))
    with pytest.raises(InputError, match=r"this run began with torch 1\.0"):
        settle(stage, base, [])


def test_what_training_cut_off_is_neither_taught_nor_replayed(
    inputs: dict[str, Path], charter: Path, tmp_path: Path, stage_at: StageMaker
) -> None:
    freed = Path(shutil.copytree(inputs["train"], tmp_path / "freed"))
    recipe = json.loads((freed / "recipe.json").read_bytes())
    read = json.loads((freed / "consumed.json").read_bytes())["languages"]
    gone = sorted(read["deu"])[: len(read["deu"]) // 2]
    (freed / "recipe.json").write_text(json.dumps({**recipe, "withdrawn": gone, "document_mask": True}))
    path = charter.parent / "instructions.jsonl"
    first, *rest = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([json.dumps(json.loads(first) | {"document": gone[0]}), *rest]), encoding="utf-8")
    stage = stage_at(tmp_path / "out", name="refine", charter=charter, **{**inputs, "train": freed})
    base = Base.of(stage.input("train"))
    instructions, dropped = admitted(stage, base)
    assert [(one.line, one.reason) for one in dropped] == [(1, "withdrawn")]
    settled, batches = settle(stage, base, lessons_of(base, instructions))
    seen = {name for step in range(batches.steps) for name in batches.at(step).documents}
    assert settled["withdrawn"] == gone and not seen & set(gone)
    assert seen & set(read["deu"])


def test_without_instructions_the_model_goes_on_unchanged(
    charter: Path, inputs: dict[str, Path], stage_at: StageMaker, tmp_path: Path
) -> None:
    text = charter.read_text(encoding="utf-8").replace('instructions = "instructions.jsonl"', "")
    charter.write_text(text, encoding="utf-8")
    stage = stage_at(tmp_path / "out", name="refine", charter=charter, **inputs)
    run(stage)
    run(stage)  # as after a kill
    assert parts(stage.output / "model") == parts(inputs["train"] / "model")
    last = whole_chain(inputs["train"], stage.output)[-1]
    assert (last.stage, last.checkpoint) == ("refine", sha256_file(stage.output / "model" / "model.safetensors"))
    load_folder(stage.output / "model")


def test_instructions_that_all_fall_are_named(
    charter: Path, inputs: dict[str, Path], stage_at: StageMaker, tmp_path: Path
) -> None:
    path = charter.parent / "instructions.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("public-domain-law", "CC-BY-NC-4.0"), encoding="utf-8")
    with pytest.raises(InputError, match=r"no instruction is left \(40 licence\)") as refused:
        run(stage_at(tmp_path / "out", name="refine", charter=charter, **inputs))
    assert refused.value.where is not None and refused.value.where.startswith("charter.toml:")
