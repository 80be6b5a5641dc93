"""The one import of TensorFlow. Everything below the front end takes `tf` and `v1` from here."""

import tensorflow as tf
from tensorflow.compat import v1

__all__ = ["resolve", "tf", "v1"]


def resolve(path: str):
    """The symbol at a dotted path below `tf.compat.v1`."""
    symbol = v1
    for part in path.split("."):
        symbol = getattr(symbol, part)
    return symbol
