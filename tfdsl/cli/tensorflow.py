"""Imports TensorFlow for the command line: fast, and without its messages on standard error."""

import gc
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..driver import infer
from ..inputs import Foreign
from .signals import at_once


def load(tidy: Callable[[], object] = lambda: None) -> None:
    """Import TensorFlow. Its start-up messages are shown only if the import fails.

    A signal during the import ends the process after a call of `tidy`.
    """
    # TF1 graphs do not use Keras; importing it eagerly would take a second.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    with at_once(tidy):
        load_beside_others()
    import tensorflow

    tensorflow.get_logger().setLevel("ERROR")
    gc.enable()


def load_beside_others() -> None:
    """Import TensorFlow quietly in a process whose other code may use it too. Nothing else is configured."""
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with held_back():
        import tensorflow  # noqa: F401


def foreign(load: Callable[[], None] = load) -> Foreign:
    """The extension that building commands pass to the compiler: TensorFlow's inference, after a quiet import."""

    def quietly(*arguments: Any) -> Any:  # those of `infer`
        load()
        return infer(*arguments)

    return Foreign({}, quietly)


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
