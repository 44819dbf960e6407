"""The signed log of withdrawals, that it only ever grew, and the filter by which serving keeps to it."""
