"""Training from a base: it begins where the base ended, whatever its vocabulary has become."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from corpora import StageMaker
from safetensors.torch import load_file

from freehold import charter_file
from freehold.charter import Charter
from freehold.charter_tables import Base, Model, Phase, RopeScaling
from freehold.errors import InputError
from freehold.model import hf
from freehold.model.config import Scaling
from freehold.progress import Progress
from freehold.proof import chain
from freehold.stages.evaluate.bits import encoded, model_bits
from freehold.stages.evaluate.held_out import held_out
from freehold.stages.evaluate.judged import Judged
from freehold.stages.tokenize.run import run as tokenize
from freehold.stages.train import run as train
from freehold.stages.train.forecast import base_of
from freehold.stages.train.origin import Origin


@pytest.fixture(scope="module")
def base(tiny_source: Path, tokenized: Path, stage_at: StageMaker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 700 tokens that has learned a little."""
    stage = stage_at(tmp_path_factory.mktemp("base") / "out", name="train", tokenize=tokenized)
    train.run(stage)
    return stage.output / "model"


def based(charter: Charter, folder: Path, *, new_tokens: int = 0, freeze: tuple[str, ...] = ()) -> Charter:
    """The charter with a base in place of a shape."""
    declared = Base(path=str(folder), licence="Apache-2.0", new_tokens=new_tokens, freeze=freeze)
    return replace(charter, base=declared, model=Model(), train=replace(charter.train, tokens=None, steps=2))


