"""Every format's own reader: what it takes from a file, and how it leaves a bad one."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import made_files as made
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freehold.stages.curate.formats import epub, pdf, xml
from freehold.stages.curate.formats.record import Dropped, Found, Notice, Raw
from freehold.stages.curate.formats.warc import notice_kind
from freehold.stages.curate.readers import records

TEXT = "Die Würde des Menschen ist unantastbar.\n\nSie zu achten und zu schützen ist Verpflichtung."
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
Put = Callable[[str, bytes], list[Found]]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Write a file and read it: put("a.pdf", data) → what is found."""

    def write(name: str, data: bytes, limit: int = 100_000) -> list[Found]:
        path = tmp_path / name
        path.write_bytes(data)
        return list(records(path, name=f"s/{name}", declared="auto", limit=limit))

    return write


def only(found: list[Found]) -> Raw:
    assert len(found) == 1
    assert isinstance(found[0], Raw), found
    return found[0]


def reasons(found: list[Found]) -> list[str]:
    return [item.reason for item in found if isinstance(item, Dropped)]


def test_pdf(put: Put) -> None:
    data = made.pdf([TEXT.replace("\n\n", "\n"), "Zweite Seite."], title="Grundgesetz")
    record = only(put("a.pdf", data))
    assert record.text.split() == (TEXT + " Zweite Seite.").split()
    assert (record.title, record.date, record.language) == ("Grundgesetz", "2024-01-31", "de-DE")
    assert (record.id, record.checksum) == ("s/a.pdf", hashlib.sha256(data).hexdigest())


def test_a_pdf_longer_than_a_record(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(made.pdf([TEXT] * 5))
    found = list(records(tmp_path / "a.pdf", name="a.pdf", declared="auto", limit=200))
    assert [item.id for item in found if isinstance(item, Raw)] == ["a.pdf", "a.pdf#2", "a.pdf#3"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (made.pdf([""]), "no-text"),
        (made.pdf([TEXT])[:300], "broken-file"),
        (b"no pdf", "broken-file"),
        (b"", "broken-file"),
        (made.pdf([TEXT], encrypted=True), "encrypted-file"),
    ],
)
def test_bad_pdfs(put: Put, data: bytes, reason: str) -> None:
    assert reasons(put("a.pdf", data)) == [reason]


def test_epub(put: Put) -> None:
    data = made.epub([TEXT, "Zweites Kapitel & Schluss."], rights="CC BY: creativecommons.org/licenses/by/4.0/")
    record = only(put("a.epub", data))
    assert record.text == f"{TEXT}\n\nZweites Kapitel & Schluss."
    assert (record.title, record.language, record.date) == ("Ein Buch", "de", "1905-04-01")
    assert (record.licence, record.evidence) == ("CC-BY-4.0", "dc:rights of its package")


def flagged(data: bytes) -> bytes:
    """A zip whose members claim to be encrypted, in both of their heads."""
    data = bytearray(data)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + place] |= 1
            at = data.find(mark, at + 4)
    return bytes(data)


def nested(depth: int) -> bytes:
    return b"<html><body>" + b"".join(b'<div id="%d">' % (n * n) for n in range(depth)) + b"tief"


ENTITIES = (
    b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    b"<html><body><p>&b;&f;</p></body></html>"
)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (made.epub([TEXT])[:-200], "broken-archive"),
        (b"PK", "broken-archive"),
        (made.epub([TEXT], extra={"META-INF/container.xml": b"<container/>"}), "broken-archive"),
        (made.epub([TEXT], extra={"OEBPS/c0.xhtml": b"<p>" + b" " * 20_000_000 + b"</p>"}), "archive-bomb"),
        (made.epub([TEXT], extra={"OEBPS/c0.xhtml": nested(20_000)}), "invalid-xml"),
        (made.epub([TEXT], extra={"OEBPS/c0.xhtml": ENTITIES}), "no-text"),
        (flagged(made.epub([TEXT])), "encrypted-file"),
        (made.epub([""]), "no-text"),
    ],
)
def test_bad_books(put: Put, data: bytes, reason: str) -> None:
    assert reasons(put("a.epub", data)) == [reason]


