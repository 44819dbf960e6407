"""What a person sees of a training run: its steps as lines, a page, TensorBoard files and, if asked for, telemetry.

Everything here looks on. Nothing of it enters an artifact, so a change of it retrains no model.
"""
