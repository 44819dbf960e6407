"""A base that does not fit its charter is refused with file, line, key and remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from freehold import charter_file
from freehold.charter import dotted, where
from freehold.errors import InputError
from freehold.model.config import ForeignConfig
from freehold.stages.train.forecast import base_of, check_foreign
from open_model import TABLE, without_shape, write_llama


@pytest.fixture
def based(tiny: Path) -> Path:
    """A tiny charter that goes on from an open model."""
    write_llama(tiny.parent / "llama")
    tiny.write_text(without_shape(tiny.read_text()) + TABLE, encoding="utf-8")
    return tiny


def test_a_charter_without_a_base_has_none(tiny: Path) -> None:
    charter = charter_file.load(tiny)
    assert charter.base is None and charter.parameters("base") is None
    assert charter.files("base") == charter.files("tokenizer") == {}


def test_the_bases_bytes_are_what_tokenize_and_train_depend_on(based: Path) -> None:
    charter = charter_file.load(based)
    tokenizer = {"base/config.json", "base/tokenizer.json", "base/tokenizer_config.json"}
    assert set(charter.files("tokenizer")) == tokenizer
    assert set(charter.files("base")) == tokenizer | {"base/generation_config.json", "base/model.safetensors"}
    assert charter.parameters("base")["path"] == "llama", "no folder of this machine"
    assert charter.parameters("base")["licence"] == "apache-2.0", "from the head of README.md"
    assert charter.parameters("tokenizer") == {"sample_bytes": 400_000, "new_tokens": 150}
    assert charter.parameters("model") == {}


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
    ],
)
def test_a_base_that_does_not_fit_is_refused_with_its_place(based: Path, old: str, new: str, message: str) -> None:
    assert old in based.read_text()
    based.write_text(based.read_text().replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as refusal:
        base_of(charter_file.load(based))
    assert message in str(refusal.value) and "charter.toml:" in str(refusal.value)


def test_a_base_without_a_licence_must_be_given_one(based: Path) -> None:
    (based.parent / "llama" / "README.md").write_text("# No head\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"base\.licence: the base names no licence; add it"):
        charter_file.load(based)
    based.write_text(based.read_text() + 'licence = "Apache-2.0"\n', encoding="utf-8")
    assert charter_file.load(based).base.licence == "Apache-2.0"  # type: ignore[union-attr]


def test_options_of_a_call_take_the_place_of_the_charters_words(based: Path, tmp_path: Path) -> None:
    other = write_llama(tmp_path / "other")
    found = charter_file.load(based, {"base": str(other), "steps": 9})
    assert found.base_folder == other.resolve() and found.base.new_tokens == 150  # type: ignore[union-attr]
    assert (found.train.steps, found.train.tokens, found.train.minutes) == (9, None, None)
    scratch = (
        based.read_text().replace(TABLE, "").replace("[tokenizer]", "[model]\ndepth = 5\n[tokenizer]\nvocabulary = 700")
    )
    based.write_text(scratch, encoding="utf-8")
    assert base_of(charter_file.load(based, {"base": str(other)})).shape.depth == 2, "its shape comes along"


PHASES = """
[[phases]]
name = "main"
share = 0.8
[[phases]]
name = "long"
share = 0.2
sequence = 256
"""
REACHING = ("rope_theta = 50_000", 'rope_scaling = { type = "yarn", factor = 2 }')


def test_a_phase_beyond_the_bases_context_needs_a_rotary_setting_that_reaches(based: Path) -> None:
    text = based.read_text() + PHASES
    based.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"phases\[1\].sequence: is longer than the base's context of 128") as refusal:
        base_of(charter_file.load(based))
    line = [number for number, row in enumerate(text.splitlines(), 1) if row == "sequence = 256"][-1]
    assert refusal.value.where == f"charter.toml:{line}"
    for reaching in REACHING:
        based.write_text(text + reaching, encoding="utf-8")
        base_of(charter_file.load(based))


def test_a_base_that_is_scaled_already_is_not_scaled_again(based: Path) -> None:
    path = based.parent / "llama" / "config.json"
    config = json.loads(path.read_text())
    scaling = {"rope_type": "linear", "factor": 2.0}
    path.write_text(json.dumps({**config, "rope_scaling": scaling, "rope_parameters": {"rope_theta": 1e4, **scaling}}))
    based.write_text(based.read_text() + PHASES + REACHING[1], encoding="utf-8")
    with pytest.raises(InputError, match=r"phases\[1\].rope_scaling: the base's positions are scaled already"):
        base_of(charter_file.load(based))


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("[train]", "[train]\ndocument_mask = true", "train.document_mask"),
        ('precision = "fp32"', 'precision = "fp8"', "train.precision"),
        ("sequence = 256", "rope_theta = 50_000", "phases[1].rope_theta"),
        ("sequence = 256", REACHING[1], "phases[1].rope_scaling"),
    ],
)
def test_what_only_our_own_families_can_do_is_refused_for_others(based: Path, old: str, new: str, key: str) -> None:
    text = (based.read_text() + PHASES).replace(old, new, 1)
    based.write_text(text, encoding="utf-8")
    charter = charter_file.load(based)
    shape = ForeignConfig(
        family="bloom", vocab_size=9, width=8, depth=1, context=128, tied=True, bos_id=0, eos_id=0, pad_id=0,
        parameters=9, matrix_parameters=9, published=None,
    )  # fmt: skip

    def refuse(keys: tuple[str | int, ...], message: str, remedy: str) -> None:
        raise InputError(f"{dotted(keys)}: {message}", where=where(charter.path, keys), remedy=remedy)

    with pytest.raises(InputError) as refusal:
        check_foreign(charter, shape, refuse)
    assert f"{key}: is not built for 'bloom' models" in str(refusal.value)
    line = text.splitlines().index(new.splitlines()[-1]) + 1
    assert refusal.value.where == f"charter.toml:{line}"
