"""Fields about the model: what it is, how it was trained, what that took."""

from __future__ import annotations

from typing import Any

from freehold.law import compute
from freehold.law.facts import CONFIG, LOCK, MISSING, RECIPE, REFINED, Facts, Value, computed
from freehold.law.packs import Pack

Spec = dict[str, Any]
WEIGHTS = ".safetensors"
SHOWN = ("torch", "tokenizers", "safetensors", "numpy", "freehold")  # software that training stands on


def provider(facts: Facts, _: Pack, __: Spec) -> Value:
    """Who answers for the model."""
    parts = [facts.named("responsible", key) for key in ("name", "country", "contact")]
    if not parts[0]:
        return MISSING
    told = "; ".join(str(part.value) for part in parts if part)
    return Value(value=told, origin="declared", cites=tuple(cite for part in parts for cite in part.cites))


def model_name(facts: Facts, _: Pack, __: Spec) -> Value:
    """Name and version."""
    parts = [facts.named("release", key) for key in ("name", "version")]
    return Value(value=facts.title, origin="declared", cites=tuple(cite for part in parts for cite in part.cites))


def licence(facts: Facts, _: Pack, __: Spec) -> Value:
    """Of the weights."""
    return facts.named("release", "licence")


def version(facts: Facts, _: Pack, __: Spec) -> Value:
    """Of the document: it follows the release."""
    return facts.named("release", "version")


def last_update(facts: Facts, _: Pack, __: Spec) -> Value:
    """The day on which the last stage before the release ended."""
    ended = facts.step("evaluate", "finished")
    return Value(value=ended.value[:10], origin="fact", cites=ended.cites) if ended else MISSING


def dependencies(facts: Facts, _: Pack, __: Spec) -> Value:
    """The open model that training went on from, or that it began with random weights."""
    base, seed = facts.step("train", "parameters", "base"), facts.at(RECIPE, "seed")
    if base:
        weights = facts.at(RECIPE, "base")
        text = f"{base.value['path']} ({base.value['licence']}), weights {weights.value}"
        return Value(value=text, origin="fact", cites=base.cites + weights.cites)
    if not seed:
        return MISSING
    text = f"None: trained from random weights, drawn from the published seed {seed.value}."
    return Value(value=text, origin="fact", cites=seed.cites)


def if_based(facts: Facts, _: Pack, spec: Spec) -> Value:
    """A statement that only a model with a base needs."""
    if facts.at(RECIPE, "base"):
        return facts.said(spec["key"])
    origin = facts.at(RECIPE, "seed")
    return Value(value="Not applicable: no base model.", origin="fact", cites=origin.cites) if origin else MISSING


def authenticity(facts: Facts, _: Pack, __: Spec) -> Value:
    """SHA-256 of every file of weights."""
    for stage in ("refine", "train"):
        made = facts.step(stage, "manifest")
        weights = {
            path: row["sha256"]
            for path, row in (made.value or {}).items()
            if path.startswith("model/") and path.endswith(WEIGHTS)
        }
        if weights:
            told = [f"{path}: SHA-256 {digest}" for path, digest in sorted(weights.items())]
            return Value(value=told, origin="fact", cites=made.cites)
    return MISSING


def architecture(facts: Facts, _: Pack, __: Spec) -> Value:
    """The family and its shape."""
    model = facts.at(RECIPE, "model")
    if not model:
        return MISSING
    shape = model.value
    sparse = " with experts" if shape.get("experts") else ""
    size = f"{shape['depth']} layers, width {shape['width']:,}, vocabulary {shape['vocab_size']:,}"
    text = f"Decoder-only transformer of the family {shape.get('family')}{sparse}: {size}."
    return Value(value=text, origin="fact", cites=model.cites)


def design(facts: Facts, _: Pack, __: Spec) -> Value:
    """The shape, number by number."""
    model = facts.at(RECIPE, "model")
    if not model:
        return MISSING
    told = [
        f"{key}: {found}"
        for key, found in sorted(model.value.items())
        if isinstance(found, int | float | bool) and found is not None
    ]
    return Value(value=told, origin="fact", cites=model.cites)


