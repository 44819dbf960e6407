"""A law document as data: sections of fields, each with its value and where the value is from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from freehold.law.facts import Facts, Value
from freehold.law.packs import Pack

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One question of a template and its answer."""

    id: str
    label: str
    value: Value
    optional: bool = False  # an empty one is no gap

    @property
    def gap(self) -> bool:
        """Whether somebody has still to answer it."""
        return not self.value and not self.optional


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A numbered part of a template."""

    number: str
    title: str
    language: str  # ISO 639-1
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document, as JSON, Markdown and HTML are made of it."""

    id: str  # its file's name
    title: str
    language: str
    model: str  # name and version
    pack: Pack
    sections: tuple[Section, ...]
    files: Mapping[str, str]  # evidence that it cites → SHA-256

    @property
    def gaps(self) -> list[Field]:
        """Fields that nobody has answered."""
        return [field for section in self.sections for field in section.fields if field.gap]

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "format": FORMAT,
            "document": self.id,
            "title": self.title,
            "model": self.model,
            "pack": {"id": self.pack.id, "version": self.pack.version, "sha256": self.pack.sha256},
            "sections": [
                {
                    "number": section.number,
                    "title": section.title,
                    "language": section.language,
                    "fields": [field_json(field) for field in section.fields],
                }
                for section in self.sections
            ],
            "gaps": [field.id for field in self.gaps],
            "evidence": dict(self.files),
        }


def field_json(field: Field) -> dict[str, Any]:
    """One field; what is empty in it is left out, but for the value."""
    value = field.value
    told = {"id": field.id, "label": field.label, "value": value.value, "from": value.origin}
    told |= {"cites": list(value.cites)} if value.cites else {}
    return told | ({"method": value.method} if value.method else {})


def compose(facts: Facts, pack: Pack, layout: Mapping[str, Any], *, fill: Any) -> Document:
    """The document that a pack lays out, each field filled by `fill(facts, pack, field)`."""
    sections = tuple(
        Section(
            number=part["number"],
            title=part["title"],
            language=part.get("language", layout["language"]),
            fields=tuple(
                Field(
                    id=field["id"],
                    label=field.get("label", ""),
                    value=fill(facts, pack, field),
                    optional=field.get("optional", False),
                )
                for field in part["fields"]
            ),
        )
        for part in layout["sections"]
    )
    cited = {cite.split("#")[0] for part in sections for field in part.fields for cite in field.value.cites}
    return Document(
        id=layout["id"],
        title=layout["title"],
        language=layout["language"],
        model=facts.title,
        pack=pack,
        sections=sections,
        files={path: facts.sha256[path] for path in sorted(cited & facts.sha256.keys())},
    )
