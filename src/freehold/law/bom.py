"""A CycloneDX 1.7 bill of materials for AI (https://cyclonedx.org/docs/1.7/json/), tagged with the G7's clusters.

Deterministic: the serial number is a name-based UUID of the content, the time stamp that of the last stage.
"""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from freehold.law import about_model, compute
from freehold.law.facts import LOCK, RECIPE, RESULTS, Facts
from freehold.law.packs import Pack
from freehold.law.training_data import INSTRUCTIONS, kinds

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://freehold/bom")
# Licences that we write by their SPDX identifier; any other is named as a text, which no list has to know.
SPDX = frozenset(
    {
        "Apache-2.0",
        "BSD-3-Clause",
        "CC-BY-4.0",
        "CC-BY-SA-4.0",
        "CC0-1.0",
        "EUPL-1.2",
        "GPL-3.0-only",
        "MIT",
        "ODC-By-1.0",
        "Unlicense",
        "etalab-2.0",
    }
)
MODEL = "model"
Json = dict[str, Any]


def bill(facts: Facts, pack: Pack) -> Json:
    """The whole bill as JSON values."""
    components = [model(facts), *datasets(facts), *software(facts), *machine(facts)]
    content: Json = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "version": 1,
        "metadata": metadata(facts, pack),
        "components": components,
        "dependencies": dependencies(components),
    }
    name = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return {**content, "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, name)}"}


def metadata(facts: Facts, pack: Pack) -> Json:
    """About the bill, and about the system: the release as a whole."""
    ended = facts.step("evaluate", "finished").value
    provider = str(facts.named("responsible", "name").value)
    system = {
        "type": "application",
        "bom-ref": "system",
        "name": str(facts.named("release", "name").value),
        "version": str(facts.named("release", "version").value),
        "description": "Text in, text out: a language model with its tokenizer and chat template.",
        "manufacturer": {"name": provider},
        "tags": ["g7:system"],
    }
    told: Json = {
        "component": system,
        "manufacturer": {"name": provider},
        "lifecycles": [{"phase": "post-build"}],
        "tools": {"components": [{"type": "application", "name": "freehold"}]},
        "properties": [
            prop("g7:metadata:rules", f"{pack.id} {pack.version}"),
            prop("g7:metadata:generation", "from the evidence of the release, reproducible byte for byte"),
            prop(
                "g7:security:authenticity",
                "evidence/release.json and evidence/signatures/ (OMS: in-toto, DSSE, ECDSA P-256)",
            ),
            prop("g7:security:checks", "freehold verify; docs of the release: evidence/README.md"),
        ],
    }
    return {**told, "timestamp": ended} if ended else told


def model(facts: Facts) -> Json:
    """The shipped model with its card."""
    row: Json = {
        "type": "machine-learning-model",
        "bom-ref": MODEL,
        "name": str(facts.named("release", "name").value),
        "version": str(facts.named("release", "version").value),
        "licenses": [licence(str(facts.named("release", "licence").value))],
        "tags": ["g7:models"],
        "modelCard": card(facts),
        "properties": training(facts),
    }
    made = facts.step("refine", "manifest").value or facts.step("train", "manifest").value or {}
    weights = sorted(digest["sha256"] for path, digest in made.items() if path.endswith(about_model.WEIGHTS))
    row["properties"] += [prop("freehold:weights:sha256", digest) for digest in weights]
    if len(weights) == 1:
        row["hashes"] = [sha256(weights[0])]
    base = facts.step("train", "parameters", "base").value
    if base:
        ancestor = {
            "type": "machine-learning-model",
            "name": str(base["path"]),
            "licenses": [licence(str(base["licence"]))],
        }
        row["pedigree"] = {"ancestors": [ancestor]}
    return row


def card(facts: Facts) -> Json:
    """Architecture, datasets and measured quality."""
    shape = facts.at(RECIPE, "model").value or {}
    parameters: Json = {
        "approach": {"type": "self-supervised"},
        "task": "text-generation",
        "architectureFamily": "transformer",
        "modelArchitecture": str(shape.get("family")),
        "datasets": [{"ref": f"data:{name}"} for name in kinds(facts)],
        "inputs": [{"format": "text"}],
        "outputs": [{"format": "text"}],
    }
    found: Json = {"modelParameters": parameters}
    if metrics := performance(facts):
        found["quantitativeAnalysis"] = {"performanceMetrics": metrics}
    if intended := facts.said("intended_uses").value:
        found["considerations"] = {"useCases": [str(intended)]}
    return {**found, "properties": [prop("g7:cluster", "key performance indicators")]}


def performance(facts: Facts) -> list[Json]:
    """Bits per byte of each language, and the accuracy of each question pack with its interval."""
    bits, packs = facts.at(RESULTS, "bits_per_byte").value or {}, facts.at(RESULTS, "choice").value or {}
    rows: list[Json] = [
        {"type": "bits per byte", "value": str(row["model"]), "slice": code} for code, row in sorted(bits.items())
    ]
    for name, row in sorted(packs.items()):
        interval = {"lowerBound": str(row["low"]), "upperBound": str(row["high"])}
        rows.append({"type": "accuracy", "value": str(row["accuracy"]), "slice": name, "confidenceInterval": interval})
    return rows


