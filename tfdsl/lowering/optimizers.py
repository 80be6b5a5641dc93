"""`optimize` to TensorFlow's optimizers."""

from ..ops.optimizers import LEARNING_RATE, OPTIMIZERS
from .tf import tf, v1


def optimizer(optimizer: str, **arguments) -> v1.train.Optimizer:
    """An optimizer by its name in the language. Arguments are numbers or scalar tensors."""
    arguments.setdefault("learning_rate", LEARNING_RATE)
    return getattr(v1.train, OPTIMIZERS[optimizer].tf)(**arguments)


def minimize(loss, name: str | None, wrt: list | None = None, **arguments) -> tf.Operation:
    """The training op: one step of the optimizer on the loss."""
    return optimizer(**arguments).minimize(loss, var_list=wrt, name=name)