def test_a_member_that_lies_about_its_size(put: Put) -> None:
    data = bytearray(made.epub([TEXT], extra={"OEBPS/c0.xhtml": b"<p>" + b" " * 20_000_000 + b"</p>"}))
    with zipfile.ZipFile(BytesIO(data)) as archive:
        size = archive.getinfo("OEBPS/c0.xhtml").file_size
    honest = size.to_bytes(4, "little")
    assert data.count(honest) == 2
    assert reasons(put("a.epub", bytes(data).replace(honest, (5000).to_bytes(4, "little")))) == ["broken-archive"]


def test_tei(put: Put) -> None:
    record = only(put("a.xml", made.tei(TEXT)))
    assert record.text == TEXT
    assert (record.title, record.language, record.date) == ("Ein Drama", "de", "1905-04-01")
    assert (record.licence, record.evidence) == ("CC-BY-4.0", "teiHeader: availability")
    assert only(put("b.xml", made.tei(TEXT, licence="https://example.org/our-terms"))).licence is None


def test_a_corpus_of_several(put: Put) -> None:
    data = b"<teiCorpus>" + made.tei(TEXT) * 2 + made.tei("") + b"</teiCorpus>"
    found = put("a.xml", data)
    assert [item.id for item in found] == ["s/a.xml", "s/a.xml#2", "s/a.xml#3"]  # type: ignore[union-attr]
    assert reasons(found) == ["no-text"]


def test_akoma_ntoso(put: Put) -> None:
    record = only(put("a.akn", made.akoma_ntoso(["Erster Satz.", "Zweiter Satz."])))
    assert record.text == "Ein Gesetz\n\nArt. 1\n\nErster Satz.\n\nArt. 2\n\nZweiter Satz."
    assert (record.title, record.language, record.date) == ("Ein Gesetz", "deu", "2024-01-31")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<svg/>", "unknown-xml"),
        (b"<TEI><text>", "invalid-xml"),
        (b"<TEI>" * 100_000, "invalid-xml"),
        (made.tei(TEXT).replace(b"<body>", b"<body>&nothing;"), "invalid-xml"),
        (b'<!DOCTYPE TEI [<!ENTITY f SYSTEM "file:///etc/passwd">]><TEI><text>&f;</text></TEI>', "no-text"),
        (b"<TEI><text>\xff\xfe</text></TEI>", "invalid-xml"),
        (b"<TEI><text>" + b"x " * 600_000 + b"</text></TEI>", "record-too-long"),
    ],
)
def test_bad_xml(put: Put, data: bytes, reason: str) -> None:
    assert reasons(put("a.xml", data)) == [reason]


CRAWL: list[made.Response] = [
    ("https://e.org/robots.txt", 200, "text/plain", b"User-agent: *\nDisallow: /x\n", {}),
    ("https://E.org/.well-known/tdmrep.json", 404, "text/html", b"", {}),
    ("https://e.org/a", 200, "text/html; charset=iso-8859-1", made.html(TEXT).decode().encode("latin-1"),
     {"TDM-Reservation": "1", "Server": "x", "X-Robots-Tag": "noai"}),
    ("https://e.org/b.txt", 200, "text/plain", TEXT.encode(), {}),
    ("https://e.org/c.pdf", 200, "application/pdf", made.pdf([TEXT]), {}),
    ("https://e.org/d.png", 200, "image/png", b"\x89PNG", {}),
    ("https://e.org/gone", 410, "text/html", b"gone", {}),
]  # fmt: skip


@pytest.mark.parametrize("packed", ["a.warc.gz", "a.warc", "a.warc.zst"])
def test_warc(put: Put, packed: str) -> None:
    data = made.warc(CRAWL, gzip=packed.endswith("gz"))
    found = put(packed, zstandard.compress(data) if packed.endswith("zst") else data)
    page, text, paper = (item for item in found if isinstance(item, Raw))
    assert (page.markup, "Würde" in page.text, page.url) == (True, True, "https://e.org/a")
    assert {item.retrieved for item in (page, text, paper)} == {"2024-05-01T12:00:00Z"}
    assert json.loads(page.headers or "") == {
        "content-type": "text/html; charset=iso-8859-1", "tdm-reservation": "1", "x-robots-tag": "noai",
    }  # fmt: skip
    assert (text.text, text.checksum) == (TEXT, hashlib.sha256(TEXT.encode()).hexdigest())
    assert paper.text.split() == TEXT.split()
    robots, reserved = (item for item in found if isinstance(item, Notice))
    assert (robots.host, robots.kind, robots.status) == ("e.org", "robots", 200)
    assert robots.body.startswith("User-agent")
    assert (reserved.host, reserved.kind, reserved.status) == ("e.org", "tdmrep", 404)
    assert reasons(found) == ["not-text", "http-status"]


