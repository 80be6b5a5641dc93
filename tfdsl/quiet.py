"""Imports TensorFlow without its messages on standard error, also in processes whose other code uses TensorFlow."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


def load_beside_others() -> None:
    """Import TensorFlow quietly in a process whose other code may use it too. Nothing else is configured."""
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with held_back():
        import tensorflow  # noqa: F401


@contextmanager
def unlogged() -> Iterator[None]:
    """Hold back what TensorFlow's logger says below an error, such as that a function is old. In a notebook it would
    say so in the output of the cell."""
    import tensorflow

    logger = tensorflow.get_logger()
    before = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def held_back() -> Iterator[None]:
    """Hold back output to standard error, also from C++. Show it if there is an exception."""
    sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        except BaseException as error:
            _restore(saved)
            if isinstance(error, Exception):
                file.seek(0)
                sys.stderr.write(file.read().decode("utf-8", "replace"))
            raise
        _restore(saved)


def _restore(saved: int) -> None:
    sys.stderr.flush()
    os.dup2(saved, 2)
    os.close(saved)
