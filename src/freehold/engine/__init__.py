"""Where jobs run. A job names its entry point and JSON arguments; nothing is pickled, nothing is assumed shared."""
