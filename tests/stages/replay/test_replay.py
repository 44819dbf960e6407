from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from freehold.errors import InputError
from freehold.proof import chain
from freehold.proof.replays import parse_names
from freehold.proof.signing.keys import KeyFiles
from freehold.stages.verify.asked import Asked
from freehold.stages.verify.report import Check
from freehold.stages.verify.run import verify

from .towns import forged, on_another_processor, released, with_line


def replayed(
    release: Path, home: Path, *names: str, pair: KeyFiles, holding: tuple[int, ...] = (1, 2, 3, 4), **asked: Any
) -> Check:
    """Check 6 of a release of which these other checks hold."""
    segments = parse_names(",".join(names)) if names else ()
    report = verify(release, trust=[pair.public], asked=Asked(segments=segments, holdings=home, **asked))
    checks = {check.number: check for check in report.checks}
    assert {checks[number].verdict for number in holding} == {"PASS"}
    return checks[6]


@pytest.fixture
def again(home: Path, pairs: dict[str, KeyFiles], tmp_path: Path) -> Any:
    """Check 6 of a release of a town that was changed and signed again, with its changed artifacts at hand."""

    def make(change: Any, *names: str, **asked: Any) -> Check:
        town = forged(home, tmp_path / "town" / ".freehold", change)
        beside(home, town)
        release = released(town, tmp_path / "forged", pairs["ministry"])
        return replayed(release, town, *names, pair=pairs["ministry"], **asked)

    return make


def beside(home: Path, town: Path) -> None:
    shutil.copyfile(home.parent / "instructions.jsonl", town.parent / "instructions.jsonl")


def test_segments_from_the_seed_and_from_the_middle_are_equal(
    sound: Path, home: Path, pairs: dict[str, KeyFiles], capsys: pytest.CaptureFixture[str]
) -> None:
    found = replayed(sound, home, "train:0", "train:1", "train:3", "refine:0", "refine:1", pair=pairs["ministry"])
    assert found.verdict == "PASS"
    assert found.detail == "train:0, train:1, train:3, refine:0, refine:1 equal bit for bit"
    told = capsys.readouterr().err
    assert "train:0, train:1, train:3: 16 of 24 steps, about" in told  # 8 from the seed, 8 from the checkpoint at 16


def test_drawn_segments_hold_step_0_and_tell_the_seed(sound: Path, home: Path, pairs: dict[str, KeyFiles]) -> None:
    found = replayed(sound, home, pair=pairs["ministry"], replay=1)
    assert found.verdict == "PASS"
    assert found.detail.startswith("drawn by the seed ") and ": train:0, " in found.detail


def test_without_kept_checkpoints_the_replay_begins_at_the_seed(again: Any) -> None:
    def change(stage: str, folder: Path, told: dict[str, Any]) -> None:
        if stage == "train":
            shutil.rmtree(folder / "checkpoints")

    assert again(change, "train:2").detail == "train:2 equal bit for bit"


def test_another_stack_is_told_and_equal_weights_still_count(again: Any) -> None:
    found = again(on_another_processor, "train:0", "train:3")
    assert found.verdict == "PASS"
    assert found.detail.startswith("train:0, train:3 equal bit for bit; other stack: processor another, here ")


@pytest.mark.parametrize(
    ("stage", "number", "fields", "message"),
    [
        ("train", 2, {"documents": chain.documents_root(["other"])}, "segment train:2: documents is"),
        ("train", 1, {"checkpoint": "a" * 64}, "segment train:1: checkpoint is aaaa"),
        ("train", 0, {"checkpoint": "b" * 64}, "segment train:0: checkpoint is bbbb"),
        ("train", 3, {"learning_rate": 0.5}, "segment train:3: learning_rate is 0.5, the replay has"),
        ("refine", 1, {"documents": chain.documents_root([])}, "segment refine:1: documents is"),
    ],
)
def test_a_line_that_was_forged_and_signed_again_fails_at_its_segment(
    stage: str, number: int, fields: dict[str, Any], message: str, again: Any
) -> None:
    found = again(with_line(stage, number, **fields), f"{stage}:{number}")
    assert found.verdict == "FAIL"
    assert found.where == f"evidence/{stage}/chain.jsonl:{number + 1}" and message in found.detail


