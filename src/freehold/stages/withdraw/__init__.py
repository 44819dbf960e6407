"""Withdraw: documents that are to go: found, shown with what it costs, written down, kept from being said."""
