"""What verify found: checks with a verdict each, and the exit code they add up to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from freehold.errors import GateError, IncompleteError, InputError, MissingExtra

Verdict = Literal["PASS", "FAIL", "NOT CHECKED"]
SHOWN = 5  # findings spelled out in a check's detail; all of them are in `findings`

# Numbered as in docs/reference/release.md; a check that does not apply to a release is not listed.
NAMES = {
    1: "signatures",
    2: "files",
    3: "lineage",
    4: "training chain",
    5: "document",
    6: "replay",
    7: "evaluation",
    8: "law and bill of materials",
    9: "licences",
    10: "withdrawals",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, and the file it is wrong with."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check and what came of it."""

    number: int
    verdict: Verdict
    detail: str
    findings: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        """What is checked, in a word or two."""
        return NAMES[self.number]

    @property
    def where(self) -> str | None:
        """The file of the first finding."""
        return self.findings[0].where if self.findings else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What was checked, as it names itself."""

    name: str
    version: str
    licence: str
    digest: str  # SHA-256 of release.json: two people who compare it have looked at the same release
    files: int
    size: int  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUse:
    """A key that the verifier supplied, and what came of it."""

    file: str
    fingerprint: str
    role: Literal["trusted", "witness"]
    party: str | None  # whose signature by it counts
    note: str  # rotation, revocation, or what the witness saw

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All checks that apply to a release, by number; what was checked, where it could be read; keys as supplied."""

    checks: tuple[Check, ...]
    subject: Subject | None = None
    keys: tuple[KeyUse, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 when every check passed, 3 when one failed, 4 when none failed but one was not made."""
        verdicts = {check.verdict for check in self.checks}
        if "FAIL" in verdicts:
            return GateError.exit_code
        return IncompleteError.exit_code if "NOT CHECKED" in verdicts else 0

    @property
    def verdict(self) -> str:
        """The same in words."""
        told = {0: "every check passed", 3: "a check failed", 4: "nothing failed, but not everything was checked"}
        return told[self.exit_code]

    def summary(self) -> dict[str, Any]:
        """Artifact, figures and next step, as every verb of ours tells them."""
        artifact = asdict(self.subject) if self.subject else {}
        figures = {
            "exit_code": self.exit_code,
            "verdict": self.verdict,
            "checks": self.as_json(),
            "keys": [key.as_json() for key in self.keys],
        }
        return {"artifact": artifact, "figures": figures, "next": None}

    def as_json(self) -> list[dict[str, Any]]:
        """Every check with all of its findings."""
        return [
            {
                "number": check.number,
                "name": check.name,
                "verdict": check.verdict,
                "detail": check.detail,
                "where": check.where,
                "findings": [{"where": found.where, "message": found.message} for found in check.findings],
            }
            for check in self.checks
        ]


def failed(number: int, findings: Sequence[Finding]) -> Check:
    """A check that did not hold, told by its first findings."""
    findings = tuple(dict.fromkeys(findings))
    more = f"; and {len(findings) - SHOWN} more" if len(findings) > SHOWN else ""
    detail = "; ".join(map(str, findings[:SHOWN])) + more
    return Check(number=number, verdict="FAIL", detail=detail, findings=findings)


def judged(number: int, judge: Callable[[], str]) -> Check:
    """The check that `judge` makes: it returns what held, or raises GateError, or IncompleteError when it cannot tell.

    An InputError here comes from a file of the release that cannot be read: the release does not hold. What is not
    installed, or not part of verify.pyz, is not checked.
    """
    try:
        return Check(number=number, verdict="PASS", detail=judge())
    except (IncompleteError, MissingExtra) as error:
        return Check(number=number, verdict="NOT CHECKED", detail=str(error))
    except ModuleNotFoundError as error:
        detail = f"this verifier does not carry {error.name}; pip install freehold, and verify with it"
        return Check(number=number, verdict="NOT CHECKED", detail=detail)
    except (GateError, InputError) as error:
        return failed(number, [finding(error)])


def finding(error: GateError | InputError) -> Finding:
    """An error about a file of the release as a finding."""
    message = f"{error.message}; {error.remedy}" if error.remedy else error.message
    return Finding(where=error.where or "release", message=message)
