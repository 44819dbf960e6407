"""From an open model to a verified release: its tokenizer extended, some of it frozen, killed and gone on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from safetensors.torch import load_file

from freehold.model import hf
from freehold.proof import chain
from open_model import TABLE, without_shape, write_llama
from test_journey import FREEHOLD, freehold, wait_for


@pytest.fixture(scope="module")
def village(tiny_source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The charter of a town that goes on from an open model; its journey has ended. Do not change it: copy it."""
    charter = Path(shutil.copytree(tiny_source, tmp_path_factory.mktemp("based") / "town")) / "charter.toml"
    write_llama(charter.parent / "llama")
    charter.write_text(without_shape(charter.read_text()) + TABLE, encoding="utf-8")
    freehold("run", charter)
    return charter


def released(charter: Path) -> Path:
    return charter.parent / ".freehold" / "releases" / "tiny-0.1.0"


def test_the_release_names_the_base_and_verifies(village: Path) -> None:
    release, (key,) = released(village), (village.parent / ".freehold" / "keys").glob("*.pub")
    checks = freehold("verify", release, "--trust", key)["figures"]["checks"]
    assert {check["verdict"] for check in checks} == {"PASS"}
    weights = chain.weights_digest_of(village.parent / "llama")
    assert any(f"from the open model with the weights {weights}" in check["detail"] for check in checks)
    assert json.loads((release / "evidence" / "train" / "chain.jsonl").read_text().splitlines()[0])["base"] == weights
    for page in ("model/README.md", "report.html", "evidence/README.md"):
        text = (release / page).read_text(encoding="utf-8")
        assert "open model llama" in text and "random weights" not in text and "published seed" not in text
    assert "apache-2.0" in (release / "model" / "README.md").read_text(encoding="utf-8")


def test_frozen_parts_are_the_bases_bit_for_bit_and_the_table_has_grown(village: Path) -> None:
    before, after = (load_file(at / "model.safetensors") for at in (village.parent / "llama", trained(village)))
    assert {weight.dtype for weight in after.values()} == {weight.dtype for weight in before.values()}
    kept = {name for name in before if before[name].equal(after[name])}
    assert kept == {name for name in before if ".layers.0." in name or "norm" in name}
    assert (
        len(before["lm_head.weight"]) == 350 and len(after["lm_head.weight"]) == 512
    )  # 320 + 150, rounded up to whole tiles


def trained(charter: Path) -> Path:
    return artifact(charter, "train") / "model"


def artifact(charter: Path, stage: str) -> Path:
    (folder,) = (charter.parent / ".freehold" / "artifacts" / stage).glob("[0-9a-f]*")
    return folder


def test_the_new_tokens_pay(village: Path) -> None:
    rows = json.loads((artifact(village, "tokenize") / "tokenize.json").read_text())["base"]["fertility"]
    for row in rows.values():
        assert row["fertility_after"] < 0.85 * row["fertility_before"]
        assert row["tokens_per_byte_after"] < 0.85 * row["tokens_per_byte_before"]


def test_transformers_reads_the_released_llama(village: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = released(village) / "model"
    theirs = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    assert type(theirs).__name__ == "LlamaForCausalLM"
    text = "§ 1 Geltungsbereich 第一条"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokens = tokenizer(text, return_tensors="pt").input_ids
    assert tokenizer.decode(tokens[0], skip_special_tokens=True) == text
    with torch.no_grad():
        assert (theirs(tokens).logits - hf.load_folder(folder)(tokens)).abs().max() <= 1e-4


def test_killed_in_tokenize_and_in_train_it_ends_in_the_same_model(village: Path, tmp_path: Path) -> None:
    charter = Path(shutil.copytree(village.parent, tmp_path / "town")) / "charter.toml"
    for stage, sign in (("tokenize", ".partial-*/**/*"), ("train", ".partial-*/.scratch/checkpoints/latest.json")):
        shutil.rmtree(charter.parent / ".freehold" / "artifacts" / stage)
        killed(charter, stage, sign)
    freehold("train", charter)
    for stage in ("tokenize", "train"):
        assert artifact(charter, stage).name == artifact(village, stage).name


def killed(charter: Path, stage: str, sign: str) -> None:
    """kill -9 to a run as soon as a file of the stage is there."""
    process = subprocess.Popen(
        [*FREEHOLD, "run", str(charter), "--until", "train"], start_new_session=True, stderr=subprocess.DEVNULL
    )
    folder = charter.parent / ".freehold" / "artifacts" / stage
    wait_for(lambda: process.poll() is not None or any(folder.glob(sign)))
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_options_of_a_call_find_the_same_artifact_as_the_charter_they_advise(village: Path, tmp_path: Path) -> None:
    charter = Path(shutil.copytree(village.parent, tmp_path / "town")) / "charter.toml"
    plain, folder = charter.read_text().replace(TABLE, ""), charter.parent / "llama"
    charter.write_text(plain.replace("[release]", "[model]\ndepth = 3\n[release]"), encoding="utf-8")
    forecast = freehold("train", charter, "--base", folder, "--steps", 3, "--dry-run")["figures"]
    assert forecast["training"]["tokens"] == 3 * 512 and forecast["stages"] == {"train": "to do"}
    found = freehold("train", charter, "--base", folder, "--steps", 3)
    assert "it runs first" in found["stderr"] and found["figures"]["steps"] == 3
    assert '[base] path = "llama"' in found["next"] and "[train] steps = 3" in found["next"]
    written = plain.replace("tokens = 24_576", "steps = 3") + '[base]\npath = "llama"\n'
    charter.write_text(written, encoding="utf-8")
    again = freehold("train", charter)
    assert again["artifact"] == found["artifact"] and "freehold refine build" in again["next"]


def test_never_resume_throws_the_unfinished_run_away(village: Path, tmp_path: Path) -> None:
    charter = Path(shutil.copytree(village.parent, tmp_path / "town")) / "charter.toml"
    charter.write_text(charter.read_text().replace("[train]", "[train]\nseed = 4"), encoding="utf-8")
    assert "no way to resume" in freehold("train", charter, "--resume", "maybe", code=2)["stderr"]
    killed(charter, "train", ".partial-*/.scratch/checkpoints/latest.json")
    told = freehold("train", charter, "--resume", "never")["stderr"]
    assert "thrown away" in told and "resumed" not in told
