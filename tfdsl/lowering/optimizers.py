"""`optimize` to TensorFlow's optimizers."""

from ..ops.optimizers import LEARNING_RATE, OPTIMIZERS
from .tf import tf, v1


def minimize(loss, optimizer: str, name: str | None, wrt: list | None = None, **arguments) -> tf.Operation:
    """The training op: one step of the optimizer on the loss. Arguments are numbers or scalar tensors."""
    row = OPTIMIZERS[optimizer]
    arguments.setdefault("learning_rate", LEARNING_RATE)
    made = getattr(v1.train, row.tf)(**arguments)
    return made.minimize(loss, var_list=wrt, name=name)
