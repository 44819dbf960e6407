"""Web addresses as rules compare them: one spelling for one place, and patterns with wildcards, without regexes.

Patterns are those of robots.txt (RFC 9309, 2.2.3): ``*`` stands for any characters, a final ``$`` for the end, anything
else matches as a beginning. Matching is linear in the address for every star, whatever strangers write.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

SCHEME: Final = re.compile(r"^[a-z][a-z0-9+.-]*:/{1,3}", re.IGNORECASE)
BEHIND_HOST: Final = re.compile("[/?#]")
ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")  # RFC 3986, 2.3
PORTS: Final = (":80", ":443")
MAX_LABELS: Final = 127  # of a host name (RFC 1035, 2.3.4: 255 octets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a document lay, in one spelling."""

    authority: str  # the host, with its port where that is an unusual one
    path: str  # with the query; begins with "/"

    @property
    def host(self) -> str:
        """The authority without ``www.``, which tells no two places apart for those who ask to be left out."""
        return self.authority.removeprefix("www.")


def parse_address(url: str) -> Address | None:
    """The address that a URL names, with or without scheme; None where it names no host.

    >>> parse_address("https://user@www.Example.org:443/L%61w?a=1#top")
    Address(authority='www.example.org', path='/Law?a=1')
    """
    rest = SCHEME.sub("", url.strip(), count=1)
    behind = BEHIND_HOST.search(rest)
    end = behind.start() if behind else len(rest)
    authority = plain_authority(rest[:end].rpartition("@")[2])
    return Address(authority=authority, path=plain_path(rest[end:].partition("#")[0])) if authority else None


def plain_authority(host: str) -> str:
    """A host in lower case and ASCII (IDNA), without the port of its scheme and a final dot.

    >>> plain_authority("Bücher.example.:443")
    'xn--bcher-kva.example'
    """
    host = host.strip().casefold()
    for port in PORTS:
        host = host.removesuffix(port)
    host = host.rstrip(".")
    if host.isascii():
        return host
    return ".".join(ascii_label(label) for label in host.split(".")[:MAX_LABELS])


def ascii_label(label: str) -> str:
    """One label of a host name in ASCII; a label that IDNA does not know stays as it is."""
    try:
        return label.encode("idna").decode("ascii")
    except UnicodeError:
        return label


def plain_path(path: str) -> str:
    """A path with its query: letters that need no escape bare, what is not ASCII escaped (RFC 3986, 6.2.2).

    >>> plain_path("/%7Euser/gesetz-über?q=%c3%9f")
    '/~user/gesetz-%C3%BCber?q=%C3%9F'
    """
    if not path.startswith("/"):
        path = "/" + path
    if not path.isascii():
        data = path.encode("utf-8", "replace")
        path = "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in data)
    return ESCAPE.sub(unescaped, path) if "%" in path else path


def unescaped(found: re.Match[str]) -> str:
    """An escape, resolved where the letter never needed one, else in capitals."""
    letter = chr(int(found[1], 16))
    return letter if letter in UNRESERVED else found[0].upper()


def matches(pattern: str, text: str) -> bool:
    """Whether a text begins with a pattern in which ``*`` is anything and a final ``$`` the end.

    >>> matches("/*.pdf$", "/a/b.pdf"), matches("/*.pdf$", "/a.pdf?x"), matches("/a*b", "/a/x/bc")
    (True, False, True)
    """
    anchored = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not others:
        return text == first if anchored else text.startswith(first)
    if not text.startswith(first):
        return False
    place = len(first)
    *middle, last = others
    for piece in middle:
        found = text.find(piece, place)
        if found < 0:
            return False
        place = found + len(piece)
    if anchored:
        return len(text) - len(last) >= place and text.endswith(last)
    return text.find(last, place) >= 0


def parents(host: str) -> list[str]:
    """A host and every domain it lies in.

    >>> parents("a.b.example")
    ['a.b.example', 'b.example', 'example']
    """
    labels = host.split(".")[-MAX_LABELS:]
    return [".".join(labels[place:]) for place in range(len(labels))]
