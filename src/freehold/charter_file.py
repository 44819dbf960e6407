"""The border: charter.toml becomes a Charter, or a complaint with file, line, key and remedy."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from freehold import plugins
from freehold.charter import Charter, dotted, where
from freehold.charter_tables import (
    RESERVED,
    Base,
    Curation,
    Evaluate,
    Language,
    Law,
    Mixture,
    Model,
    Phase,
    Policy,
    Refine,
    Release,
    Responsible,
    Source,
    Tokenizer,
    Train,
)
from freehold.errors import InputError
from freehold.text import canaries

FREEZABLE = re.compile(r"embedding|head|attention|feed-forward|norms|blocks:\d+(-\d+)?")
LOG = "withdrawals.jsonl"
SMALLEST = 0.001  # share of a language in a phase, as in [[languages]]
Refuse = Callable[[tuple[str | int, ...], str, str], None]


def load(path: Path | str, overrides: Mapping[str, Any] | None = None) -> Charter:
    """Read and check a charter. Raises InputError with the line, the key and the remedy.

    `overrides` are what one call of a verb puts in the place of the charter's words: `base` (a folder) and `steps`.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "charter.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"no charter at {path}", remedy="freehold init DIR writes one") from None
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 text: {error}", where=str(path), remedy="save the file as UTF-8") from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not valid TOML: {error}", where=str(path), remedy="correct that line") from None
    if "path" in data:
        raise InputError('unknown key "path"', where=where(path, ("path",)), remedy="remove it")
    try:
        text = json.dumps(data | {"path": str(path.resolve())}, default=str)
        charter = TypeAdapter(Charter).validate_json(text, strict=True)
    except ValidationError as error:
        raise complaint(path, error) from None
    if charter.base is not None and "vocabulary" in data.get("tokenizer", {}) and "base" not in (overrides or {}):
        keys = ("tokenizer", "vocabulary")
        advice = "remove it; [base].new_tokens adds to the base's vocabulary"
        raise InputError(f"{dotted(keys)}: the base brings its own", where=where(path, keys), remedy=advice)
    charter = overridden(replace(charter, withdrawals=log_of(charter)), overrides or {})
    check(charter)
    return charter


def overridden(charter: Charter, overrides: Mapping[str, Any]) -> Charter:
    """The charter as one call sees it; another base takes its shape along, so [model] no longer counts."""
    if steps := overrides.get("steps"):
        charter = replace(charter, train=replace(charter.train, steps=steps, tokens=None, minutes=None))
    if path := overrides.get("base"):
        same = charter.base is not None and charter.base_folder == Path(path).resolve()
        known = charter.base if charter.base is not None else Base(path=path)
        base = known if same else replace(known, path=path, licence=None)
        charter = replace(charter, base=base, model=charter.model if same else Model())
    if charter.base is not None and charter.base.licence is None:
        charter = replace(charter, base=replace(charter.base, licence=licence_of(charter.base_folder)))
    return charter


def log_of(charter: Charter) -> Path | None:
    """Where the log of withdrawals stands: where the charter says, or beside it if it is there."""
    if charter.withdrawals is not None:
        return charter.resolve(str(charter.withdrawals))
    beside = charter.folder / LOG
    return beside if beside.exists() else None


def licence_of(folder: Path) -> str | None:
    """The licence that the YAML head of a model folder's README.md names, or None."""
    path = folder / "README.md"
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    head = re.match(r"---\s*\n(.*?)\n---", text, re.DOTALL)
    named = dict(re.findall(r"^(license|license_name):\s*[\"']?([^\"'\n]+?)[\"']?\s*$", head[1] if head else "", re.M))
    return named.get("license_name") if named.get("license") == "other" else named.get("license")