@pytest.fixture(scope="module")
def extended(base: Path, curated: Path, stage_at: StageMaker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact of tokenize for that base with 120 more tokens."""
    stage = stage_at(tmp_path_factory.mktemp("extended") / "out", name="tokenize", curate=curated)
    stage.charter = based(stage.charter, base, new_tokens=120)
    tokenize(stage)
    return stage.output


def bits_per_byte(folder: Path, curated: Path) -> dict[str, float]:
    judged, found = Judged.open(folder, precision="fp32"), held_out(curated)
    tokens = {language: encoded(documents, judged) for language, documents in found.items()}
    bits = model_bits(judged.model, tokens, progress=Progress(quiet=True), name="test")
    size = {language: sum(len(document.data) for document in documents) for language, documents in found.items()}
    return {language: sum(bits[language]) / size[language] for language in found}


def test_right_after_extension_it_knows_what_it_knew(
    base: Path, extended: Path, curated: Path, stage_at: StageMaker, tmp_path: Path
) -> None:
    stage = stage_at(tmp_path / "out", name="train", tokenize=extended)
    stage.charter = based(stage.charter, base, new_tokens=120)
    origin = Origin.of(stage)
    assert origin is not None
    model = origin.model()
    hf.save_folder(tmp_path / "model", config=model.config, weights=model.state_dict())
    shutil.copyfile(extended / "tokenizer.json", tmp_path / "model" / "tokenizer.json")
    before, after = bits_per_byte(base, curated), bits_per_byte(tmp_path / "model", curated)
    assert all(after[language] < 1.12 * before[language] for language in before), (before, after)
    facts = json.loads((extended / "tokenize.json").read_bytes())
    assert facts["vocabulary"] == len(model.embedding) == 832  # whole tiles
    assert all(row["fertility_after"] < row["fertility_before"] for row in facts["base"]["fertility"].values())


def test_the_chain_begins_with_the_base_and_frozen_weights_stay(
    base: Path, extended: Path, stage_at: StageMaker, tmp_path: Path
) -> None:
    stage = stage_at(tmp_path / "out", name="train", tokenize=extended)
    stage.charter = based(stage.charter, base, new_tokens=120, freeze=("attention",))
    train.run(stage)
    first, *_, last = chain.parse([("chain.jsonl", (stage.output / "chain.jsonl").read_bytes())])
    assert first.base == chain.weights_digest_of(base) and last.base is None and last.last_step == 2
    recipe = json.loads((stage.output / "recipe.json").read_bytes())
    assert (recipe["base"], recipe["frozen"], recipe["dtype"]) == (first.base, ["attention"], "float32")
    assert recipe["rates"]["matrix"] == 0.002 and recipe["rates"]["embedding"] < 0.04
    old, new = load_file(base / "model.safetensors"), load_file(stage.output / "model" / "model.safetensors")
    assert {name for name in old if torch.equal(old[name], new[name])} == {name for name in old if "self_attn" in name}
    summary = json.loads((stage.output / "train.json").read_bytes())
    assert summary["new_tokens"] == 120 and summary["fertility"].keys() == {"deu", "jpn"}
    assert summary["frozen_parameters"] == sum(old[name].numel() for name in old if "self_attn" in name)


def test_with_no_step_of_weight_nothing_is_lost(
    base: Path, tokenized: Path, curated: Path, stage_at: StageMaker, tmp_path: Path
) -> None:
    """The base's own tokenizer, taken as it is, cuts the corpus as it did when the base learned."""
    stage = stage_at(tmp_path / "tokens", name="tokenize", curate=curated)
    stage.charter = based(stage.charter, base)
    tokenize(stage)
    for name in ("tokenizer.json", "chat_template.jinja", "shards/train-00000.bin"):
        assert (stage.output / name).read_bytes() == (tokenized / name).read_bytes()
    start = stage_at(tmp_path / "out", name="train", tokenize=stage.output)
    start.charter = stage.charter
    origin = Origin.of(start)
    assert origin is not None
    session = train.session_of(train.settle(start, train.Shards.open(stage.output), origin), origin)
    before = load_file(base / "model.safetensors")
    assert all(torch.equal(weight, before[name]) for name, weight in session.weights().items())


def test_a_long_phase_goes_on_from_the_bases_context_and_raises_it(
    base: Path, extended: Path, stage_at: StageMaker, tmp_path: Path
) -> None:
    stage = stage_at(tmp_path / "out", name="train", tokenize=extended)
    charter = based(stage.charter, base, new_tokens=120)
    yarn = RopeScaling(type="yarn", factor=4)
    phases = (
        Phase(name="short", share=0.5, sequence=32),
        Phase(name="long", share=0.5, sequence=256, rope_scaling=yarn),
    )
    stage.charter = replace(charter, phases=phases)
    train.run(stage)
    recipe = json.loads((stage.output / "recipe.json").read_bytes())
    assert recipe["phases"][1]["model"]["scaling"]["original_max_position_embeddings"] == 64  # not 32, what phases saw
    shipped = hf.load_folder(stage.output / "model").config
    assert shipped.context == 256
    assert shipped.scaling == Scaling(rope_type="yarn", factor=4.0, original_max_position_embeddings=64)


def test_bf16_weights_ship_as_bf16(base: Path, extended: Path, stage_at: StageMaker, tmp_path: Path) -> None:
    narrow = Path(shutil.copytree(base, tmp_path / "narrow"))
    model = hf.load_folder(base)
    hf.save_folder(narrow, config=model.config, weights=model.state_dict(), dtype="bfloat16")
    stage = stage_at(tmp_path / "out", name="train", tokenize=extended)
    stage.charter = based(stage.charter, narrow, new_tokens=120)
    train.run(stage)
    shipped = load_file(stage.output / "model" / "model.safetensors")
    assert {weight.dtype for weight in shipped.values()} == {torch.bfloat16}
    assert json.loads((stage.output / "model" / "config.json").read_text())["dtype"] == "bfloat16"
    rows = chain.parse([("chain.jsonl", (stage.output / "chain.jsonl").read_bytes())])
    assert rows[-1].checkpoint == chain.weights_digest_of(stage.output / "model")


@pytest.mark.parametrize(
    ("table", "changes", "message"),
    [
        ("model", {"depth": 3}, "model.depth: the base has 1; remove it"),
        ("model", {"context": 128}, "model.context: the base has 64; remove it"),
        ("train", {"sequence": 128}, "train.sequence: is longer than the base's context of 64"),
    ],
)
def test_a_charter_that_contradicts_the_base_is_refused(
    base: Path, tiny: Path, table: str, changes: dict[str, int], message: str
) -> None:
    charter = based(charter_file.load(tiny), base)
    with pytest.raises(InputError, match=message):
        base_of(replace(charter, **{table: replace(getattr(charter, table), **changes)}))


def test_more_new_tokens_than_the_text_holds_are_refused(
    base: Path, curated: Path, stage_at: StageMaker, tmp_path: Path
) -> None:
    stage = stage_at(tmp_path / "out", name="tokenize", curate=curated)
    stage.charter = based(stage.charter, base, new_tokens=500_000)
    with pytest.raises(InputError, match=r"500000 new tokens are more than the data supports: it gives \d+; set it"):
        tokenize(stage)
