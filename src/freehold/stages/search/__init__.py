"""Search: ranked, cited passages of the corpus."""
