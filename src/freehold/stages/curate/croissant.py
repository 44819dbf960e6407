"""The corpus described as Croissant 1.0, so that other tools find its files, columns, licences and sources.

Croissant is JSON-LD (https://docs.mlcommons.org/croissant/docs/croissant-spec.html), with its vocabulary for
responsible AI (https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html). No date of publication and no
address stand in it: curation knows neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from freehold.charter import Charter
from freehold.proof.digests import sha256_file
from freehold.stages.curate.account import Account
from freehold.stages.curate.parts import DOCUMENT

CONFORMS: Final = ("http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0")
CONTEXT: Final = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "conformsTo": "dct:conformsTo",
    **{
        name: f"cr:{name}"
        for name in (
            "citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject", "fileSet",
            "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet",
            "references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField",
            "transform",
        )
    },
}  # fmt: skip
FOLDERS: Final = {
    "documents": "Documents to train on.",
    "held_out": "Documents that are never trained on: evaluation reads them.",
}
COLUMNS: Final = {
    "id": "Name of the document, unique in the corpus.",
    "text": "Its text after extraction, repair and the replacement of personal data.",
    "language": "ISO 639-3, or a BCP 47 tag where the source names a variety.",
    "source": "Name of the source in the charter.",
    "licence": "SPDX expression, or the name of a ground on which the text is free of copyright.",
    "title": "Title, where the source gives one.",
    "url": "Address it was published at, where the source gives one.",
    "date": "Date of the document as its source writes it.",
    "origin": "Where the source was published.",
    "retrieved": "Day on which it was fetched, where its file says so (ISO 8601).",
    "evidence": "What in the file names the licence.",
    "checksum": "SHA-256 of the record's original bytes.",
    "languages": "Shares of the languages of a text in several, such as deu 0.750, fra 0.250.",
}


def describe(charter: Charter, account: Account, folder: Path, *, replaced: Mapping[str, int]) -> dict[str, Any]:
    """croissant.json for a curated `folder`; `replaced` counts personal data by kind."""
    holder = charter.responsible
    used = [source for source in charter.sources if account.kept[source.name]]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS),
        "name": f"{holder.name}: curated corpus",
        "description": (
            f"{account.kept.total():,} documents from {len(used)} sources in {len(account.training)} languages, "
            "curated by rules that a charter declares; dropped records are listed with their reasons in ledger.parquet."
        ),
        "license": sorted({licence for _, licence in account.licences}),
        "creator": {"@type": "sc:Organization", "name": holder.name},
        "inLanguage": sorted(account.training),
        "isBasedOn": [
            {"@type": "sc:CreativeWork", "name": source.name, "sourceOrganization": source.origin} for source in used
        ],
        **responsible(charter, replaced),
        "distribution": [part for name in FOLDERS for part in distribution(folder, name)],
        "recordSet": [record_set(name) for name in FOLDERS],
    }


def responsible(charter: Charter, replaced: Mapping[str, int]) -> dict[str, Any]:
    """What curation can say for itself in the RAI vocabulary."""
    return {
        "rai:dataCollection": "Files that the charter names, each with its licence: "
        + "; ".join(f"{source.name} ({source.origin})" for source in charter.sources),
        "rai:dataPreprocessingProtocol": [
            "Records without an allowed licence, opted out, or below the charter's limits of quality are dropped.",
            f"Copies and near-copies (Jaccard similarity of {charter.curate.near_duplicate:g} or more) are kept once.",
            "Similar documents are never split between training and held-out text.",
        ],
        "rai:personalSensitiveInformation": [f"{kind}: {times} replaced" for kind, times in sorted(replaced.items())],
    }


def distribution(folder: Path, name: str) -> list[dict[str, Any]]:
    """A folder of Parquet files: the set of them, and every file with its size and digest."""
    plain = {"encodingFormat": "application/x-parquet"}
    files = [f"{name}/{path.name}" for path in sorted((folder / name).glob("*.parquet"))]
    return [
        {
            "@type": "cr:FileSet",
            "@id": f"{name}-files",
            "name": f"{name}-files",
            **plain,
            "includes": f"{name}/*.parquet",
        },
        *(
            {
                "@type": "cr:FileObject",
                "@id": file,
                "name": file,
                "contentUrl": file,
                "contentSize": f"{(folder / file).stat().st_size} B",
                **plain,
                "sha256": sha256_file(folder / file),
            }
            for file in files
        ),
    ]


def record_set(name: str) -> dict[str, Any]:
    """The columns of a folder."""
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": FOLDERS[name],
        "key": {"@id": f"{name}/id"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{column}",
                "name": column,
                "description": COLUMNS[column],
                "dataType": "sc:Text",
                "source": {"fileSet": {"@id": f"{name}-files"}, "extract": {"column": column}},
            }
            for column in DOCUMENT.names
        ],
    }
