"""The model card is what hubs read and says what people need."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from freehold.stages.release.card import count, model_card
from freehold.stages.release.facts import Facts, read_facts
from freehold.stages.release.markdown import cell
from freehold.store.workspace import Sealed


@pytest.fixture
def facts(shop) -> Facts:
    return read_facts(shop.stage())


def test_a_hub_reads_its_head(released: Sealed) -> None:
    from huggingface_hub import ModelCard

    data = ModelCard.load(released.path / "model" / "README.md").data
    assert data.license == "apache-2.0"
    assert data.language == ["de", "ja", "ko", "fr", "es", "pl"]
    assert data.pipeline_tag == "text-generation"


def test_a_licence_that_hubs_do_not_know_is_given_by_name(facts: Facts, tmp_path: Path) -> None:
    from huggingface_hub import ModelCard

    path = tmp_path / "README.md"
    path.write_text(model_card(dataclasses.replace(facts, licence="KOGL-1.0")), encoding="utf-8")
    data = ModelCard.load(path).data
    assert (data.license, data.license_name) == ("other", "KOGL-1.0")


def test_it_says_that_it_is_small_and_what_it_learned_from(facts: Facts) -> None:
    card = model_card(facts)
    assert "**It is small.**" in card
    assert "| German | 1.210 | 1.720 | 2.080 | 400,000 |" in card
    assert "| fra-law | French | etalab-2.0 | https://example.org/fra | 187 | 0.88 |" in card
    assert "public-domain-law (UrhG § 5 (DE))" in card
    assert "118 documents were left out" in card
    assert "**It is small.**" not in model_card(dataclasses.replace(facts, parameters=2_000_000_000))


def test_text_of_strangers_cannot_break_out_of_a_table(facts: Facts) -> None:
    first = {**facts.sources[0], "origin": "a | b\n\n# Trusted <img src=x>"}
    card = model_card(dataclasses.replace(facts, sources=(first, *facts.sources[1:])))
    assert "a \\| b # Trusted &lt;img src=x>" in card
    assert "\n# Trusted" not in card
    assert cell("x") == "x"


def test_large_numbers_read_well() -> None:
    assert [count(number) for number in (8192, 13_245_184, 7e9)] == ["8,192", "13.2 million", "7.0 billion"]


def test_the_card_tells_what_is_known_by_heart(released: Sealed) -> None:
    text = (released.path / "model" / "README.md").read_text(encoding="utf-8")
    told = text[text.index("## Memory") : text.index("## Data")]
    assert "| all languages | 17-32 × | 40.0 | 0.0 % | 6 |" in told
    assert told.index("never (held out)") < told.index("| 1 × |") < told.index("17-32 ×")
    assert "| 16 | 16.0 | 8.0 |" in told and "| 1 of 1 |" in told
    assert told.index("| 1 | 1.0") < told.index("| 4 | 4.0") < told.index("| 16 | 16.0")
