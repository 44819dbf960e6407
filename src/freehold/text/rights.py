"""May this text be used: licences against the charter's policy, and lists of those who opted out.

Licences are SPDX expressions (SPDX 2.3, annex D) over SPDX identifiers, `LicenseRef-…` names and the house names
`public-domain` and `public-domain-law`; they are compared without regard to case.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

TOKEN = re.compile(r"\(|\)|[^\s()]+")
SHA256 = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})")
SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://(?:www\.)?", re.IGNORECASE)


def permits(licence: str, *, allowed: Collection[str]) -> bool:
    """Whether a licence expression can be met by the allowed licences alone.

    `A OR B` needs one of them, `A AND B` both; an expression that cannot be read is not permitted.

    >>> permits("MIT OR GPL-3.0-only", allowed=["mit"]), permits("MIT AND CC-BY-4.0", allowed=["MIT"])
    (True, False)
    """
    known = {name.casefold() for name in allowed}
    if licence.strip().casefold() in known:
        return True
    tokens = TOKEN.findall(licence)
    if len(tokens) < 2 or len(tokens) > 200:
        return False
    holds, rest = either(tokens, known)
    return holds and not rest


def either(tokens: list[str], known: set[str]) -> tuple[bool, list[str]]:
    """``both OR both …``; what it is worth and the tokens behind it."""
    holds, rest = both(tokens, known)
    while rest[:1] == ["OR"]:
        other, rest = both(rest[1:], known)
        holds = holds or other
    return holds, rest


def both(tokens: list[str], known: set[str]) -> tuple[bool, list[str]]:
    """``one AND one …``; what it is worth and the tokens behind it."""
    holds, rest = one(tokens, known)
    while rest[:1] == ["AND"]:
        other, rest = one(rest[1:], known)
        holds = holds and other
    return holds, rest


def one(tokens: list[str], known: set[str]) -> tuple[bool, list[str]]:
    """A licence, a licence with an exception (``GPL-2.0-only WITH …``), or an expression in brackets."""
    if not tokens or tokens[0] in (")", "OR", "AND", "WITH"):
        return False, ["?"]
    if tokens[0] == "(":
        holds, rest = either(tokens[1:], known)
        return (holds, rest[1:]) if rest[:1] == [")"] else (False, ["?"])
    if tokens[1:2] == ["WITH"] and len(tokens) > 2:
        return " ".join(tokens[:3]).casefold() in known, tokens[3:]
    return tokens[0].casefold() in known, tokens[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOuts:
    """Documents that must stay out: by id, by the beginning of their URL, by the SHA-256 of their text."""

    ids: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()  # without scheme and www.
    digests: frozenset[str] = frozenset()  # lower-case hex

    def match(self, document_id: str, *, url: str | None, digests: Iterable[str]) -> str | None:
        """The kind of entry that names the document ("id", "url" or "sha256"), or None."""
        if document_id in self.ids:
            return "id"
        if url and self.prefixes and plain_url(url).startswith(self.prefixes):
            return "url"
        return "sha256" if self.digests and not self.digests.isdisjoint(digests) else None


def plain_url(url: str) -> str:
    """A URL without what does not tell two places apart: scheme, ``www.``, the case of the host.

    >>> plain_url("https://www.Example.org/Law")
    'example.org/Law'
    """
    host, slash, path = SCHEME.sub("", url.strip()).partition("/")
    return host.casefold() + slash + path


def parse_opt_outs(text: str) -> OptOuts:
    """Read an opt-out list: one entry a line, ``#`` begins a comment line.

    An entry with ``://`` is the beginning of a URL, 64 hex digits are a SHA-256, anything else is a document id.

    >>> parse_opt_outs("# ours\\nhttps://example.org/private\\nlaw/17").ids
    frozenset({'law/17'})
    """
    entries = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    digests = {found[1].lower() for entry in entries if (found := SHA256.fullmatch(entry))}
    urls = {plain_url(entry) for entry in entries if SCHEME.match(entry)}
    ids = {entry for entry in entries if not SCHEME.match(entry) and not SHA256.fullmatch(entry)}
    return OptOuts(ids=frozenset(ids), prefixes=tuple(sorted(urls)), digests=frozenset(digests))
