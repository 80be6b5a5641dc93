"""Generated trainings in every engine: see `benchmarks/same.py`."""