@pytest.mark.parametrize("gzip", [True, False])
@pytest.mark.parametrize("damage", ["truncated", "flipped", "foreign"])
def test_a_damaged_archive_gives_what_came_before(tmp_path: Path, gzip: bool, damage: str) -> None:
    data = bytearray(made.warc([CRAWL[3]] * 200, gzip=gzip))
    if damage == "truncated":
        del data[-100:]
    elif damage == "foreign":
        data[:] = b"this was never an archive\n" * 5
    elif gzip:
        data[len(data) // 2 : len(data) // 2 + 60] = b"\xff" * 60
    else:
        place = data.find(b"Content-Length: ", len(data) // 2)
        data[place : place + 18] = b"Content-Length: 99"[:18]
    path = tmp_path / ("a.warc.gz" if gzip else "a.warc")
    path.write_bytes(data)
    found: list[Found] = []
    with pytest.raises((OSError, ValueError, EOFError)):
        for item in records(path, name="a", declared="auto", limit=100_000):
            found.append(item)
    assert all(isinstance(item, Raw) for item in found)
    assert bool(found) == (damage != "foreign")


def test_a_head_without_an_end(tmp_path: Path) -> None:
    path = tmp_path / "a.warc"
    path.write_bytes(b"WARC/1.0\r\nX: " + b"x" * (1 << 25))
    with pytest.raises(OSError, match="a head of more than"):
        list(records(path, name="a", declared="auto", limit=1000))


@pytest.mark.parametrize(
    "text", ["<!-- SPDX-License-Identifier: CC-BY-4.0 -->\n", "# SPDX-License-Identifier: CC-BY-4.0\n"]
)
def test_a_licence_at_the_head(put: Put, text: str) -> None:
    record = only(put("a.md", (text + TEXT).encode()))
    assert (record.licence, record.evidence) == ("CC-BY-4.0", "SPDX-License-Identifier at its head")


def test_a_licence_in_prose_is_none(put: Put) -> None:
    assert only(put("a.md", b"Write SPDX-License-Identifier: MIT at the head of a file.")).licence is None


def test_licence_files_are_no_documents(put: Put) -> None:
    assert reasons(put("LICENSE.txt", b"MIT License")) == ["licence-file"]


@SLOW
@given(st.binary(max_size=300), st.integers(0, 2000), st.integers(0, 255))
def test_any_bytes_are_a_book_or_a_reason(noise: bytes, place: int, value: int) -> None:
    damaged = bytearray(made.epub([TEXT]))
    damaged[place % len(damaged)] = value
    for data in (noise, bytes(damaged)):
        found = epub.book(data)
        assert "refused" in found or "".join(found["chapters"])


@SLOW
@given(st.integers(0, 2000), st.binary(min_size=1, max_size=4))
def test_any_damage_leaves_pdf_a_text_or_a_reason(place: int, noise: bytes) -> None:
    data = bytearray(made.pdf([TEXT]))
    place %= len(data)
    data[place : place + len(noise)] = noise
    found = pdf.pages(bytes(data))
    assert "refused" in found or "".join(found["pages"]).strip()


XMLISH = st.text(alphabet='<>/&;="abTEIxtp :?![]', max_size=80)


@SLOW
@given(XMLISH)
def test_any_xml_is_documents_or_an_error(inside: str) -> None:
    for data in (inside.encode(), f"<TEI><text>{inside}</text></TEI>".encode()):
        try:
            assert isinstance(xml.documents(data), list)
        except Exception as error:
            assert type(error).__name__ == "XMLSyntaxError", error


@given(st.text(max_size=60))
def test_any_address_is_a_notice_or_none(url: str) -> None:
    assert notice_kind(f"https://{url}") in (None, "robots", "tdmrep")