def check(charter: Charter) -> None:
    """Rules that span several tables. Raises InputError."""

    def refuse(keys: tuple[str | int, ...], message: str, remedy: str) -> None:
        raise InputError(f"{dotted(keys)}: {message}", where=where(charter.path, keys), remedy=remedy)

    check_mixture(charter, refuse)
    check_parties(charter, refuse)
    for table, names in (
        ("languages", [language.code for language in charter.languages]),
        ("sources", [source.name for source in charter.sources]),
    ):
        key = "code" if table == "languages" else "name"
        for position, name in enumerate(names):
            if name in names[:position]:
                refuse((table, position, key), f'"{name}" is named twice', "keep one of them")
    for position, source in enumerate(charter.sources):
        if source.name in RESERVED:
            refuse(("sources", position, "name"), f'"{source.name}" is a name of ours', "choose another")
        if source.licence == "":
            message = f'nobody has said how the texts of "{source.name}" may be used'
            advice = "write an SPDX id such as CC-BY-4.0, or public-domain-law and its statute"
            refuse(("sources", position, "licence"), message, advice)
        single = source.licence is not None and " " not in source.licence  # an expression is judged by curate
        if single and source.licence not in charter.policy.licences:
            message = f'"{source.licence}" is not allowed by [policy].licences'
            refuse(("sources", position, "licence"), message, "remove the source or allow the licence")
        if not source.remote:  # that it was fetched matters to whoever reads it
            charter.files_of(source)
    named: list[tuple[tuple[str | int, ...], str]] = []
    named += [(("evaluate", "packs", i), pack) for i, pack in enumerate(charter.evaluate.packs)]
    named += [(("curate", "against", i), str(path)) for i, path in enumerate(charter.sketches)]
    if charter.refine.instructions:
        named.append((("refine", "instructions"), charter.refine.instructions))
    for key in ("language_model", "labels"):
        if name := getattr(charter.curate, key):
            named.append((("curate", key), name))
    if charter.policy.opt_out != "none":
        named.append((("policy", "opt_out"), charter.policy.opt_out))
    if charter.policy.overrides is not None:
        named.append((("policy", "overrides"), charter.policy.overrides))
    if charter.policy.notices is not None and not charter.resolve(charter.policy.notices).is_dir():
        refuse(("policy", "notices"), f"no folder {charter.policy.notices!r}", "correct the path or add the folder")
    for keys, name in named:
        if not charter.resolve(name).is_file():
            refuse(keys, f"no file {name!r}", "correct the path or add the file")
    if charter.curate.canaries and canaries.LICENCE not in charter.policy.licences:
        message = f"canaries are under {canaries.LICENCE}, which [policy].licences does not allow"
        refuse(("curate", "canaries"), message, "allow the licence, or plant none")
    budgets = (charter.train.tokens, charter.train.steps, charter.train.minutes)
    if sum(budget is not None for budget in budgets) != 1:
        refuse(("train",), "give a budget: either tokens or minutes or steps", "tokens = 4_000_000, for example")
    if charter.train.batch_tokens % charter.train.sequence:
        refuse(("train", "batch_tokens"), "is not a multiple of [train].sequence", "round it to one")
    if charter.train.goldfish == 1:
        refuse(("train", "goldfish"), "one token in one leaves nothing to predict", "use 0 (off) or at least 2")
    if (charter.train.keep_every or 0) % charter.train.checkpoint_steps:
        refuse(("train", "keep_every"), "is not a multiple of [train].checkpoint_steps", "round it to one")
    known = {source.name for source in charter.sources} | {"refine"}
    if strange := set(charter.law.obtained) - known:
        refuse(("law", "obtained"), f'"{min(strange)}" is not among [[sources]]', "correct the name or remove it")
    if charter.phases:
        check_phases(charter, refuse)
    if charter.base is not None:
        check_base(charter, charter.base, refuse)


def check_mixture(charter: Charter, refuse: Refuse) -> None:
    """Shares sum to 1 and are set once, by a number or by temperature; domains that are mixed are of all sources."""
    mixture, shares = charter.mixture, [language.share for language in charter.languages]
    given, domains = [share for share in shares if share is not None], {source.domain for source in charter.sources}
    if given and len(given) < len(shares):
        refuse(("languages", shares.index(None), "share"), "is missing", "give every language one, or none")
    if given and abs((total := sum(given)) - 1) > 0.005:
        refuse(("languages", 0, "share"), f"the shares sum to {total:.3f}", "make them sum to 1")
    if not given and mixture.temperature is None:
        refuse(("languages", 0, "share"), "is missing", "add it, or set [mixture].temperature")
    if mixture.temperature is not None and given and (mixture.domains is not None or domains == {None}):
        message = "every share is given, so there is nothing for a temperature to set"
        refuse(("mixture", "temperature"), message, "remove it, or the shares that it is to set")
    if mixture.domains is not None:
        check_domains(charter, mixture.domains, refuse)
    if charter.domains:
        for position, source in enumerate(charter.sources):
            if source.domain is None:
                refuse(("sources", position, "domain"), "is missing: domains are mixed", "give every source one")


def check_domains(charter: Charter, shares: Mapping[str, float], refuse: Refuse) -> None:
    """Shares of domains are those of the sources, and sum to 1."""
    keys, known = ("mixture", "domains"), {source.domain for source in charter.sources}
    if strange := set(shares) - known:
        refuse(keys, f'no source is of the domain "{min(strange)}"', "correct the name or remove it")
    if abs((total := sum(shares.values())) - 1) > 0.005:
        refuse(keys, f"the shares sum to {total:.3f}", "make them sum to 1")
    if small := [domain for domain, share in shares.items() if 0 < share < SMALLEST]:
        refuse(
            keys, f'"{min(small)}" has a share under {SMALLEST}: it would never have its turn', "raise it, or make it 0"
        )
    for position, source in enumerate(charter.sources):
        if source.domain is not None and source.domain not in shares:
            remedy = "give it one; 0 keeps its text out of training"
            refuse(("sources", position, "domain"), f'"{source.domain}" has no share in [mixture].domains', remedy)


