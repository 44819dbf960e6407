from __future__ import annotations

import hashlib
import json
import math
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from corpora import StageMaker
from train_here import main as train_here

from freehold import charter_file
from freehold.errors import InputError
from freehold.learn import memory
from freehold.learn.shards import Shards
from freehold.model import hf
from freehold.model.config import ModelConfig
from freehold.proof import chain
from freehold.sight.telemetry import Telemetry
from freehold.sight.watch import watch
from freehold.stage import Stage
from freehold.stages.train import recipe as recipes
from freehold.stages.train import run as train
from freehold.stages.train.forecast import forecast
from freehold.stages.train.recipe import compose, settle
from freehold.stages.train.room import fitted, needed

SCRIPT = Path(__file__).with_name("train_here.py")


@pytest.fixture(scope="module")
def trained(tiny_source: Path, tokenized: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("trained") / "out"
    train_here(tiny_source / "charter.toml", tokenized, output)
    return output


def bytes_of(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".scratch" not in path.parts
    }


def test_it_leaves_a_model_that_learned(trained: Path) -> None:
    rows = [json.loads(line) for line in (trained / "curve.jsonl").read_text().splitlines()]
    recipe = json.loads((trained / "recipe.json").read_text())
    assert [row["step"] for row in rows] == list(range(1, recipe["steps"] + 1))
    assert rows[-1]["loss"] < rows[0]["loss"] - 1
    assert rows[-1]["tokens"] == recipe["steps"] * recipe["samples"] * recipe["sequence"]
    model = hf.load_folder(trained / "model")
    with torch.no_grad():
        assert torch.isfinite(model(torch.zeros(1, 4, dtype=torch.int64))).all()
    assert (trained / "model" / "tokenizer.json").exists()


def test_the_chain_leads_from_the_seed_to_the_shipped_weights(trained: Path) -> None:
    segments = chain.parse([("chain.jsonl", (trained / "chain.jsonl").read_bytes())])
    assert (segments[0].first_step, segments[0].last_step) == (0, 0)
    assert segments[-1].last_step == json.loads((trained / "recipe.json").read_text())["steps"]
    shipped = hashlib.sha256((trained / "model" / "model.safetensors").read_bytes()).hexdigest()
    assert segments[-1].checkpoint == shipped != segments[0].checkpoint


def test_consumed_sums_to_the_tokens_of_the_run(trained: Path) -> None:
    languages = json.loads((trained / "consumed.json").read_text())["languages"]
    summary = json.loads((trained / "train.json").read_text())
    counted = {
        code: sum(length * times for ranges in documents.values() for _, length, times in ranges)
        for code, documents in languages.items()
    }
    assert counted == summary["tokens_by_language"] and sum(counted.values()) == summary["tokens"]
    assert abs(counted["deu"] / summary["tokens"] - 0.6) < 0.01


def test_killed_at_random_moments_it_ends_with_the_same_bytes(
    trained: Path, tiny_source: Path, tokenized: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    command = [sys.executable, str(SCRIPT), str(tiny_source / "charter.toml"), str(tokenized), str(output)]
    checkpoints = output / ".scratch" / "checkpoints"
    draw = random.Random(20261121)
    for kills in range(1, 3):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while process.poll() is None and len(list(checkpoints.glob("step-*.safetensors"))) < kills:
            time.sleep(0.02)
        time.sleep(draw.uniform(0.0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert subprocess.run(command, check=True, capture_output=True, text=True).returncode == 0
    assert bytes_of(output) == bytes_of(trained)


def test_minutes_become_steps_once(tiny_source: Path, tokenized: Path, tmp_path: Path, stage_at: StageMaker) -> None:
    stage = stage_at(tmp_path / "out", name="train", tokenize=tokenized)
    timed = replace(stage.charter, train=replace(stage.charter.train, tokens=None, minutes=0.05))
    stage.charter = timed
    shards = Shards.open(tokenized)
    recipe = train.settle(stage, shards)
    assert recipe["steps"] >= 1
    stage.charter = replace(timed, train=replace(timed.train, minutes=50.0))
    assert train.settle(stage, shards) == recipe  # what a killed run settled stays


def test_a_batch_shorter_than_its_sequence_is_refused(tokenized: Path, tmp_path: Path, stage_at: StageMaker) -> None:
    stage = stage_at(tmp_path / "out", name="train", tokenize=tokenized)
    stage.charter = replace(stage.charter, train=replace(stage.charter.train, batch_tokens=32))
    with pytest.raises(InputError, match="batch_tokens"):
        compose(stage)


def test_minutes_are_rehearsed_with_the_rows_and_threads_of_one_rank(
    tokenized: Path, tmp_path: Path, stage_at: StageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = stage_at(tmp_path / "out", name="train", tokenize=tokenized)
    stage.charter = replace(stage.charter, train=replace(stage.charter.train, tokens=None, minutes=1, ranks=3))
    seen: list[tuple[int, int]] = []

    def time_step(recipe: dict[str, Any], *_: object) -> float:
        seen.append((recipe["samples"], torch.get_num_threads()))
        return 0.5

    monkeypatch.setattr(recipes, "time_step", time_step)
    before = torch.get_num_threads()
    try:
        steps = recipes.budget(stage, {**compose(stage), "threads": 7}, Shards.open(tokenized))
    finally:
        torch.set_num_threads(before)
    assert seen == [(3, 2)] and steps == pytest.approx(0.95 * 60 / 0.5, abs=1)  # of 8 rows and 7 threads


def test_a_run_that_began_with_another_torch_does_not_go_on(
    tokenized: Path, tmp_path: Path, stage_at: StageMaker
) -> None:
    stage, shards = stage_at(tmp_path / "out", name="train", tokenize=tokenized), Shards.open(tokenized)
    recipe = settle(stage, shards)
    (stage.scratch / "recipe.json").write_text(json.dumps({**recipe, "torch": "1.0"}))
    with pytest.raises(InputError, match=r"recipe.json: this run began with torch 1.0, and here is"):
        settle(stage, shards)


def test_ranks_on_a_cpu_share_its_memory(tokenized: Path, tmp_path: Path, stage_at: StageMaker) -> None:
    recipe = compose(stage_at(tmp_path / "out", name="train", tokenize=tokenized))
    shape = ModelConfig(**recipe["model"])
    one, four = (needed(shape, recipe, micro=2, sequence=64, ranks=ranks) for ranks in (1, 4))
    assert four == 4 * one
    assert needed(shape, {**recipe, "device": "cuda"}, micro=2, sequence=64, ranks=4) < four


PHASES = """
[[phases]]
name = "main"
share = 0.8
[[phases]]
name = "anneal"
share = 0.2
rate = [1, 0]
sequence = 128
languages = { deu = 1.0 }
sources = ["deu-law"]
rope_theta = 50_000
"""


@pytest.fixture
def phased(tiny: Path) -> Path:
    text = tiny.read_text(encoding="utf-8").replace("tokens = 24_576", "tokens = 8_192\ngoldfish = 20\nkeep_every = 8")
    tiny.write_text(text + PHASES, encoding="utf-8")
    return tiny


def test_phases_train_to_one_model_and_one_account(phased: Path, tokenized: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    train_here(phased, tokenized, output)
    recipe, summary = (json.loads((output / name).read_text()) for name in ("recipe.json", "train.json"))
    assert [(row["steps"], row["sequence"], row["samples"]) for row in recipe["phases"]] == [(13, 64, 8), (3, 128, 4)]
    rows = [json.loads(line) for line in (output / "curve.jsonl").read_text().splitlines()]
    assert [row["phase"] for row in rows] == ["main"] * 13 + ["anneal"] * 3
    assert sum(summary["tokens_by_language"].values()) == summary["tokens"] == 16 * 512
    config = json.loads((output / "model" / "config.json").read_text())
    assert config["max_position_embeddings"] == 128
    assert config["rope_parameters"]["rope_theta"] == 50_000
    kept = [path.name for path in sorted((output / "checkpoints").iterdir())]
    assert kept == [f"step-{step:08d}.safetensors" for step in (8, 16)]


def test_a_phase_without_text_or_steps_is_refused_with_its_line(
    phased: Path, tokenized: Path, tmp_path: Path, stage_at: StageMaker
) -> None:
    text, shards = phased.read_text(encoding="utf-8"), Shards.open(tokenized)
    short = text.replace("share = 0.8", "share = 0.997").replace("share = 0.2", "share = 0.003")
    for name, changed, message in (
        (
            "text",
            text.replace("languages = { deu = 1.0 }", ""),
            r"toml:\d+: phase 'anneal': its sources have no .*'jpn'",
        ),
        ("steps", short, r"charter.toml:\d+: phase 'anneal' has 0.3% of 16 steps: less than one"),
    ):
        phased.write_text(changed, encoding="utf-8")
        stage = stage_at(tmp_path / name, name="train", charter=phased, tokenize=tokenized)
        with pytest.raises(InputError, match=message):
            settle(stage, shards)


def test_scarce_text_is_told_and_rationed(
    tokenized: Path, tmp_path: Path, stage_at: StageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards, notes = Shards.open(tokenized), list[str]()
    unique = shards.tokens()
    for name, most in (("free", None), ("rationed", 1.5), ("hopeless", 0.01)):
        stage = stage_at(tmp_path / name, name="train", tokenize=tokenized)
        monkeypatch.setattr(stage.progress, "note", notes.append)
        tokens = round(6 * unique["jpn", "jpn-law"] / 0.4)
        train = replace(stage.charter.train, tokens=tokens, max_epochs=most)
        stage.charter = replace(stage.charter, train=train)
        if name == "free":
            assert settle(stage, shards)["shares"] == {"deu": 0.6, "jpn": 0.4}
            assert any("jpn 6" in note for note in notes) and any("warning: jpn" in note for note in notes)
        else:
            with pytest.raises(InputError, match=r"passes over the text .* leave .* tokens"):
                settle(stage, shards)
    stage.charter = replace(stage.charter, train=replace(stage.charter.train, tokens=24_576, max_epochs=0.7))
    recipe = settle(stage_like(stage, tmp_path / "enough"), shards)
    planned = {code: share * recipe["steps"] * 512 for code, share in recipe["shares"].items()}
    assert all(planned[code] <= 0.7 * unique[code, f"{code}-law"] * 1.001 for code in planned)


def stage_like(stage: Stage, output: Path) -> Stage:
    """The same stage, into another folder."""
    output.mkdir()
    return replace(stage, output=output)


def test_too_little_memory_lowers_what_passes_at_once_then_stops(
    tokenized: Path, tmp_path: Path, stage_at: StageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = stage_at(tmp_path / "out", name="train", tokenize=tokenized)
    train = replace(stage.charter.train, sequence=2048, batch_tokens=16_384)
    stage.charter = replace(stage.charter, train=train, model=replace(stage.charter.model, depth=6))
    recipe, notes = compose(stage), list[str]()
    monkeypatch.setattr(stage.progress, "note", notes.append)
    shape = ModelConfig(**recipe["model"])
    whole, one = (needed(shape, recipe, micro=micro, sequence=2048) for micro in (4, 1))
    for have, micro in ((whole, 4), (whole - 1, 2), (one, 1)):
        monkeypatch.setattr(memory, "available", lambda device, have=have: have)
        assert fitted(stage, recipe)["micro"] == micro
    assert "2 sequences of 2,048 tokens at once" in notes[0]
    monkeypatch.setattr(memory, "available", lambda device: one - 1)
    with pytest.raises(InputError, match=r"needs .* GB of memory, .* are free; depth = 5 or sequence = 1024 would"):
        fitted(stage, recipe)
    monkeypatch.setattr(memory, "available", lambda device: 1000)
    with pytest.raises(InputError, match="larger machine"):
        settle(stage, Shards.open(tokenized))


def test_the_dry_run_tells_the_passes_over_scarce_text(tiny: Path, tokenized: Path) -> None:
    charter = charter_file.load(tiny)
    assert "supply" not in forecast(charter)
    unique = json.loads((tokenized / "tokenize.json").read_text())["tokens_by_language"]
    row = forecast(charter, tokenized)["supply"]["jpn"]
    assert row["epochs"] == pytest.approx(24_576 * 0.4 / unique["jpn"], abs=1e-3)


def test_the_run_folder_shows_the_run(trained: Path) -> None:
    folder = trained.parent
    seen = [json.loads(line) for line in (folder / "steps.jsonl").read_text().splitlines()]
    rows = [json.loads(line) for line in (trained / "curve.jsonl").read_text().splitlines()]
    assert [(row["step"], row["loss"]) for row in seen] == [(row["step"], row["loss"]) for row in rows]
    assert all(row["tokens_per_s"] > 0 and 0 < row["memory_gb"] < 64 for row in seen)
    page = (folder / "report.html").read_text()
    assert "All 48 steps are done" in page and "Bits per byte" in page and "<script" not in page
    assert "epochs" in page and 'http-equiv="refresh"' not in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "") and "https://" not in page
    assert list((folder / "tensorboard").glob("events.out.tfevents.*"))
    assert not any("tokens_per_s" in path.read_text() for path in trained.rglob("*.json*"))  # no clock in an artifact


def test_bits_per_byte_are_the_loss_over_the_bytes_of_the_shares(trained: Path, tokenized: Path) -> None:
    import pyarrow.parquet as parquet

    table = parquet.read_table(sorted((tokenized / "shards").glob("*.parquet"))[0])
    found = {code: [0, 0] for code in ("deu", "jpn")}
    for row in table.select(["language", "length", "bytes"]).to_pylist():
        found[row["language"]][0] += row["length"]
        found[row["language"]][1] += row["bytes"]
    width = sum(share * found[code][1] / found[code][0] for code, share in (("deu", 0.6), ("jpn", 0.4)))
    first = json.loads((trained.parent / "steps.jsonl").read_text().splitlines()[0])
    assert abs(first["bits_per_byte"] - first["loss"] / math.log(2) / width) < 1e-4


def test_telemetry_needs_the_standard_variable(
    monkeypatch: pytest.MonkeyPatch, tokenized: Path, tmp_path: Path, stage_at: StageMaker
) -> None:
    stage = stage_at(tmp_path / "out", name="train", tokenize=tokenized)
    recipe = {**compose(stage), "steps": 4}
    config = ModelConfig(**recipe["model"])
    for value in ("", "http://127.0.0.1:1"):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", value)
        observers = watch(stage, recipe=recipe, config=config).observers
        assert any(isinstance(one, Telemetry) for one in observers) == bool(value)
