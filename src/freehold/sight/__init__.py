"""What a person sees of a run: of training its steps as lines, a page, TensorBoard files and, if asked for, telemetry;
of curation a page to browse (`corpus/`).

Everything here looks on. Nothing of it enters an artifact, so a change of it makes nothing anew.
"""
