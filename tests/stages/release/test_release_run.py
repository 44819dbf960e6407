"""The bundle is whole, holds under verify, and is the same after a kill."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from freehold.errors import InputError
from freehold.proof.chain import weights_digest_of
from freehold.proof.digests import digest_of, manifest_of
from freehold.stage import build
from freehold.stages.release import run as release
from freehold.stages.verify.run import verify
from freehold.store.workspace import Sealed


def test_what_the_stage_itself_adds_holds(shop, released: Sealed) -> None:
    """Signatures, files and law; that earlier stages agree with one another is for a true journey to show."""
    report = verify(released.path, trust=[shop.workspace.folder / "keys" / "amt-fur-sprache.pub"])
    found = {check.number: (check.verdict, check.detail) for check in report.checks}
    assert [found[number] for number in (1, 2, 8) if found[number][0] != "PASS"] == []


def test_a_changed_byte_of_the_report_is_named(shop, released: Sealed) -> None:
    data = bytearray((released.path / "report.html").read_bytes())
    data[4321] ^= 1
    (released.path / "report.html").write_bytes(data)
    report = verify(released.path, trust=[shop.workspace.folder / "keys"])
    assert report.exit_code == 3
    assert any("report.html" in check.detail and "4,321" in check.detail for check in report.checks)


def test_everything_of_the_bundle_is_there(released: Sealed) -> None:
    found = {str(path.relative_to(released.path)) for path in released.path.rglob("*") if path.is_file()}
    assert {
        "model/config.json",
        "model/model.safetensors",
        "model/generation_config.json",
        "model/tokenizer.json",
        "model/tokenizer_config.json",
        "model/chat_template.jinja",
        "model/README.md",
        "gguf/commons.gguf",
        "plots/loss.svg",
        "plots/bits_per_byte.svg",
        "report.html",
        "evidence/README.md",
        "evidence/release.json",
        "evidence/policy.json",
        "evidence/locators.json",
        "evidence/signatures/amt-fur-sprache.sigstore.json",
        "evidence/corpus/sources.jsonl",
        "evidence/corpus/documents.smt",
        "evidence/train/recipe.json",
        "evidence/train/environment.lock",
        "evidence/train/chain.jsonl",
        "evidence/refine/chain.jsonl",
        "evidence/evaluation/results.json",
        "evidence/evaluation/answers.jsonl",
        "evidence/evaluation/completions.jsonl",
        *(f"evidence/steps/{name}.intoto.jsonl" for name in ("curate", "tokenize", "train", "refine", "evaluate")),
    } <= found


def test_the_figures_name_model_key_and_size(released: Sealed) -> None:
    figures = released.statement()["predicate"]["figures"]
    assert figures["model_digest"] == digest_of(manifest_of(released.path / "model"))
    assert figures["signed_by"] == "amt-fur-sprache"
    assert figures["size_bytes"] == sum(path.stat().st_size for path in released.path.rglob("*") if path.is_file())


@pytest.mark.parametrize("last", ["place_model", "place_gguf", "describe"])
def test_a_run_killed_after_any_part_gives_the_same_bytes(shop, monkeypatch: pytest.MonkeyPatch, last: str) -> None:
    undisturbed = shop.stage(key="1" * 64)
    release.run(undisturbed)
    killed = shop.stage(key="2" * 64)
    whole = getattr(release, last)

    def half(*given) -> None:
        whole(*given)
        (killed.output / "evidence").mkdir(exist_ok=True)
        (killed.output / "evidence" / ".release.json.partial").write_bytes(b"{")  # as a kill inside a write leaves it
        raise KeyboardInterrupt

    monkeypatch.setattr(release, last, half)
    with pytest.raises(KeyboardInterrupt):
        release.run(killed)
    monkeypatch.undo()
    release.run(killed)
    assert manifest_of(killed.output) == manifest_of(undisturbed.output)


def test_the_model_folder_does_not_depend_on_when_or_where(shop, released: Sealed, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / ".freehold"
    shutil.copytree(shop.workspace.folder, moved)
    shutil.rmtree(moved / "keys")  # another key, another signature, the same model
    again = shop.__class__(
        charter=shop.charter, workspace=release_workspace(moved), sealed=relocated(shop.sealed, moved)
    )
    second = again.stage()
    release.run(second)
    assert manifest_of(second.output / "model") == manifest_of(released.path / "model")
    assert manifest_of(second.output / "gguf") == manifest_of(released.path / "gguf")


def release_workspace(folder: Path):
    from freehold.store.workspace import Workspace

    return Workspace(folder)


def relocated(sealed: dict[str, Sealed], folder: Path) -> dict[str, Sealed]:
    return {
        name: Sealed(
            stage=name,
            key=found.key,
            digest=found.digest,
            path=folder / "artifacts" / name / found.digest,
            attestation=folder / "attestations" / name / found.attestation.name,
        )
        for name, found in sealed.items()
    }


def test_a_missing_key_is_made_and_said(shop) -> None:
    build(shop.stage())
    notes = [event["text"] for event in shop.events() if event["event"] == "note"]
    assert any("No signing key" in note and "amt-fur-sprache.pub" in note for note in notes)
    assert (shop.workspace.folder / "keys" / "amt-fur-sprache.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("stage", "file"),
    [
        ("curate", "sources.jsonl"),
        ("curate", "ledger.parquet"),
        ("curate", "documents.smt"),
        ("refine", "model/model.safetensors"),
        ("refine", "model/chat_template.jinja"),
        ("evaluate", "results.json"),
        ("train", "chain.jsonl"),
    ],
)
def test_what_an_input_lacks_is_named(shop, stage: str, file: str) -> None:
    (shop.sealed[stage].path / file).unlink()
    with pytest.raises(InputError, match=f"artifact of {stage}: {file} is missing"):
        release.run(shop.stage())


def test_a_measurement_that_lacks_a_reference_is_named(shop) -> None:
    path = shop.sealed["evaluate"].path / "results.json"
    results = json.loads(path.read_text())
    del results["bits_per_byte"]["kor"]["xz"]
    path.write_text(json.dumps(results))
    with pytest.raises(InputError, match=r"results\.json has no 'xz'"):
        release.run(shop.stage())


def test_weights_cut_short_are_refused(shop) -> None:
    path = shop.sealed["refine"].path / "model" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(InputError, match="safetensors"):
        release.run(shop.stage())


def test_a_model_in_shards_of_a_family_without_gguf_is_released_whole(shop) -> None:
    model = shop.sealed["refine"].path / "model"
    tensors = load_file(model / "model.safetensors")
    (model / "model.safetensors").unlink()
    names = sorted(tensors)
    for number, part in enumerate((names[:9], names[9:]), 1):
        save_file({name: tensors[name] for name in part}, model / f"model-0000{number}-of-00002.safetensors")
    (model / "model.safetensors.index.json").write_text("{}")
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "architectures": ["Olmo2ForCausalLM"]}))
    stage = shop.stage()
    release.run(stage)
    shipped = {path.name for path in (stage.output / "model").iterdir()}
    weights = {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"}
    assert weights < shipped
    assert not (stage.output / "gguf").exists()
    card = (stage.output / "model" / "README.md").read_text()
    assert "holds no GGUF file: no GGUF form here for Olmo2ForCausalLM" in card
    assert any("no GGUF file" in event.get("text", "") for event in shop.events())
    guide = (stage.output / "evidence" / "README.md").read_text()
    assert weights_digest_of(stage.output / "model") in guide
    assert stage.figures["parameters"] == sum(tensor.size for tensor in tensors.values())
