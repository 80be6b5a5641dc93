"""Imports TensorFlow for the command line: fast, and without its messages on standard error."""

import gc
import os
from collections.abc import Callable, Mapping

from ..driver import infer
from ..inputs import Foreign, Inference
from ..program import Node
from ..quiet import held_back, load_beside_others
from . import lazy_tensorflow
from .signals import at_once


def load(tidy: Callable[[], object] = lambda: None) -> None:
    """Import TensorFlow. Its start-up messages are shown only if the import fails.

    A signal during the import ends the process after a call of `tidy`.
    """
    # TF1 graphs do not use Keras; importing it eagerly would take a second.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with at_once(tidy):
        with held_back():
            is_loaded = lazy_tensorflow.load()
        if not is_loaded:
            load_beside_others()
    import tensorflow

    tensorflow.get_logger().setLevel("ERROR")
    gc.enable()


def foreign(load: Callable[[], None] = load) -> Foreign:
    """The extension that building commands pass to the compiler: TensorFlow's inference, after a quiet import."""

    def quietly(nodes: Mapping[int, Node], version: int | None) -> Inference:
        load()
        return infer(nodes, version)

    return Foreign({}, quietly)
