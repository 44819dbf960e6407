"""The mixture as the corpus allows it: what the charter wants, what there is, what a run over it would read."""

from __future__ import annotations

from typing import Any

from freehold.charter import Charter
from freehold.learn.targets import Wanted, cells_of, portioned, room_of, rows, short
from freehold.stages.curate.account import Account


def mixture_of(charter: Charter, account: Account) -> dict[str, Any]:
    """mixture.json, for a run that reads as many bytes as there are to read: one pass if the shares are the corpus's.

    Where `max_epochs` allows less than one pass, it reads that much of each byte. `train` tells of the run itself.
    """
    pools = {pool: size for pool, size in account.pools.items() if size}
    available, most = cells_of(charter, pools), charter.train.max_epochs
    targets = Wanted.of_charter(charter).shares(available)
    room = room_of(available, most=most)
    amount = sum(size for cell, size in available.items() if targets.get(cell)) * min(1.0, most or 1.0)
    reached = portioned(targets, room, amount=amount)
    assert reached is not None, "a run of at most one pass has room"
    account_of = rows(targets, available, reached, amount=amount)
    return {
        "format": 1,
        "unit": "bytes",
        "amount": round(amount),
        "max_epochs": most,
        "rows": account_of,
        "short": short(account_of),
    }