def check_base(charter: Charter, base: Base, refuse: Refuse) -> None:
    """A base is there, may be used like any source, and has the parts that are to stay as they are."""
    if not (charter.base_folder / "config.json").is_file():
        refuse(("base", "path"), f"no model in {base.path!r}", "name a Hugging Face folder, with its config.json")
    if base.licence is None:
        refuse(("base", "licence"), "the base names no licence", 'add it, for example licence = "Apache-2.0"')
    elif base.licence.casefold() not in {name.casefold() for name in charter.policy.licences}:
        message = f'"{base.licence}" is not allowed by [policy].licences'
        refuse(("base", "licence"), message, "take another base or allow the licence")
    for position, part in enumerate(base.freeze):
        if not FREEZABLE.fullmatch(part):
            known = "embedding, head, attention, feed-forward, norms or blocks:FIRST-LAST"
            refuse(("base", "freeze", position), f'"{part}" is no part of a model', f"name {known}")


def check_phases(charter: Charter, refuse: Refuse) -> None:
    """Phases sum to the whole, name what exists, and their windows fit a step and one another."""
    train, known = charter.train, {language.code for language in charter.languages}
    if (total := sum(phase.share for phase in charter.phases)) < 0.995 or total > 1.005:
        refuse(("phases", 0, "share"), f"the shares sum to {total:.3f}", "make them sum to 1")
    for key in ("warmup_steps", "decay_share"):
        if getattr(train, key) != getattr(Train(), key):
            refuse(("train", key), "phases set the rate", f"remove {key} and give each phase its rate = [start, end]")
    longest = max(phase.sequence or train.sequence for phase in charter.phases)
    if charter.model.context is not None and charter.model.context < longest:
        message = f"{charter.model.context} tokens are fewer than windows of {longest}"
        refuse(("model", "context"), message, "raise it, or remove it: the longest phase sets it")
    for place, phase in enumerate(charter.phases):
        keys, sequence = ("phases", place), phase.sequence or train.sequence
        if phase.name in [earlier.name for earlier in charter.phases[:place]]:
            refuse((*keys, "name"), f'"{phase.name}" is named twice', "choose another")
        if sequence > train.batch_tokens or train.batch_tokens % sequence:
            message = f"windows of {sequence} tokens do not divide a step of {train.batch_tokens}"
            refuse((*keys, "sequence"), message, "change it or [train].batch_tokens")
        if longest % sequence:
            message = f"windows of {sequence} tokens do not divide those of {longest}"
            refuse((*keys, "sequence"), message, "let each sequence divide the longest")
        if unknown := set(phase.languages or ()) - known:
            refuse((*keys, "languages"), f"{min(unknown)} is not among [[languages]]", "add it there or remove it")
        if phase.languages is not None and abs((total := sum(phase.languages.values())) - 1) > 0.005:
            refuse((*keys, "languages"), f"the shares sum to {total:.3f}", "make them sum to 1")
        if small := [code for code, share in (phase.languages or {}).items() if 0 < share < SMALLEST]:
            message = f"{min(small)} has a share under {SMALLEST}: it would never have its turn"
            refuse((*keys, "languages"), message, "raise it, or make it 0")
        if strange := set(phase.sources) - {source.name for source in charter.sources}:
            refuse((*keys, "sources"), f'"{min(strange)}" is not among [[sources]]', "correct the name or remove it")


def check_parties(charter: Charter, refuse: Refuse) -> None:
    """Who signs besides the responsible party: each with a P-256 key that can be read, under a name of its own."""
    parties = charter.release.parties
    if charter.release.threshold > len(parties) + 1:
        message = f"{charter.release.threshold} signatures of {len(parties) + 1} parties"
        refuse(("release", "threshold"), message, "lower it or name more parties")
    for place, party in enumerate(parties):
        if party.name.casefold() in [earlier.name.casefold() for earlier in parties[:place]]:
            refuse(("release", "parties"), f'"{party.name}" is named twice', "keep one of them")
        plugins.part("freehold.proof.signing.keys:load_public")(charter.resolve(party.key))


def complaint(path: Path, error: ValidationError) -> InputError:
    """The first thing pydantic found, in our words: line, key, what is wrong, what to do."""
    first = error.errors()[0]
    keys = tuple(first["loc"])
    message, remedy = f"{first['msg']} (found {first['input']!r})", "correct the value"
    if first["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        near = difflib.get_close_matches(str(keys[-1]), known_keys(keys[:-1]), n=1)
        message, remedy = f'unknown key "{keys[-1]}"', f'did you mean "{near[0]}"?' if near else "remove it"
    elif first["type"] in ("missing", "missing_argument"):
        message, remedy = "is missing", "add it"
    if len(error.errors()) > 1:
        remedy += f" ({len(error.errors()) - 1} more after this one)"
    return InputError(f"{dotted(keys)}: {message}", where=where(path, keys), remedy=remedy)


def known_keys(keys: tuple[int | str, ...]) -> list[str]:
    """The keys allowed in the table that `keys` leads to."""
    tables: dict[str, Any] = {
        "responsible": Responsible, "languages": Language, "sources": Source, "policy": Policy, "base": Base,
        "curate": Curation, "mixture": Mixture, "tokenizer": Tokenizer, "model": Model, "train": Train,
        "phases": Phase, "refine": Refine, "evaluate": Evaluate, "release": Release, "law": Law,
    }  # fmt: skip
    return [entry.name for entry in fields(tables[str(keys[0])] if keys else Charter)]
