"""May this text be used: licence expressions against the charter's policy.

Licences are SPDX expressions (SPDX 2.3, annex D) over SPDX identifiers, `LicenseRef-…` names and the house names
`public-domain` and `public-domain-law`; they are compared without regard to case. `license-expression` parses them.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Final

from license_expression import OR, LicenseExpression, LicenseSymbol, LicenseWithExceptionSymbol, Licensing

MAX_EXPRESSION: Final = 1_000  # characters; the longest on the SPDX list of real packages have some hundreds
MAX_DEPTH: Final = 50  # brackets within brackets
# One identifier of SPDX, with the plus of "or later" and the document of a `LicenseRef-`.
IDENTIFIER: Final = re.compile(r"(?:DocumentRef-[A-Za-z0-9.-]+:)?[A-Za-z0-9.-]+\+?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What a policy says of a licence: the licences chosen under it, or why there is no choice."""

    chosen: str | None = None  # an expression of allowed licences alone, in the policy's own spelling
    readable: bool = True  # False: it is no licence expression at all


def permits(licence: str, *, allowed: Collection[str]) -> bool:
    """Whether a licence expression can be met by the allowed licences alone.

    >>> permits("MIT OR GPL-3.0-only", allowed=["mit"]), permits("MIT AND CC-BY-4.0", allowed=["MIT"])
    (True, False)
    """
    return rule(licence, allowed=allowed).chosen is not None


def same(licence: str, other: str | None) -> bool:
    """Whether two names are one licence."""
    return other is not None and licence.strip().casefold() == other.strip().casefold()


def rule(licence: str, *, allowed: Collection[str]) -> Ruling:
    """Judge a licence expression. `A OR B` needs one of them and the first allowed is chosen, `A AND B` needs both,
    `A WITH E` is allowed only where the policy names it whole, `A+` also where it names `A`.

    >>> rule("CC-BY-NC-4.0 OR (mit AND CC0-1.0)", allowed=["MIT", "CC0-1.0"]).chosen
    'MIT AND CC0-1.0'
    """
    return ruling(licence.strip(), tuple(sorted(allowed)))


@cache
def ruling(licence: str, allowed: tuple[str, ...]) -> Ruling:
    """The ruling, worked out once for every licence: a corpus has few."""
    known = {" ".join(name.split()).casefold(): name for name in allowed}
    if name := known.get(" ".join(licence.split()).casefold()):
        return Ruling(chosen=name)  # also a name of the house that is no SPDX identifier
    expression = parse(licence)
    if expression is None:
        return Ruling(readable=False)
    chosen = choose(expression, known)
    return Ruling(chosen=" AND ".join(dict.fromkeys(chosen)) if chosen else None)


def parse(licence: str) -> LicenseExpression | None:
    """The tree of an expression; None for text that is none."""
    if len(licence) > MAX_EXPRESSION or licence.count("(") > MAX_DEPTH:
        return None
    try:
        expression = LICENSING.parse(licence)
    except Exception:  # the parser raises IndexError, ValueError and its own for what strangers call a licence
        return None
    if expression is None or not all(IDENTIFIER.fullmatch(name) for name in names_of(expression)):
        return None
    return expression


def names_of(expression: LicenseExpression) -> list[str]:
    """Every identifier in an expression, those of exceptions too."""
    if isinstance(expression, LicenseWithExceptionSymbol):
        return [expression.license_symbol.key, expression.exception_symbol.key]
    if isinstance(expression, LicenseSymbol):
        return [expression.key]
    return [name for part in expression.args for name in names_of(part)]


def choose(expression: LicenseExpression, known: dict[str, str]) -> list[str]:
    """The allowed licences that meet an expression; empty where none do."""
    if isinstance(expression, LicenseWithExceptionSymbol):
        whole = f"{expression.license_symbol.key} WITH {expression.exception_symbol.key}"
        return [known[whole.casefold()]] if whole.casefold() in known else []
    if isinstance(expression, LicenseSymbol):
        name = expression.key.casefold()
        found = known.get(name) or (known.get(name[:-1]) if name.endswith("+") else None)
        return [found] if found else []
    parts = [choose(part, known) for part in expression.args]
    if isinstance(expression, OR):
        return next((part for part in parts if part), [])
    return [name for part in parts for name in part] if all(parts) else []


LICENSING: Final = Licensing()
