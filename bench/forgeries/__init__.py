"""Mutations of a release: of bytes and files, and of meaning with everything hashed and signed again."""
