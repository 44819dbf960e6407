"""E-mail addresses and public IP addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterator
from typing import Final

from freehold.text.privacy import context

# The local part is Latin, or else wholly in another script: Korean and Japanese write no space before an address.
LOCAL: Final = re.compile(r"(?:(?<![A-Za-z0-9À-ɏ.%+_-])[A-Za-z0-9À-ɏ.%+_-]{1,64}|(?<![^\W_])[^\W\x00-\u024f]{1,64})\Z")
DOMAIN: Final = re.compile(
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:xn--[a-z0-9-]{2,59}|[a-z]{2,24}(?![a-z0-9-])|[^\W\d_a-z]{2,24})",
    re.IGNORECASE,
)
LOCAL_PART: Final = 65  # characters before the at sign, one more than an address may have there (RFC 5321, 4.5.3.1.1)
DOTTED: Final = re.compile(r"(?<![0-9A-Za-z.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9A-Za-z]|\.[0-9])")
COLONED: Final = re.compile(r"[23][0-9A-Fa-f]{3}:(?<![0-9A-Za-z:].{5})[0-9A-Fa-f:]{1,34}(?![0-9A-Za-z])")
# Numbers of sections look like IPv4 addresses, so one of these must stand near, or a URL around it.
WORDS: Final = "IP|IPv4|IPs|IP주소|IPアドレス|IP-Adresse|IP地址|DNS|localhost|traceroute|nslookup|айпи"
GROUPS: Final = 8  # of an IPv6 address that leaves nothing out


def emails(text: str) -> Iterator[tuple[int, int]]:
    """E-mail addresses: a local part, ``@``, a domain of at least two labels that ends in letters.

    At signs are rare, so the search begins there: the domain behind one, then the local part before it.
    """
    done = 0
    for sign in re.finditer("[@＠]", text) if "@" in text or "＠" in text else ():
        if domain := DOMAIN.match(text, sign.end()):
            low = max(done, sign.start() - LOCAL_PART)
            if local := LOCAL.search(text[low : sign.start()]):
                done = domain.end()
                yield low + local.start(), done


def addresses(text: str, stretches: Collection[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """IP addresses that the internet routes: version 4 in context, version 6 anywhere."""
    for start, end in stretches:
        if text.count(".", start, end) >= 3:
            for found in DOTTED.finditer(text, start, end):
                if announced(text, *found.span()) and public(found[0]):
                    yield found.span()
    for found in COLONED.finditer(text):
        written = found[0].rstrip(":") if not found[0].endswith("::") else found[0]
        if ("::" in written or written.count(":") == GROUPS - 1) and public(written):
            yield found.start(), found.start() + len(written)


def announced(text: str, start: int, end: int) -> bool:
    """Whether a URL or a word around four numbers tells that they are an address."""
    return text[max(0, start - 2) : start] in ("//", "@[") or context.named(context.near(text, start, end), WORDS)


def public(written: str) -> bool:
    """Whether an address is one that the registries of IANA call global."""
    try:
        return ipaddress.ip_address(written).is_global
    except ValueError:
        return False
