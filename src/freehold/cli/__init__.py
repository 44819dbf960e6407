"""The command line: one verb per stage, results on stdout, everything else on stderr."""
