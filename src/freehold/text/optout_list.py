"""The list of those who asked to be left out: persons and publishers, one entry a line.

An entry is a URL (its beginning, or a pattern with ``*`` and a final ``$``), a domain with everything below it
(``domain:example.org`` or ``*.example.org``), a SHA-256 of a text, or a document id (``id:…`` where it looks like one
of the others). ``#`` begins a comment, at the start of a line or behind a space.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from freehold.text.addresses import SCHEME, matches, parents, parse_address, plain_authority, plain_path

SHA256: Final = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})")
DOMAIN: Final = re.compile(r"(?:domain:|\*\.)([^\s/*]+)", re.IGNORECASE)
COMMENT: Final = re.compile(r"(?:^|\s)#.*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOuts:
    """Documents that must stay out, by what names them."""

    ids: frozenset[str] = frozenset()
    digests: frozenset[str] = frozenset()  # SHA-256, lower-case hex
    domains: frozenset[str] = frozenset()
    paths: dict[str, tuple[str, ...]] = field(default_factory=dict)  # host → beginnings of paths
    patterns: dict[str, tuple[str, ...]] = field(default_factory=dict)  # host → patterns of paths
    anywhere: tuple[tuple[str, str], ...] = ()  # patterns of host and path, where the host has a star

    def match(self, document_id: str, *, url: str | None, digests: Iterable[str]) -> str | None:
        """The kind of entry that names the document ("id", "domain", "url" or "sha256"), or None."""
        if document_id in self.ids:
            return "id"
        if self.digests and not self.digests.isdisjoint(digests):
            return "sha256"
        return self.match_url(url) if url and (self.domains or self.paths or self.patterns or self.anywhere) else None

    def match_url(self, url: str) -> str | None:
        """The kind of entry that names this address, or None."""
        address = parse_address(url)
        if address is None:
            return None
        if not self.domains.isdisjoint(parents(address.host)):
            return "domain"
        named = (
            address.path.startswith(self.paths.get(address.host, ()))
            or any(matches(pattern, address.path) for pattern in self.patterns.get(address.host, ()))
            or any(matches(f"{host}$", address.host) and matches(path, address.path) for host, path in self.anywhere)
        )
        return "url" if named else None


def parse_opt_outs(text: str) -> OptOuts:
    """Read an opt-out list.

    >>> parse_opt_outs("# ours\\nhttps://example.org/private\\nlaw/17  # by letter\\n*.example.net").ids
    frozenset({'law/17'})
    """
    ids, digests, domains = set[str](), set[str](), set[str]()
    urls: list[str] = []
    for entry in entries(text):
        if found := SHA256.fullmatch(entry):
            digests.add(found[1].lower())
        elif found := DOMAIN.fullmatch(entry):
            domains.add(plain_authority(found[1]).removeprefix("www."))
        elif SCHEME.match(entry):
            urls.append(entry)
        else:
            ids.add(entry.removeprefix("id:"))
    return placed(urls, OptOuts(ids=frozenset(ids), digests=frozenset(digests), domains=frozenset(domains)))


def entries(text: str) -> list[str]:
    """The lines of a list without comments and empty lines."""
    stripped = (COMMENT.sub("", line).strip() for line in text.removeprefix("\ufeff").splitlines())
    return [line for line in stripped if line]


def placed(urls: Iterable[str], known: OptOuts) -> OptOuts:
    """The list with its URLs sorted under their hosts, so that a document meets only the entries of its own host."""
    paths, patterns = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    anywhere = set[tuple[str, str]]()
    for url in urls:
        host, slash, path = SCHEME.sub("", url, count=1).partition("/")
        host = plain_authority(host.rpartition("@")[2]).removeprefix("www.")
        path = plain_path(slash + path)
        if "*" in host:
            anywhere.add((host, path))
        elif "*" in path or path.endswith("$"):
            patterns[host].add(path)
        else:
            paths[host].add(path)
    return OptOuts(
        ids=known.ids,
        digests=known.digests,
        domains=known.domains,
        paths={host: tuple(sorted(found)) for host, found in paths.items()},
        patterns={host: tuple(sorted(found)) for host, found in patterns.items()},
        anywhere=tuple(sorted(anywhere)),
    )
