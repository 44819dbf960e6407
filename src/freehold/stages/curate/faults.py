"""Which reasons are faults of files, and how much of a source may be lost to them.

A rule that turns a record away has looked at it; what is lost to a fault nobody has seen.
"""

from __future__ import annotations

from typing import Final

from freehold import charter as charters
from freehold.charter import Charter
from freehold.errors import InputError
from freehold.stages.curate.account import Account

NAMES: Final = """
    archive-bomb broken-archive broken-file changed-file dangling-link encrypted-file hostile-markup invalid-json
    invalid-utf8 invalid-xml parser-crash parser-memory parser-time record-too-long special-file symlink-loop
    unreadable-file unsafe-name unreadable-folder
"""
FAULTS: Final = frozenset(NAMES.split())


def check_losses(charter: Charter, account: Account) -> None:
    """Raise InputError for the first source that lost more than the charter's share of its records to faults."""
    for position, source in enumerate(charter.sources):
        drops = account.dropped_of(source.name)
        lost = sum(times for reason, times in drops.items() if reason in FAULTS)
        read = account.kept[source.name] + drops.total()
        if lost > charter.curate.max_lost * read:
            names = ", ".join(f"{reason} {drops[reason]}" for reason in sorted(FAULTS & drops.keys()))
            message = (
                f'sources[{position}].path: "{source.name}" lost {lost} of {read} records to faults of its files, more '
                f"than [curate].max_lost = {charter.curate.max_lost:g} allows: {names}"
            )
            place = charters.where(charter.path, ("sources", position, "path"))
            raise InputError(message, where=place, remedy="mend the files, or raise max_lost")