def test_a_line_that_is_crossed_fails_though_another_was_asked_for(again: Any) -> None:
    def change(stage: str, folder: Path, told: dict[str, Any]) -> None:
        with_line("train", 1, documents=chain.documents_root([]))(stage, folder, told)
        if stage == "train":
            (folder / "checkpoints" / "step-00000008.safetensors").unlink()

    assert "segment train:1: documents" in again(change, "train:2").detail


def test_a_checkpoint_that_is_not_the_chain_s_is_not_begun_with(again: Any) -> None:
    def change(stage: str, folder: Path, told: dict[str, Any]) -> None:
        if stage == "train":
            shutil.copyfile(
                folder / "checkpoints/step-00000008.safetensors", folder / "checkpoints/step-00000016.safetensors"
            )

    found = again(change, "train:3")
    assert found.verdict == "FAIL" and "segment train:2: checkpoint is" in found.detail
    assert "the one kept there holds" in found.detail


def test_wrong_holdings_leave_it_unchecked_and_say_why(
    sound: Path, home: Path, pairs: dict[str, KeyFiles], tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    found = replayed(sound, empty, "train:1", pair=pairs["ministry"])
    assert found.verdict == "NOT CHECKED" and "no workspace holds" in found.detail
    (empty / "workspace.json").write_text('{"format":1}')
    assert "of train is not held" in replayed(sound, empty, "train:1", pair=pairs["ministry"]).detail
    town = shutil.copytree(home, tmp_path / "town" / ".freehold")
    (shard,) = (town / "artifacts" / "tokenize").glob("*/shards/train-00000.bin")
    data = bytearray(shard.read_bytes())
    data[100] ^= 1
    shard.write_bytes(data)
    found = replayed(sound, town, "train:1", "refine:1", pair=pairs["ministry"])
    assert found.verdict == "NOT CHECKED" and "train-00000.bin: is not what tokenize made" in found.detail


def test_refine_without_its_instructions_is_unchecked_and_train_still_told(
    sound: Path, home: Path, pairs: dict[str, KeyFiles], tmp_path: Path
) -> None:
    town = shutil.copytree(home, tmp_path / "town" / ".freehold")
    (town.parent / "instructions.jsonl").write_text("{}\n")
    found = replayed(sound, town, "train:1", "refine:1", pair=pairs["ministry"])
    assert found.verdict == "NOT CHECKED"
    assert "train:1 equal bit for bit" in found.detail and "is not the refine/instructions.jsonl" in found.detail


def test_without_torch_it_says_what_to_install(
    sound: Path, home: Path, pairs: dict[str, KeyFiles], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("freehold.stages.replay")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    found = replayed(sound, home, "train:1", pair=pairs["ministry"])
    assert found.verdict == "NOT CHECKED" and "pip install 'freehold[train]'" in found.detail


def test_a_verifier_that_stands_alone_says_so(
    sound: Path, home: Path, pairs: dict[str, KeyFiles], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "freehold.stages.replay.run", None)
    found = replayed(sound, home, "train:1", pair=pairs["ministry"])
    assert found.verdict == "NOT CHECKED" and "this verifier stands alone" in found.detail


def test_a_segment_that_the_chain_does_not_have_is_bad_input(
    sound: Path, home: Path, pairs: dict[str, KeyFiles]
) -> None:
    with pytest.raises(InputError, match="no segment train:9; train has train:0 to train:3"):
        replayed(sound, home, "train:9", pair=pairs["ministry"])
    with pytest.raises(InputError, match="names no segments"):
        parse_names("train-3")


def test_a_recipe_of_other_tokens_fails(again: Any) -> None:
    def change(stage: str, folder: Path, told: dict[str, Any]) -> None:
        if stage == "train":
            file = folder / "recipe.json"
            file.write_text(file.read_text().replace('"data":"', '"data":"x'))

    found = again(change, "train:1", holding=(1, 2, 3))  # check 4 sees it, too
    assert found.verdict == "FAIL" and "names other tokens" in found.detail
