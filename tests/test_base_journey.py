"""From an open model to a verified release: its tokenizer extended, some of it frozen, killed and gone on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from freehold.learn.start import initialise
from freehold.model import hf
from freehold.model.config import ModelConfig
from freehold.model.transformer import Transformer
from freehold.proof import chain
from freehold.stages.tokenize import vocabulary
from test_journey import FREEHOLD, digests, freehold, wait_for
from tiny_model import tiny_tokenizer

HEAD = "---\nlicense: apache-2.0\n---\n# A tiny open model\n"
TABLE = '[base]\npath = "llama"\nnew_tokens = 150\nfreeze = ["blocks:0", "norms"]\n'


def write_llama(folder: Path) -> Path:
    """A folder as Llama's are: its own family, bf16, no chat template, a table with more rows than tokens."""
    tokenizer = tiny_tokenizer()
    config = ModelConfig(
        family="llama",
        qk_norm=None,
        vocab_size=tokenizer.get_vocab_size() + 30,
        width=32,
        depth=2,
        heads=4,
        kv_heads=2,
        head_size=8,
        ffn_width=64,
        context=128,
        bos_id=0,
        eos_id=2,
    )
    model = Transformer(config)
    initialise(model, seed=7, embedding_scale=0.02)
    hf.save_folder(folder, config=config, weights=model.state_dict(), dtype="bfloat16")
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = json.loads(vocabulary.settings()) | {"pad_token": None}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "README.md").write_text(HEAD, encoding="utf-8")
    return folder


def without_shape(charter: str) -> str:
    """A charter that leaves shape and vocabulary to a base, and allows its licence."""
    charter = charter.replace("[model]\ndepth = 1\n", "").replace("vocabulary = 700\n", "")
    return charter.replace('licences = ["public-domain-law"]', 'licences = ["public-domain-law", "Apache-2.0"]')


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
    assert len(before["lm_head.weight"]) == 350 and len(after["lm_head.weight"]) == 320 + 150


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


def test_killed_while_it_trains_it_ends_in_the_same_model(village: Path, tmp_path: Path) -> None:
    charter = Path(shutil.copytree(village.parent, tmp_path / "town", ignore=ignored)) / "charter.toml"
    for stage in ("tokenize", "train"):
        process = subprocess.Popen([*FREEHOLD, "run", str(charter)], start_new_session=True, stderr=subprocess.DEVNULL)
        partial = charter.parent / ".freehold" / "artifacts" / stage
        pattern = ".partial-*/.scratch/checkpoints/*" if stage == "train" else ".partial-*/**/*"
        wait_for(lambda: process.poll() is not None or any(partial.glob(pattern)))  # noqa: B023
        assert process.poll() is None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    freehold("run", charter)
    assert digests(charter) == digests(village)


def ignored(_: str, names: list[str]) -> set[str]:
    return {".freehold"} & set(names)


def test_options_of_a_call_find_the_same_artifact_as_the_charter_they_advise(village: Path, tmp_path: Path) -> None:
    charter = Path(shutil.copytree(village.parent, tmp_path / "town", ignore=ignored)) / "charter.toml"
    plain = charter.read_text().replace(TABLE, "")
    charter.write_text(plain.replace("[release]", "[model]\ndepth = 3\n[release]"), encoding="utf-8")
    freehold("curate", charter)
    forecast = freehold("train", charter, "--base", charter.parent / "llama", "--steps", 3, "--dry-run")["figures"]
    assert forecast["training"]["tokens"] == 3 * 512 and forecast["stages"] == {"train": "to do"}
    found = freehold("train", charter, "--base", charter.parent / "llama", "--steps", 3)
    assert "it runs first" in found["stderr"] and found["figures"]["steps"] == 3
    assert '[base] path = "llama"' in found["next"] and "[train] steps = 3" in found["next"]
    written = plain.replace("tokens = 24_576", "steps = 3") + '[base]\npath = "llama"\n'
    charter.write_text(written, encoding="utf-8")
    again = freehold("train", charter)
    assert again["artifact"] == found["artifact"] and "freehold refine build" in again["next"]


def test_never_resume_throws_the_unfinished_run_away(village: Path, tmp_path: Path) -> None:
    charter = Path(shutil.copytree(village.parent, tmp_path / "town", ignore=ignored)) / "charter.toml"
    freehold("run", charter, "--until", "tokenize")
    process = subprocess.Popen([*FREEHOLD, "train", str(charter)], start_new_session=True, stderr=subprocess.DEVNULL)
    partial = charter.parent / ".freehold" / "artifacts" / "train"
    wait_for(lambda: any(partial.glob(".partial-*/.scratch/checkpoints/latest.json")))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    told = freehold("train", charter, "--resume", "never")["stderr"]
    assert "thrown away" in told and "resumed" not in told
    assert "no way to resume" in freehold("train", charter, "--resume", "maybe", code=2)["stderr"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('path = "llama"', 'path = "nowhere"', "base.path: no model in 'nowhere'"),
        ('"norms"]', '"soul"]', 'base.freeze[1]: "soul" is no part of a model; name embedding, head'),
        ("new_tokens = 150", "new_token = 150", 'base.new_token: unknown key "new_token"; did you mean "new_tokens"?'),
        ("[release]", "[model]\ndepth = 3\n[release]", "model.depth: the base has 2; remove it"),
        ("sequence = 64", "sequence = 256", "train.sequence: is longer than the base's context of 128"),
        ("sample_bytes", "vocabulary = 900\nsample_bytes", "tokenizer.vocabulary: the base brings its own"),
        (', "Apache-2.0"', "", 'base.licence: "apache-2.0" is not allowed by [policy].licences'),
        ("new_tokens = 150", "new_tokens = 500_000", "500000 new tokens are more than the data supports: it gives"),
    ],
)
def test_a_base_that_does_not_fit_is_refused_with_its_place(
    village: Path, tmp_path: Path, old: str, new: str, message: str
) -> None:
    charter = Path(shutil.copytree(village.parent, tmp_path / "town")) / "charter.toml"
    assert old in charter.read_text()
    charter.write_text(charter.read_text().replace(old, new), encoding="utf-8")
    told = freehold("run", charter, "--until", "tokenize", code=2)["stderr"]
    assert message in told and "charter.toml:" in told


def test_a_base_without_a_licence_or_a_shard_is_refused(village: Path, tmp_path: Path) -> None:
    charter = Path(shutil.copytree(village.parent, tmp_path / "town", ignore=ignored)) / "charter.toml"
    (charter.parent / "llama" / "README.md").unlink()
    assert "base.licence: the base names no licence; add it" in refused(charter)
    charter.write_text(charter.read_text() + 'licence = "Apache-2.0"\n', encoding="utf-8")
    (charter.parent / "llama" / "model.safetensors").unlink()
    assert "model.safetensors is missing" in refused(charter)


def refused(charter: Path) -> Any:
    return freehold("train", charter, code=2)["stderr"]
