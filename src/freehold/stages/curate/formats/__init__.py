"""How documents lie in files: one small file per format, each a function from a file to its records."""
