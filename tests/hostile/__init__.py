"""Mutated and hand-made hostile files for every reader of the project: `python -m tests.hostile.fuzz`."""
