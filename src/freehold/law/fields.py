"""Which function fills which field of a rule pack. A field of another name is a statement of the charter's [law]."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from freehold.law import about_model, rights, training_data, words
from freehold.law.facts import Facts, Value
from freehold.law.packs import Pack

Fill = Callable[[Facts, Pack, dict[str, Any]], Value]

FIELDS: dict[str, Fill] = {
    "provider": about_model.provider,
    "model_name": about_model.model_name,
    "licence": about_model.licence,
    "version": about_model.version,
    "last_update": about_model.last_update,
    "dependencies": about_model.dependencies,
    "if_based": about_model.if_based,
    "authenticity": about_model.authenticity,
    "architecture": about_model.architecture,
    "design": about_model.design,
    "input_modalities": about_model.input_modalities,
    "parameters": about_model.parameters,
    "parameter_bin": about_model.parameter_bin,
    "training_design": about_model.training_design,
    "training_time": about_model.training_time,
    "training_flop": about_model.training_flop,
    "inference_flop": about_model.inference_flop,
    "energy": about_model.energy,
    "scope": about_model.scope,
    "hardware": about_model.hardware,
    "software": about_model.software,
    "sources_of_kind": training_data.of_kind,
    "text_size": training_data.text_size,
    "languages": training_data.languages,
    "content_types": training_data.content_types,
    "data_points": training_data.data_points,
    "provenance": training_data.provenance,
    "crawlers": training_data.crawlers,
    "if_kind": training_data.if_kind,
    "domains": training_data.domains,
    "curation": training_data.curation,
    "dropped": training_data.dropped,
    "goldfish": training_data.goldfish,
    "personal_data": training_data.personal,
    "fairness": training_data.fairness,
    "allowed_licences": rights.allowed,
    "grounds": rights.grounds,
    "reservations": rights.reservations,
    "honoured": rights.honoured,
    "attributions": rights.attributions,
    "text": words.text,
}


def fill(facts: Facts, pack: Pack, field: dict[str, Any]) -> Value:
    """The value of one field of a pack."""
    kind = field.get("fill", field["id"])
    return FIELDS[kind](facts, pack, field) if kind in FIELDS else facts.said(field.get("key", field["id"]))
