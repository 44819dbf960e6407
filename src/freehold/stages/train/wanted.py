"""The mixture that the charter wants, in shares of the tokens that tokenize counted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from freehold import charter as charters
from freehold.charter import Charter
from freehold.errors import InputError
from freehold.learn.phases import Phase, Recipe
from freehold.learn.scarcity import Pool
from freehold.learn.shards import Shards
from freehold.learn.targets import Cell, Wanted, cells_of, rows, short, tempered

ROUGH: Final = 0.005  # of the tokens: a shorter run meets its shares only to within a window


def pools_of(facts: Mapping[str, Any]) -> dict[Pool, int]:
    """Tokens by (language, source), of tokenize.json."""
    counted: dict[str, dict[str, int]] = facts["tokens_by_source"]
    return {(code, source): tokens for code, found in counted.items() for source, tokens in found.items()}


def shares_of(
    charter: Charter, pools: Mapping[Pool, int], chosen: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Shares of the languages: those chosen, the charter's own, or by temperature; who has none is left out."""
    if chosen is not None:
        return {code: share for code, share in sorted(chosen.items()) if share}
    declared = Wanted.of_charter(charter).languages
    if declared is not None:
        return dict(sorted(declared.items()))
    sizes = {one.code: sum(size for (code, _), size in pools.items() if code == one.code) for one in charter.languages}
    return dict(sorted(tempered(sizes, temperature=charter.mixture.temperature or 1.0).items()))


def domains_of(
    charter: Charter, pools: Mapping[Pool, int], languages: Collection[str], *, sources: Collection[str] = ()
) -> dict[str, Any]:
    """The key `domains` of a recipe, what each language is mixed of out of all sources or these; none without domains.

    Domains without text in a language give their share to its others. Raises InputError where none has any.
    """
    if not charter.domains:
        return {}
    found: dict[str, list[dict[str, Any]]] = {}
    for code in sorted(languages):
        here = {name: size for (own, name), size in pools.items() if own == code and (not sources or name in sources)}
        sizes: dict[str, int] = {}
        for source, size in here.items():
            sizes[charter.domains[source]] = sizes.get(charter.domains[source], 0) + size
        wanted = Wanted.of_charter(charter).within(sizes)
        shares = {domain: share for domain, share in wanted if share and sizes.get(domain)}
        if here and not shares:
            raise InputError(
                f"no domain with a share has text in {code!r}",
                where=charters.where(charter.path, ("mixture", "domains")),
                remedy="add documents of that language and domain, or give another domain a share",
            )
        found[code] = [
            {
                "domain": domain,
                "share": share / sum(shares.values()),
                "sources": sorted(source for source in here if charter.domains[source] == domain),
            }
            for domain, share in shares.items()
        ]
    return {"domains": {code: strands for code, strands in found.items() if strands}}


def mixture_of(
    charter: Charter, recipe: Recipe, consumed: Mapping[str, Sequence[Sequence[int]]], shards: Shards
) -> dict[str, Any]:
    """mixture.json: what the charter wants, what was read, and where they differ.

    `consumed` holds [document row, offset, tokens, times] by language.
    """
    pools = shards.tokens()
    read: dict[Cell, int] = {}
    for code, ranges in consumed.items():
        for row, _, length, times in ranges:
            cell = (code, charter.domains.get(shards.sources[row], ""))
            read[cell] = read.get(cell, 0) + length * times
    amount = sum(read.values())
    account = rows(
        targets_of(charter, Phase.of(recipe), pools),
        cells_of(charter, pools),
        {cell: tokens / amount for cell, tokens in read.items()},
        amount=amount,
    )
    limit = charter.train.max_epochs
    return {
        "format": 1,
        "unit": "tokens",
        "amount": amount,
        "max_epochs": limit,
        "rows": account,
        "short": short(account, tolerance=ROUGH),
    }


def targets_of(charter: Charter, phases: Sequence[Phase], pools: Mapping[Pool, int]) -> dict[Cell, float]:
    """The shares that the charter wants over all phases, each by its tokens."""
    declared = [phase.languages for phase in charter.phases] or [None]
    sizes = [phase.steps * phase.samples * phase.sequence for phase in phases]
    found: dict[Cell, float] = {}
    for phase, languages, size in zip(phases, declared, sizes, strict=True):
        here = {pool: tokens for pool, tokens in pools.items() if not phase.sources or pool[1] in phase.sources}
        for cell, share in Wanted.of_charter(charter, languages).shares(cells_of(charter, here)).items():
            found[cell] = found.get(cell, 0.0) + share * size / sum(sizes)
    return found
