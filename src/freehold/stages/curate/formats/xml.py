"""XML of literature and law: TEI (P5 Guidelines) and Akoma Ntoso (OASIS LegalDocML 1.0); other XML is named and left.

One document a file, several for a teiCorpus. Title, language, date and licence are what the header says.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from freehold.stages.curate.confined import Fault, confined
from freehold.stages.curate.formats.blocks import descendants, local, paragraphs, said, tree
from freehold.stages.curate.formats.record import MAX_FIELD, Dropped, File, Raw, sha256, too_long
from freehold.stages.curate.streams import read_bounded
from freehold.text.evidence import licence_of_words

XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
TEI_BLOCKS: Final = """
    ab bibl body byline castItem castList closer dateline div div1 div2 div3 docAuthor docImprint docTitle epigraph head
    item l lg list note opener p quote row salute signed sp speaker stage table titlePage titlePart trailer
"""
LEGAL_BLOCKS: Final = """
    alinea article authorialNote blockContainer blockList body book chapter clause conclusions content crossHeading
    docTitle formula heading intro item listIntroduction longTitle mainBody num p paragraph part point preamble preface
    recital recitals section subparagraph subsection title tr wrapUp
"""
TEI_LEFT_OUT: Final = "teiHeader facsimile fw standOff del sic orig"  # of a choice, what is corrected stays
LEGAL_LEFT_OUT: Final = "meta remark"
BLOCKS: Final = {"tei": frozenset(TEI_BLOCKS.split()), "akoma-ntoso": frozenset(LEGAL_BLOCKS.split())}
LEFT_OUT: Final = {"tei": frozenset(TEI_LEFT_OUT.split()), "akoma-ntoso": frozenset(LEGAL_LEFT_OUT.split())}


def read(file: File) -> Iterator[Raw | Dropped]:
    """The documents of an XML file."""
    data = read_bounded(file.path, limit=file.limit_bytes)
    if data is None:
        yield too_long(file.name, limit=file.limit_bytes)
        return
    found = confined("freehold.stages.curate.formats.xml:documents").ask(data)
    if isinstance(found, Fault):
        reason = "invalid-xml" if found.detail == "XMLSyntaxError" else found.reason
        yield Dropped(id=file.name, reason=reason, detail=found.detail)
    elif not found:
        yield Dropped(id=file.name, reason="unknown-xml", detail="neither TEI nor Akoma Ntoso")
    else:
        for number, facts in enumerate(found, start=1):
            yield document(facts, name=file.name if number == 1 else f"{file.name}#{number}", data=data)


def document(facts: dict[str, Any], *, name: str, data: bytes) -> Raw | Dropped:
    """What the confined part found, as a record."""
    if not facts["text"]:
        return Dropped(id=name, reason="no-text", detail="its body is empty")
    return Raw(id=name, markup=False, url=None, origin=None, checksum=sha256(data), **facts)


def documents(data: bytes) -> list[dict[str, Any]]:
    """The confined part: the documents of one file; none where it is XML of another kind."""
    root = tree(data)
    if local(root) == "teiCorpus":
        return [tei(part) for part in descendants(root, "TEI")]
    if local(root) == "TEI":
        return [tei(root)]
    return [akoma_ntoso(root)] if local(root) == "akomaNtoso" else []


def tei(root: Any) -> dict[str, Any]:
    """One TEI document; `availability` in its header names the licence."""
    header = next(descendants(root, "teiHeader"), root)
    body = next(descendants(root, "text"), None)
    language = next((element.get("ident") for element in descendants(header, "language")), None)
    statement = next(descendants(header, "publicationStmt"), header)
    terms = next(descendants(header, "availability"), None)
    licence = None
    for element in () if terms is None else terms.iter():
        licence = licence or licence_of_words(f"{element.get('target') or ''} {element.text or ''}")
    date = next(descendants(statement, "date"), None)
    return {
        "text": "" if body is None else joined(body, "tei"),
        "language": (None if body is None else body.get(XML_LANG)) or root.get(XML_LANG) or language,
        "licence": licence,
        "evidence": "teiHeader: availability" if licence else None,
        "title": clipped(said(header, "title")),
        "date": None if date is None else clipped(date.get("when") or date.text),
    }


def akoma_ntoso(root: Any) -> dict[str, Any]:
    """One act, bill, judgment or debate; the FRBR block of its expression tells language and date."""
    expression = next(descendants(root, "FRBRExpression"), root)
    language = next((element.get("language") for element in descendants(expression, "FRBRlanguage")), None)
    date = next((element.get("date") for element in descendants(expression, "FRBRdate")), None)
    title = said(root, "docTitle") or said(root, "shortTitle")
    alias = next((element.get("value") for element in descendants(root, "FRBRalias")), None)
    text, facts = joined(root, "akoma-ntoso"), {"licence": None, "evidence": None}
    return facts | {"text": text, "language": language, "title": clipped(title or alias), "date": clipped(date)}


def joined(root: Any, kind: str) -> str:
    """The text below an element, a blank line between blocks."""
    return "\n\n".join(paragraphs(root, blocks=BLOCKS[kind], left_out=LEFT_OUT[kind]))


def clipped(text: str | None) -> str | None:
    """A field no longer than a field may be; None where it is blank."""
    return (text or "").strip()[:MAX_FIELD] or None
