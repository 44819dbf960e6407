from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
import torch
from corpora import StageMaker, document, write_part

from freehold.errors import GateError, InputError
from freehold.stage import SCRATCH, Stage
from freehold.stages.evaluate import run as stage_run
from freehold.stages.evaluate.bits import encoded
from freehold.stages.evaluate.completions import PROMPT_BYTES, beginning
from freehold.stages.evaluate.held_out import HeldOut, first_bytes, held_out
from freehold.stages.evaluate.judged import Judged
from freehold.stages.evaluate.xz import xz_bits

Make = Callable[[Path], Stage]
FILES = {
    "answers.jsonl",
    "completions.jsonl",
    "evaluate.json",
    "held_out.jsonl",
    "memorisation.json",
    "results.json",
}


@pytest.fixture(scope="module")
def rows(curated: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = parquet.read_table(curated / "held_out").to_pylist()
    return found


def files_of(folder: Path) -> dict[str, str]:
    paths = [path for path in folder.iterdir() if path.name != SCRATCH]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_figures_follow_their_definitions(
    evaluate_at: Make, tmp_path: Path, rows: list[dict[str, Any]], judged: Judged
) -> None:
    stage = evaluate_at(tmp_path / "out")
    stage_run.run(stage)
    results = json.loads((stage.output / "results.json").read_bytes())
    assert set(files_of(stage.output)) == FILES
    assert set(results["bits_per_byte"]) == {"deu", "jpn"}
    for language, row in results["bits_per_byte"].items():
        texts = [held["text"] for held in rows if held["language"] == language]
        size = sum(len(text.encode()) for text in texts)
        assert (row["bytes"], row["documents"]) == (size, len(texts))
        assert row["xz"] == pytest.approx(sum(xz_bits(text.encode()) for text in texts) / size, abs=1e-4)
        assert row["model"] == pytest.approx(slow_bits(judged, texts) / size, abs=1e-3)
        assert 1 < row["ngram5_own"] < 8
        assert 1 < row["ngram5"] < 8
        assert row["before_refinement"]["pretrained"] == row["before_refinement"]["model"]  # the same model here
    assert stage.figures["bits_per_byte"] == results["bits_per_byte"]


def slow_bits(judged: Judged, texts: list[str]) -> float:
    """Half-overlapping windows, one document and one window at a time, in double precision."""
    context, total = judged.model.config.context, 0.0
    for text in texts:
        tokens = [judged.bos, *judged.tokens_of(text)]
        scored = 0
        for start in range(0, len(tokens), context // 2):
            window = tokens[start : start + context + 1]
            if start + len(window) - 1 <= scored:
                break
            with torch.inference_mode():
                logits = torch.log_softmax(judged.model(torch.tensor([window[:-1]]))[0].double(), -1)
            for place in range(max(1, scored + 1 - start), len(window)):
                total -= float(logits[place - 1, window[place]])
            scored = start + len(window) - 1
        assert scored == len(tokens) - 1
    return total / math.log(2)


def test_answers_and_completions_name_what_they_are_of(
    evaluate_at: Make, tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    stage = evaluate_at(tmp_path / "out")
    stage_run.run(stage)
    given = lines(stage.output / "answers.jsonl")
    assert [row["pack"] for row in given] == ["pack"] * 6
    assert all(len(row["nats_per_byte"]) == 4 for row in given)
    texts = {row["id"]: row["text"] for row in rows}
    samples = lines(stage.output / "completions.jsonl")
    assert sorted(row["language"] for row in samples) == ["deu", "jpn"]
    for row in samples:
        assert texts[row["document"]].startswith(row["prompt"])
        assert row["completion"]


def test_two_runs_leave_the_same_bytes_and_a_killed_one_goes_on(
    evaluate_at: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = evaluate_at(tmp_path / "whole")
    stage_run.run(whole)
    killed = evaluate_at(tmp_path / "killed")
    with monkeypatch.context() as patch:
        patch.setattr(stage_run, "asked", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            stage_run.run(killed)
    assert files_of(killed.output) == {}, "nothing is left but scratch"
    with monkeypatch.context() as patch:
        patch.setattr(stage_run, "measured", lambda *_: pytest.fail("measured again"))
        stage_run.run(killed)
    assert files_of(killed.output) == files_of(whole.output)


def test_two_packs_of_one_name_are_refused(tiny: Path, stage_at: StageMaker, tmp_path: Path) -> None:
    (tiny.parent / "more").mkdir()
    (tiny.parent / "more" / "pack.jsonl").write_bytes((tiny.parent / "pack.jsonl").read_bytes())
    both = tiny.read_text(encoding="utf-8").replace('["pack.jsonl"]', '["pack.jsonl", "more/pack.jsonl"]')
    tiny.write_text(both, encoding="utf-8")
    with pytest.raises(InputError, match="two packs are called 'pack'"):
        stage_run.load_packs(stage_at(tmp_path / "out", name="evaluate", charter=tiny))


def test_nothing_held_out_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="held out"):
        held_out(tmp_path)
    write_part(tmp_path / "held_out" / "part-00000.parquet", [])
    with pytest.raises(InputError, match="held out"):
        held_out(tmp_path)


def test_empty_documents_are_not_judged(tmp_path: Path) -> None:
    held = [document(id="a", text="Text"), document(id="b", text="")]
    write_part(tmp_path / "held_out" / "part-00000.parquet", held)
    assert [row.id for row in held_out(tmp_path)["deu"]] == ["a"]


def test_a_tokenizer_that_loses_bytes_is_caught(judged: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [HeldOut(id="whole", language="deu", text="Straße <|im_end|> <|bos|>")]
    assert encoded(rows, judged)[0][0] == judged.bos
    monkeypatch.setattr(Judged, "tokens_of", lambda self, text: self.tokenizer.encode(text[1:]).ids)
    with pytest.raises(GateError, match="whole"):
        encoded(rows, judged)


def test_prompts_end_between_words_and_characters() -> None:
    german, japanese = "Die Behörde " * 60, "この法律は国民の権利を定める。" * 30
    assert german.startswith(beginning(german))
    assert beginning(german).endswith(("Die", "Behörde"))
    assert len(beginning(german).encode()) <= PROMPT_BYTES
    assert japanese.startswith(beginning(japanese))
    assert PROMPT_BYTES - 3 < len(beginning(japanese).encode()) <= PROMPT_BYTES


def test_first_bytes_are_whole_documents() -> None:
    rows = [HeldOut(id=str(place), language="deu", text="x" * 40) for place in range(5)]
    assert len(first_bytes(rows, limit=100)) == 3
    assert len(first_bytes(rows, limit=10**6)) == 5
    assert first_bytes(rows, limit=0) == []
