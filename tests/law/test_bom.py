"""The bill of materials: valid by CycloneDX's own schema, complete, the same for the same evidence."""

from __future__ import annotations

import json
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from freehold.law import facts
from freehold.law.generate import BOM

from .evidence import generated


def bill(change: Any = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(generated(change)[BOM])
    return found


def test_it_is_valid_by_the_strict_schema_of_cyclonedx_1_7() -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_7)
    assert validator.validate_str(generated()[BOM].decode()) is None
    assert (
        validator.validate_str('{"bomFormat":"CycloneDX","specVersion":"1.7","components":[{"type":"x"}]}') is not None
    )


def test_software_has_package_urls_and_licences() -> None:
    found = {row["name"]: row for row in bill()["components"] if row["type"] == "library"}
    assert found["torch"]["purl"] == "pkg:pypi/torch@2.13.0%2Bcpu"
    assert found["torch"]["licenses"] == [{"expression": "BSD-3-Clause AND MIT"}]
    assert found["numpy"]["licenses"] == [{"license": {"name": "BSD License"}}]


def test_datasets_have_licences_and_digests() -> None:
    found = {row["name"]: row for row in bill()["components"] if row["type"] == "data"}
    assert found.keys() == {"laws", "press", "refine"}
    assert found["press"]["licenses"] == [{"license": {"id": "CC-BY-4.0"}}, {"license": {"id": "MIT"}}]
    assert {"name": "freehold:file:sha256", "value": f"{'a' * 64} laws/a.jsonl"} in found["laws"]["properties"]


def test_the_model_has_its_digest_figures_and_training() -> None:
    model = next(row for row in bill()["components"] if row["type"] == "machine-learning-model")
    assert model["hashes"] == [{"alg": "SHA-256", "content": "e" * 64}]
    metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert metrics[0] == {"type": "bits per byte", "slice": "deu", "value": "2.6329"}
    assert {"name": "freehold:train:seed", "value": "7"} in model["properties"]


def test_each_cluster_of_the_g7_is_tagged() -> None:
    text = generated()[BOM].decode()
    for cluster in (
        "g7:metadata",
        "g7:system",
        "g7:models",
        "g7:datasets",
        "key performance",
        "g7:infrastructure",
        "g7:security",
    ):
        assert cluster in text


def test_the_serial_number_follows_from_the_content() -> None:
    def more(files: dict[str, Any]) -> None:
        files[facts.RECIPE]["seed"] = 8

    assert bill()["serialNumber"] == bill()["serialNumber"] != bill(more)["serialNumber"]