def input_modalities(facts: Facts, _: Pack, __: Spec) -> Value:
    """Text alone, up to the context."""
    context = facts.at(CONFIG, "max_position_embeddings") or facts.at(RECIPE, "model", "context")
    if not context:
        return MISSING
    return Value(
        value=f"Text, up to {context.value:,} tokens together with the output. No images, audio or video.",
        origin="fact",
        cites=context.cites,
    )


def parameters(facts: Facts, _: Pack, __: Spec) -> Value:
    """Learned numbers, as training counted them."""
    count = facts.step("train", "figures", "parameters")
    return Value(value=f"{count.value:,} ({count.value:.2e})", origin="fact", cites=count.cites) if count else MISSING


def parameter_bin(facts: Facts, pack: Pack, _: Spec) -> Value:
    """The bin of the form."""
    count = facts.step("train", "figures", "parameters")
    found = compute.bin_of(count.value, pack.thresholds["parameters"]) if count else None
    return computed(found, "bin of the rule pack", count)


def training_design(facts: Facts, _: Pack, __: Spec) -> Value:
    """The recipe in a few lines."""
    recipe, read = facts.at(RECIPE, "rates"), compute.tokens_read(facts)
    if not recipe or not read:
        return MISSING
    row = facts.files[RECIPE]
    told = [
        f"Pre-training: {row['steps']:,} steps over {read.value:,} tokens, next-token prediction, seed {row['seed']}, "
        f"windows of {row['sequence']:,} tokens, numbers in {row['precision']}.",
        f"Muon for matrices at a rate of {row['rates']['matrix']}, AdamW for the rest.",
    ]
    refined = facts.at(REFINED, "steps")
    if refined:
        told.append(f"Supervised refinement on instructions: {refined.value:,} steps.")
    return computed(told, "sentences made of the recipe's numbers", recipe, read, *([refined] if refined else []))


def training_time(facts: Facts, _: Pack, __: Spec) -> Value:
    """Wall-clock time."""
    seconds = compute.training_seconds(facts)
    if not seconds:
        return seconds
    text = f"{seconds.value:,.0f} s ({seconds.value / 86400:.3g} days)"
    return Value(value=text, origin="computed", cites=seconds.cites, method=seconds.method)


def training_flop(facts: Facts, _: Pack, __: Spec) -> Value:
    """FLOP of training, exact and rounded."""
    return flop(compute.training_flop(facts))


def inference_flop(facts: Facts, _: Pack, __: Spec) -> Value:
    """FLOP of a generated token."""
    return flop(compute.inference_flop(facts), unit="FLOP a token")


def flop(found: Value, *, unit: str = "FLOP") -> Value:
    """A count as it is printed."""
    if not found:
        return found
    text = f"{found.value:.3g} {unit} ({found.value:,})"
    return Value(value=text, origin=found.origin, cites=found.cites, method=found.method)


def energy(facts: Facts, _: Pack, __: Spec) -> Value:
    """MWh, declared or derived."""
    found = compute.energy(facts)
    return (
        Value(value=f"{found.value:g} MWh", origin=found.origin, cites=found.cites, method=found.method)
        if found
        else found
    )


def scope(facts: Facts, pack: Pack, _: Spec) -> Value:
    """Whether the thresholds make these documents an obligation."""
    return compute.scope(facts, pack.thresholds)


def hardware(facts: Facts, _: Pack, __: Spec) -> Value:
    """The machine that trained."""
    found = facts.step("train", "environment", "processor")
    device = facts.at(RECIPE, "device")
    if not found:
        return MISSING
    return Value(
        value=f"Trained on {found.value} (device: {device.value}).", origin="fact", cites=found.cites + device.cites
    )


def software(facts: Facts, _: Pack, __: Spec) -> Value:
    """What loading and training stand on; the bill of materials has all of it."""
    packages = facts.at(LOCK, "packages")
    if not packages:
        return MISSING
    told = [f"{row['name']} {row['version']}" for row in packages.value if row["name"] in SHOWN]
    return Value(value=[*told, "all of it: evidence/bom/ai.cdx.json"], origin="fact", cites=packages.cites)