def training(facts: Facts) -> list[Json]:
    """Training parameters as properties."""
    recipe = facts.files.get(RECIPE, {})
    known = {
        key: recipe.get(key)
        for key in ("steps", "samples", "sequence", "seed", "precision", "goldfish", "document_mask", "data")
    }
    known |= {f"rates.{key}": value for key, value in (recipe.get("rates") or {}).items()}
    known |= {
        "parameters": facts.step("train", "figures", "parameters").value,
        "flop": compute.training_flop(facts).value,
    }
    return [prop(f"freehold:train:{key}", value) for key, value in sorted(known.items()) if value is not None]


def datasets(facts: Facts) -> list[Json]:
    """Every source, and the instructions of the supervised pass."""
    named, found = kinds(facts), []
    for row in facts.sources:
        licences = sorted(row.get("licences") or [row.get("licence")])
        files = [prop("freehold:file:sha256", f"{file['sha256']} {file.get('path', '')}") for file in row["files"]]
        about = [
            prop("freehold:obtained", named[row["name"]] or "not stated"),
            prop("freehold:opt-out", row.get("opt_out")),
        ]
        about += [prop("freehold:documents", row.get("documents_kept")), prop("freehold:bytes", row.get("bytes_kept"))]
        about += [prop("freehold:statute", row["statute"])] if row.get("statute") else []
        found.append(dataset(row["name"], licences=licences, origin=row.get("origin"), about=[*about, *files]))
    if INSTRUCTIONS in named:
        read = facts.step("refine", "files").value or {}
        files = [
            prop("freehold:file:sha256", f"{digest} {name}")
            for name, digest in sorted(read.items())
            if name.startswith("refine/")
        ]
        about = [prop("freehold:obtained", named[INSTRUCTIONS] or "not stated"), *files]
        found.append(dataset(INSTRUCTIONS, licences=[], origin=None, about=about))
    return found


def dataset(name: str, *, licences: list[Any], origin: Any, about: list[Json]) -> Json:
    """One dataset as a component."""
    row: Json = {
        "type": "data",
        "bom-ref": f"data:{name}",
        "name": str(name),
        "tags": ["g7:datasets"],
        "properties": about,
    }
    row["data"] = [{"type": "dataset", "name": str(name)}]
    known = [licence(str(one)) for one in licences if one]
    return row | ({"licenses": known} if known else {}) | ({"description": f"origin: {origin}"} if origin else {})


def software(facts: Facts) -> list[Json]:
    """Every package of environment.lock."""
    rows = []
    for package in facts.at(LOCK, "packages").value or []:
        name, version = package["name"], package["version"]
        normal = name.lower().replace("_", "-").replace(".", "-")
        purl = f"pkg:pypi/{encoded(normal)}@{encoded(version)}"
        row: Json = {
            "type": "library",
            "bom-ref": purl,
            "name": name,
            "version": version,
            "purl": purl,
            "tags": ["g7:system"],
        }
        if "licence" in package:
            spdx = package["kind"].startswith("SPDX")
            row["licenses"] = [
                {"expression": package["licence"]} if spdx else {"license": {"name": package["licence"]}}
            ]
        rows.append(row)
    return rows


def encoded(text: str) -> str:
    """Percent-encoding as package URLs have it: ``encoded("2.13.0+cpu") == "2.13.0%2Bcpu"``."""
    return re.sub(r"[^A-Za-z0-9.~_-]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)


def machine(facts: Facts) -> list[Json]:
    """The processor, system and Python that trained."""
    found = facts.step("train", "environment")
    if not found:
        return []
    row, tags = found.value, ["g7:infrastructure"]
    rows: list[Json] = [{"type": "platform", "bom-ref": "infrastructure:platform", "name": "Python", "tags": tags}]
    rows[0] |= {"version": str(row.get("python")), "description": f"on {row.get('system')}"}
    if processor := row.get("processor"):
        rows.append({"type": "device", "bom-ref": "infrastructure:processor", "name": str(processor), "tags": tags})
    return rows


def dependencies(components: list[Json]) -> list[Json]:
    """The system uses the model, the model its data and its software."""
    rest = sorted(row["bom-ref"] for row in components if row["bom-ref"] != MODEL)
    return [{"ref": "system", "dependsOn": [MODEL]}, {"ref": MODEL, "dependsOn": rest}]


def licence(name: str) -> Json:
    """A licence by its SPDX identifier where it is one that we know, else by its name."""
    return {"license": {"id": name} if name in SPDX else {"name": name}}


def prop(name: str, value: object) -> Json:
    """One property; values are texts."""
    return {"name": name, "value": str(value)}


def sha256(digest: str) -> Json:
    """A hash as CycloneDX writes it."""
    return {"alg": "SHA-256", "content": digest}
