"""Files of every format, made by hand from plain text."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from html import escape
from io import BytesIO

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter


def pdf(pages: Sequence[str], *, title: str = "", encrypted: bool = False) -> bytes:
    """A PDF with a text layer in Helvetica (WinAnsi), one line of text a line, and nothing else."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Lang (de-DE) >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, text in enumerate(pages):
        lines = [line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)") for line in text.split("\n")]
        shown = "".join(f"({line}) Tj T* " for line in lines).encode("cp1252")
        stream = b"BT /F1 9 Tf 40 800 Td 11 TL " + shown + b"ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 2000 842] /Contents {5 + 2 * number} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n" % len(stream) + stream + b"\nendstream")
    objects.append(f"<< /Title ({title}) /CreationDate (D:20240131120000Z) >>".encode())
    out = BytesIO()
    out.write(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n" % number + body + b"\nendobj\n")
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    lock = (
        "/Encrypt << /Filter /Standard /V 1 /R 2 /O <"
        + "00" * 32
        + "> /U <"
        + "00" * 32
        + "> /P -4 >> /ID [<00> <00>] "
    )
    facts = f"/Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R {lock if encrypted else ''}"
    out.write(f"trailer\n<< {facts}>>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


def epub(
    chapters: Sequence[str], *, title: str = "Ein Buch", rights: str = "", extra: dict[str, bytes] | None = None
) -> bytes:
    """An EPUB 3 book; `extra` members take the place of ours."""
    names = [f"c{number}.xhtml" for number in range(len(chapters))]
    items = "".join(
        f'<item id="i{n}" href="{name}" media-type="application/xhtml+xml"/>' for n, name in enumerate(names)
    )
    refs = "".join(f'<itemref idref="i{n}"/>' for n in range(len(names)))
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{escape(title)}</dc:title><dc:language>de</dc:language><dc:rights>{escape(rights)}</dc:rights>"
        f"<dc:date>1905-04-01</dc:date></metadata><manifest>{items}</manifest><spine>{refs}</spine></package>"
    )
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
    )
    members = {"mimetype": b"application/epub+zip", "META-INF/container.xml": container.encode()}
    members["OEBPS/book.opf"] = package.encode()
    for name, chapter in zip(names, chapters, strict=True):
        body = "".join(f"<p>{escape(part)}</p>" for part in chapter.split("\n\n"))
        page = f"<html xmlns='http://www.w3.org/1999/xhtml'><head><title>x</title></head><body>{body}</body></html>"
        members[f"OEBPS/{name}"] = page.encode()
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (members | (extra or {})).items():
            archive.writestr(name, data)
    return out.getvalue()


def html(text: str, *, title: str = "Titel") -> bytes:
    """A page with navigation and an article."""
    parts = "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n"))
    head = f"<head><title>{escape(title)}</title></head>"
    return f"<html>{head}<body><nav>Start</nav><article>{parts}</article></body></html>".encode()


def tei(text: str, *, licence: str = "https://creativecommons.org/licenses/by/4.0/") -> bytes:
    """A TEI document."""
    parts = "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n"))
    return (
        '<TEI xmlns="http://www.tei-c.org/ns/1.0"><teiHeader><fileDesc><titleStmt><title>Ein Drama</title></titleStmt>'
        f'<publicationStmt><availability><licence target="{licence}">frei</licence></availability>'
        f'<date when="1905-04-01"/></publicationStmt></fileDesc></teiHeader><text xml:lang="de"><front/><body>{parts}'
        "</body></text></TEI>"
    ).encode()


def akoma_ntoso(articles: Sequence[str]) -> bytes:
    """An act in Akoma Ntoso."""
    body = "".join(
        f"<article><num>Art. {number}</num><content><p>{escape(text)}</p></content></article>"
        for number, text in enumerate(articles, start=1)
    )
    return (
        '<akomaNtoso xmlns="http://docs.oasis-open.org/legaldocml/ns/akn/3.0"><act><meta><identification><FRBRExpression>'
        '<FRBRdate date="2024-01-31" name="x"/><FRBRlanguage language="deu"/></FRBRExpression></identification></meta>'
        f"<preface><p><docTitle>Ein Gesetz</docTitle></p></preface><body>{body}</body></act></akomaNtoso>"
    ).encode()


Response = tuple[str, int, str, bytes, dict[str, str]]  # URL, status, content type, body, further headers


def warc(responses: Sequence[Response], *, gzip: bool = True) -> bytes:
    """A WARC archive of responses."""
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=gzip)
    for number, (url, status, kind, body, further) in enumerate(responses):
        headers = StatusAndHeaders(f"{status} X", [("Content-Type", kind), *further.items()], protocol="HTTP/1.1")
        facts = {
            "WARC-Date": "2024-05-01T12:00:00Z",
            "WARC-Record-ID": f"<urn:uuid:00000000-0000-4000-8000-{number:012d}>",
        }
        record = writer.create_warc_record(
            url, "response", payload=BytesIO(body), http_headers=headers, warc_headers_dict=facts
        )
        writer.write_record(record)
    return out.getvalue()
