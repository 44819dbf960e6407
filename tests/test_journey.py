"""The whole journey on a tiny charter, as a person runs it: by the command, in processes of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from freehold.journey import JOURNEY

FREEHOLD = [sys.executable, "-m", "freehold.cli.main"]


def freehold(*arguments: object, code: int = 0) -> dict[str, Any]:
    """Run a verb with --json; its object, after its exit code was what it should be."""
    done = subprocess.run([*FREEHOLD, *map(str, arguments), "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else {}
    return {**found, "stderr": done.stderr}


def digests(charter: Path) -> dict[str, str]:
    """The model files of the published release with their SHA-256."""
    (record,) = (charter.parent / ".freehold" / "releases").glob("*/evidence/release.json")
    files = json.loads(record.read_bytes())["files"]
    return {path: facts["sha256"] for path, facts in files.items() if path.startswith(("model/", "gguf/"))}


def test_a_second_run_does_nothing_again(town: Path) -> None:
    runs = set((town.parent / ".freehold" / "runs").iterdir())
    freehold("run", town)
    assert set((town.parent / ".freehold" / "runs").iterdir()) == runs


def test_the_release_verifies_with_its_key_and_not_without(town: Path) -> None:
    home = town.parent / ".freehold"
    release, (key,) = home / "releases" / "tiny-0.1.0", (home / "keys").glob("*.pub")
    report = freehold("verify", release, "--trust", key)
    assert {check["verdict"] for check in report["figures"]["checks"]} == {"PASS"}
    assert "NOT CHECKED" in {check["verdict"] for check in freehold("verify", release, code=4)["figures"]["checks"]}


def test_an_auditor_replays_segments_and_others_believe_it(town: Path, tmp_path: Path) -> None:
    home = town.parent / ".freehold"
    release, (key,) = (
        shutil.copytree(home / "releases" / "tiny-0.1.0", tmp_path / "tiny"),
        (home / "keys").glob("*.pub"),
    )
    held = ("--holdings", home)
    report = freehold("verify", release, "--trust", key, "--replay", 1, "--segments", "train:4,refine:1", *held)
    (sixth,) = [check for check in report["figures"]["checks"] if check["number"] == 6]
    assert sixth["verdict"] == "PASS" and "train:0" in sixth["detail"] and "refine:1 equal" in sixth["detail"]
    assert "about" in report["stderr"]  # what it would cost
    freehold("keys", "new", "archive", "--folder", tmp_path)
    by = ("--key", tmp_path / "archive.key", "--party", "archive")
    freehold("countersign", release, *by, "--segments", "train:0", *held)
    told = freehold("verify", release, "--trust", key, "--auditor", tmp_path / "archive.pub")["figures"]["checks"]
    assert "countersigned by archive: train:0 equal bit for bit" in [check["detail"] for check in told]


def test_killed_once_in_every_stage_it_ends_in_the_same_model(town: Path, tiny: Path) -> None:
    """kill -9 to the whole run as soon as a stage has begun to write, then run again; and so on to the end."""
    shutil.copyfile(town, tiny)
    for step in JOURNEY:
        process = subprocess.Popen([*FREEHOLD, "run", str(tiny)], start_new_session=True, stderr=subprocess.DEVNULL)
        partial = tiny.parent / ".freehold" / "artifacts" / step.name
        wait_for(lambda: process.poll() is not None or any(partial.glob(".partial-*/**/*")))  # noqa: B023
        assert process.poll() is None, f"the journey ended before it could be killed in {step.name}"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    freehold("run", tiny)
    assert digests(tiny) == digests(town)


def wait_for(condition: Any, *, limit_s: float = 120) -> None:
    """Poll quickly until a condition holds."""
    deadline = time.monotonic() + limit_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)


def test_search_trace_and_lineage_answer(town: Path, tmp_path: Path) -> None:
    charter = Path(shutil.copytree(town.parent, tmp_path / "town")) / "charter.toml"
    passages = freehold("search", charter, "Verordnung Gesetz")["figures"]["passages"]
    assert passages[0]["licence"] == "public-domain-law"
    spans = freehold("trace", charter, "--text", passages[0]["text"][:200])["figures"]["spans"]
    assert passages[0]["document"] in {document["id"] for span in spans for document in span["documents"]}
    release = charter.parent / ".freehold" / "releases" / "tiny-0.1.0"
    assert freehold("trace", release, "--text", passages[0]["text"][:200])["figures"]["spans"] == spans
    assert all(document["learned"] >= 0 for span in spans for document in span["documents"])
    alone = shutil.copytree(release, tmp_path / "elsewhere" / release.name)
    assert "carries no training text" in freehold("trace", alone, "--text", "Gesetz", code=2)["stderr"]
    story = freehold("lineage", passages[0]["document"], "--workspace", charter.parent / ".freehold")["figures"]
    assert {"curate", "train", "release"} <= {step["stage"] for step in story["steps"]}


def test_transformers_computes_the_same_from_the_release(town: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from freehold.model.hf import load_folder

    folder = town.parent / ".freehold" / "releases" / "tiny-0.1.0" / "model"
    theirs = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokens = AutoTokenizer.from_pretrained(folder)("§ 1 Geltungsbereich 第一条", return_tensors="pt").input_ids
    with torch.no_grad():
        difference = (theirs(tokens).logits - load_folder(folder)(tokens)).abs().max()
    assert difference <= 1e-4


def test_the_openai_client_talks_to_a_served_release(town: Path) -> None:
    import openai

    release = town.parent / ".freehold" / "releases" / "tiny-0.1.0"
    command = [*FREEHOLD, "serve", str(release), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            url = next(word for word in server.stdout.readline().split() if word.startswith("http://127.0.0.1:"))
            client = openai.OpenAI(base_url=url, api_key="none", max_retries=0)
            asked = [{"role": "user", "content": "In welcher Sprache ist dieser Text?"}]
            streamed = client.chat.completions.create(model="tiny", messages=asked, max_tokens=8, stream=True)
            assert [piece.choices[0].finish_reason for piece in streamed][-1] in ("stop", "length")
            completed = client.completions.create(model="tiny", prompt="§ 1", max_tokens=8)
            assert completed.usage.completion_tokens <= 8
        finally:
            server.terminate()


def test_a_release_goes_where_it_is_told_but_over_nothing_else(town: Path, tmp_path: Path) -> None:
    freehold("release", town, "--out", tmp_path / "out")
    assert (tmp_path / "out" / "evidence" / "release.json").is_file()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "diary.txt").write_text("mine")
    assert "holds no release" in freehold("release", town, "--out", tmp_path / "full", code=2)["stderr"]
    assert (tmp_path / "full" / "diary.txt").read_text() == "mine"


def test_the_tour_tells_the_story_of_a_finished_journey(town: Path, tmp_path: Path) -> None:
    charter = Path(shutil.copytree(town.parent, tmp_path / "town")) / "charter.toml"
    told = subprocess.run([*FREEHOLD, "tour", str(charter)], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    for sign in ("fairness", "public-domain-law", "in the training data", "PASS", "check 2 failed: ", "Yours"):
        assert sign in told.stdout, sign


def test_gc_keeps_what_refs_reach_and_sweeps_the_rest(town: Path, tmp_path: Path) -> None:
    charter = Path(shutil.copytree(town.parent, tmp_path / "town")) / "charter.toml"
    assert freehold("gc", charter)["figures"]["removed"] == []
    charter.write_text(
        charter.read_text().replace('version = "0.1.0"', "").replace("seed = 1", "") + 'version = "0.2.0"\n'
    )
    freehold("run", charter)
    removed = freehold("gc", charter)["figures"]["removed"]
    assert [name.split("/")[1] for name in removed] == ["release"]
    freehold("run", charter)


def test_two_runs_at_once_end_in_a_clear_error_for_the_second(tiny: Path) -> None:
    first = subprocess.Popen([*FREEHOLD, "run", str(tiny)], start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        locked = tiny.parent / ".freehold" / "locks" / "curate"
        wait_for(lambda: locked.exists() and locked.read_text().strip() != "")
        refused = freehold("curate", tiny, code=2)
        assert "another run (process" in refused["stderr"]
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_ends_in_a_clear_error_and_the_run_goes_on_with_more_room(small_disk: Path, tiny: Path) -> None:
    workspace = small_disk / "w"
    refused = freehold("run", tiny, "--workspace", workspace, code=2)
    assert "run again" in refused["stderr"]  # whatever did not fit says so in its own words
    subprocess.run(["mount", "-o", "remount,size=300m", str(small_disk)], check=True)
    freehold("run", tiny, "--workspace", workspace)


def test_a_read_only_workspace_is_refused(small_disk: Path, tiny: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    refused = freehold("run", tiny, "--workspace", small_disk / "w", code=2)
    assert "the workspace is read-only; choose a writable one with --workspace" in refused["stderr"]
