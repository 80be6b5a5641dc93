"""Python's garbage collector, paused while a stage of the compiler makes objects that live on.

Collecting in the middle of that finds nothing and takes up to half of the time.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """No collection inside of the block, unless it was paused already outside of it."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
