"""Builds constants whose values are in files."""

import os

from ..data import DataError
from ..program import Node
from .built import NodeLowering
from .failures import failure
from .tf import Operand, tf


def stored(lowering: NodeLowering, node: Node) -> Operand:
    """A constant with an array from a file, which must not have changed since the check."""
    folder = os.path.dirname(node.origin.span.source.path)
    read = lowering.built.setting.constants
    checksum = node.static("checksum")
    assert read is not None and isinstance(checksum, int)
    try:
        array = read(node.text("from"), folder, node.text("name"), checksum)
    except DataError as error:
        raise failure(error.message, node.origin, **error.details) from None
    return tf.constant(array, node.outputs[0].dtype.name, name=node.name or "Const")
