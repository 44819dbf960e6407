"""The certificate: complete, without scripts, and deaf to what a hostile release calls itself."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.cli.main import main as freehold
from freehold.proof import bundle
from freehold.proof.signing import keys
from freehold.proof.signing.keys import KeyFiles
from freehold.stages.verify.__main__ import main
from freehold.stages.verify.certificate import certificate
from freehold.stages.verify.report import Check, Finding, KeyUse, Report, Subject
from freehold.stages.verify.run import verify

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style><script>",
    "javascript:alert(1)",
    "\u202egnp.exe",
    "\x1b[2Ja\0b\n",
    "&lt;script&gt;",
]


class Read(HTMLParser):
    """Tags, attributes and texts of a page."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def harmless(page: bytes) -> None:
    """No script, no link, nothing fetched, no handler; the policy says so to the browser as well."""
    read = Read(page)
    assert not {"script", "img", "a", "iframe", "link", "form", "object", "svg"} & set(read.tags)
    names = {name for name, _ in read.attributes}
    assert not {name for name in names if name.startswith("on")} | (names & {"src", "href", "style", "srcset"})
    assert b"default-src &#x27;none&#x27;" in page
    assert not {sign for sign in page.decode() if ord(sign) < 32 and sign != "\n"} | (set(page.decode()) & {"\u202e"})


def told(text: str) -> Report:
    found = (Finding(where=text, message=text),)
    checks = (
        Check(number=1, verdict="NOT CHECKED", detail=text),
        Check(number=2, verdict="FAIL", detail=text, findings=found),
    )
    subject = Subject(name=text, version=text, licence=text, digest="0" * 64, files=1, size=2)
    use = KeyUse(file=text, fingerprint="f" * 64, role="trusted", party=text, note=text)
    return Report(checks=checks, subject=subject, keys=(use,))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_code(text: str) -> None:
    harmless(certificate(told(text), at=NOON, verifier="Freehold"))


@given(st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_no_text_at_all_becomes_code(text: str) -> None:
    page = certificate(told(text), at=NOON, verifier="Freehold")
    assert Read(page).tags == Read(certificate(told("x"), at=NOON, verifier="Freehold")).tags


def test_it_tells_everything(sound: Path, pairs: dict[str, KeyFiles]) -> None:
    report = verify(sound, trust=[pairs["ministry"].public], threshold=1)
    page = certificate(report, at=NOON, verifier="Freehold 0.1.0")
    harmless(page)
    text = " ".join(Read(page).texts)
    assert report.subject is not None
    for due in ("tiny 0.1.0", report.subject.digest, pairs["ministry"].fingerprint, "2026-11-21T12:00:00Z", "Freehold"):
        assert due in text
    assert page == certificate(report, at=NOON, verifier="Freehold 0.1.0")
    assert "Not checked" not in text
    unsure = certificate(verify(sound), at=NOON, verifier="x").decode()
    assert "Not checked" in unsure
    assert "no key was given" in unsure


def test_a_hostile_release_names_itself(release: Path, pairs: dict[str, KeyFiles], tmp_path: Path) -> None:
    """Signed by a trusted key, markup for a name and a licence, and a file named so beside it."""
    index = bundle.parse_release_json((release / bundle.RELEASE).read_bytes(), where="x")
    bundle.seal(release, name=HOSTILE[1], version=HOSTILE[0], licence=HOSTILE[5], inputs=index.inputs)
    shutil.rmtree(release / "evidence/signatures")
    bundle.sign_bundle(release, party="ministry", key=keys.load_private(pairs["ministry"].private))
    (release / "<script>alert(1)<").write_bytes(b"")
    page = tmp_path / "page.html"
    assert main([str(release), "--trust", str(pairs["ministry"].public), "--html", str(page)]) == 3
    harmless(page.read_bytes())


def test_a_place_that_cannot_be_written_is_bad_input(sound: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert main([str(sound), "--html", str(tmp_path / "file" / "x.html")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_release_cannot_steer_the_terminal(forge, pairs: dict[str, KeyFiles], monkeypatch, capsys) -> None:
    name = "\x1b[2J\x1b]0;PASS\x07\u202e\n"
    source = {"name": name, "licence": "CC0-1.0", "files": [{"path": "a", "sha256": "b" * 64, "bytes": 9}]}
    arguments = [str(forge(sources=[source])), "--trust", str(pairs["ministry"].public)]
    monkeypatch.setattr("sys.argv", ["freehold", "verify", *arguments])
    with pytest.raises(SystemExit, match="3"):
        freehold()
    assert main(arguments) == 3
    said = capsys.readouterr()
    assert "[U+001B][2J" in said.err and "[U+001B][2J" in said.out
    assert not {"\x1b", "\x07", "\u202e"} & set(said.err + said.out)
