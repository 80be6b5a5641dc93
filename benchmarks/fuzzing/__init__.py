"""Programs made by accident, and what must hold of each: see `benchmarks/fuzz.py`."""
