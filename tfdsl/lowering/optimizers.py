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


def keep_beside(slots: list[tf.Variable]) -> None:
    """Put what an optimizer keeps into the containers of its variables. TensorFlow puts it where the optimizer stands,
    so that two programs whose variables are in different containers would share it on a cluster."""
    for slot in slots:
        handle = slot.handle.op
        for group in handle.colocation_groups():
            variable = handle.graph.get_operation_by_name(group.decode().removeprefix("loc:@"))
            if not handle.get_attr("container"):
                handle._set_attr("container", v1.AttrValue(s=variable.get_attr("container")))
