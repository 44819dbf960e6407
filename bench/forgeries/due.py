"""Which checks have to notice a mutation of meaning: at least one of those that are due must be among the failing."""

from __future__ import annotations

import re

from forgeries.exempt import exempted
from forgeries.meaning import Trial

# File → checks, where only the release is signed again: the statement, the facts or the log contradict the file.
SEALED = {
    r"evidence/release\.json": {2, 3, 8},
    r"evidence/policy\.json": {1, 8},
    r"evidence/steps/.*": {3, 4, 7, 8, 9, 10},
    r"evidence/law/.*|evidence/bom/.*": {8, 9},
    r"evidence/withdrawals/.*": {10},
    r"evidence/(corpus|tokenizer|train|refine|evaluation)/.*": {3},
}
# The same where the change was carried through.
CARRIED = {
    r"evidence/policy\.json": {1, 8},
    r"evidence/release\.json": {2, 3, 8},
    r"evidence/steps/.*": {3, 4, 7, 8, 9, 10},
    r"evidence/corpus/.*": {3, 8, 9},
    r"evidence/tokenizer/.*": {3},
    r"evidence/(train|refine)/.*": {3, 4, 8},
    r"evidence/evaluation/.*": {3, 7},
    r"evidence/law/.*|evidence/bom/.*": {8, 9},
    r"evidence/withdrawals/.*": {10},
}


def checks(trial: Trial) -> set[int]:
    """The checks that are due for a mutation; none for a file that no row names."""
    table = SEALED if trial.depth == "sealed" else CARRIED
    return next((numbers for pattern, numbers in table.items() if re.fullmatch(pattern, trial.file)), set())


def caught(trial: Trial) -> bool:
    """Whether a mutation was noticed by a check that is due, or by none and its field is exempt by name.

    Where only the release is signed again, nothing but what people declare and the policy can be exempt: every other
    file is sworn by a statement.
    """
    if set(trial.failed) & checks(trial):
        return True
    return not trial.failed and exempted(trial.file, trial.place) is not None
