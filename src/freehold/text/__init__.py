"""Pure judgements on text that several stages share: no clock, no files, no network, no global randomness."""
