"""Programs that are analysed and built once for all runs of a test."""

import functools

import tfdsl


@functools.lru_cache(maxsize=4)  # until the end of the test: see `conftest.py`
def shared(source, **params) -> tfdsl.Compiled:
    """The compiled program of a text or a path."""
    return tfdsl.compile(source, params)
