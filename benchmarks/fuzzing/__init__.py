"""Accidental programs, and the conditions that each must satisfy: see `benchmarks/fuzz.py`."""
