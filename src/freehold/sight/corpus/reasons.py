"""Which step of the curation gives which reason, in the order of the steps, and of which a text may be shown."""

from __future__ import annotations

from typing import Final

# Reasons as docs/reference/curation/reasons.md lists them. One that is missing here is counted under "other rules"
# and its text is not shown.
STEPS: Final = {
    "reading": (
        "archive-bomb broken-archive broken-file changed-file dangling-link empty-file encrypted-file http-status "
        "invalid-json invalid-utf8 invalid-xml licence-file no-text not-text parser-crash parser-memory parser-time "
        "record-too-long special-file symlink-loop unknown-format unknown-markup unknown-xml unreadable-file "
        "unreadable-folder unsafe-name"
    ),
    "rights": "licence-unknown licence-unparsable licence-not-allowed refused-by-override",
    "extraction": "hostile-markup unreadable-markup",
    "opt-outs": "opted-out opted-out-aipref opted-out-list opted-out-noai opted-out-robots opted-out-tdmrep withdrawn",
    "quality": (
        "empty too-short too-long broken-encoding placeholder few-words few-letters stub program-code "
        "unbroken-characters word-length wordless symbols bullet-lines ellipsis-lines short-lines unfinished-lines "
        "repeated-lines repeated-text stop-words own-classifier"
    ),
    "language": "language-mismatch language-unknown language-not-in-charter mixed-language",
    "privacy": "",
    "evaluation packs": "contaminated",
    "copies": "exact-duplicate near-duplicate older-version boilerplate",
    "other rules": "",
}
STEP_OF: Final = {reason: step for step, reasons in STEPS.items() for reason in reasons.split()}

# Both steps come behind rights and opt-outs, so that a record dropped here was free to be used. The texts of all
# others stay unseen: of a refusal by right, of an opt-out, of a rule for privacy, of a reason this file does not know.
SHOWN: Final = frozenset({"quality", "language"})


def step_of(reason: str) -> str:
    """The step that gives a reason.

    >>> step_of("too-short"), step_of("something-new")
    ('quality', 'other rules')
    """
    return STEP_OF.get(reason, "other rules")


def may_be_shown(reason: str) -> bool:
    """Whether a bit of a text dropped for this reason may stand in a page.

    >>> may_be_shown("too-short"), may_be_shown("opted-out"), may_be_shown("something-new")
    (True, False, False)
    """
    return step_of(reason) in SHOWN
