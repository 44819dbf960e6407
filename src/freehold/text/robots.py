"""robots.txt (RFC 9309) as a statement about training: may those who train language models fetch this address?

Protego reads and matches; what it does not know is read here: `Content-Usage` rules (draft-ietf-aipref-attach,
section 3) and which agents a file names at all. A group that names the charter's own agent decides alone. Otherwise
the strictest answer counts that any known agent of a language model is given: whoever shuts out one of them has
said what is not wanted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from protego import Protego

from freehold.text.addresses import matches, parse_address, plain_path
from freehold.text.content_usage import allows_training

MAX_BYTES: Final = 500 * 1024  # read of a file; RFC 9309, 2.5, asks for no less
ANYONE: Final = "*"
RULES: Final = frozenset({"allow", "disallow", "content-usage"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A rule against the use of an address."""

    kind: str  # "robots" or "aipref"
    agent: str  # to whom it is addressed; "*": to all


@dataclass(slots=True)
class Usage:
    """The Content-Usage rules of one group."""

    agents: set[str]  # lower case
    rules: list[tuple[str, bool]] = field(default_factory=list)  # pattern of paths, whether training is allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Robots:
    """A robots.txt, read once and asked often."""

    rules: Protego
    usages: tuple[Usage, ...]
    named: frozenset[str]  # every agent that has a group of its own, lower case

    def disagrees(self, url: str, *, agents: Iterable[str], own: str | None) -> Disagreement | None:
        """The rule against using `url` to train a language model, or None."""
        asked = self.asked(agents, own)
        for agent in asked:
            if not self.rules.can_fetch(url, agent):
                return Disagreement(kind="robots", agent=agent)
        address = parse_address(url) if self.usages else None
        for agent in asked if address else ():
            if address and self.prefers(address.path, agent=agent) is False:
                return Disagreement(kind="aipref", agent=agent)
        return None

    def asked(self, agents: Iterable[str], own: str | None) -> tuple[str, ...]:
        """The agents whose rules matter: the charter's own alone, or all that are named and one for all others."""
        if own and own.casefold() in self.named:
            return (own,)
        known = [(agent, agent.casefold()) for agent in agents]
        return (*(agent for agent, lower in known if any(token in lower for token in self.named)), ANYONE)

    def prefers(self, path: str, *, agent: str) -> bool | None:
        """What the Content-Usage rules for an agent say of training on a path; None: nothing."""
        lower = agent.casefold()
        group = [usage for usage in self.usages if lower in usage.agents]
        group = group or [usage for usage in self.usages if ANYONE in usage.agents and lower not in self.named]
        found = [rule for usage in group for rule in usage.rules if matches(rule[0], path)]
        longest = max((len(pattern) for pattern, _ in found), default=0)
        said = [allowed for pattern, allowed in found if len(pattern) == longest]
        return all(said) if said else None


def parse_robots(text: str) -> Robots:
    """Read a robots.txt; any text is one, what cannot be read in it says nothing.

    >>> robots = parse_robots("User-agent: GPTBot\\nDisallow: /private/\\n")
    >>> robots.disagrees("https://e.org/private/1", agents=["GPTBot"], own=None)
    Disagreement(kind='robots', agent='GPTBot')
    >>> robots.disagrees("https://e.org/", agents=["GPTBot"], own=None) is None
    True
    """
    text = beginning(text.removeprefix("\ufeff").replace("\0", ""))
    groups = groups_of(text)
    named = {agent for group in groups for agent in group.agents} - {ANYONE}
    usages = tuple(group for group in groups if group.rules)
    return Robots(rules=Protego.parse(text), usages=usages, named=frozenset(named))


def beginning(text: str) -> str:
    """The lines that lie wholly within the limit."""
    if len(text) <= MAX_BYTES // 4:  # a character has at most four bytes
        return text
    data = text.encode("utf-8", "replace")
    return text if len(data) <= MAX_BYTES else data[:MAX_BYTES].rpartition(b"\n")[0].decode("utf-8", "ignore")


def groups_of(text: str) -> list[Usage]:
    """The groups of a file with their agents and Content-Usage rules; rules before any agent are nobody's."""
    groups: list[Usage] = []
    open_to_agents = False
    for line in text.splitlines():
        label, colon, value = line.partition("#")[0].partition(":")
        label, value = label.strip().casefold(), value.strip()
        if not colon:
            continue
        if label == "user-agent":
            if not open_to_agents:
                groups.append(Usage(set()))
            groups[-1].agents |= {value.casefold()} - {""}
            open_to_agents = True
        elif label in RULES:
            open_to_agents = False
            if label == "content-usage" and groups and (rule := usage_rule(value)):
                groups[-1].rules.append(rule)
    return groups


def usage_rule(value: str) -> tuple[str, bool] | None:
    """``/path train-ai=n`` as a pattern and whether training is allowed; None where it says nothing of training.

    >>> usage_rule("/law/ train-ai=y"), usage_rule("train-ai=n"), usage_rule("search=n")
    (('/law/', True), ('/', False), None)
    """
    path, statement = "/", value
    if value.startswith("/"):
        path, *rest = value.split(maxsplit=1)
        statement = rest[0] if rest else ""
    allowed = allows_training(statement)
    return None if allowed is None else (plain_path(path), allowed)
