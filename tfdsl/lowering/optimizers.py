"""Lowers `optimize` to TensorFlow's optimizers."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from ..ops.optimizers import LEARNING_RATE, OPTIMIZERS, SLOTS
from .tf import Operand, tf, v1

Pairs = Iterable[tuple[Operand, Operand]]  # gradients and variables
Apply = Callable[..., tf.Operation]  # `apply_gradients`
Step = Callable[..., tf.Operation]  # of an `OwnArgument`


def optimizer(optimizer: str, **arguments: Operand) -> "v1.train.Optimizer":
    """An optimizer by its name in the language. Arguments are numbers or scalar tensors."""
    row = OPTIMIZERS[optimizer]
    arguments.setdefault("learning_rate", LEARNING_RATE)
    given = {name: value for name, value in arguments.items() if name not in (*row.lacking, SLOTS)}
    named = {"name": arguments[SLOTS]} if SLOTS in arguments else {}
    made = getattr(v1.train, row.tf)(**given, **named)
    own = {
        name: argument.step
        for name, argument in row.lacking.items()
        if arguments.get(name, argument.default) is not argument.default
    }
    if own:
        made.apply_gradients = partial(_apply_with, made.apply_gradients, own, arguments)
    return made


def _apply_with(
    apply: Apply, own: Mapping[str, Step], arguments: Mapping[str, Operand], pairs: Pairs, global_step: Operand = None,
    name: str | None = None,
) -> tf.Operation:  # fmt: skip
    """The step of an optimizer with the arguments in `own`, which TensorFlow lacks."""

    outer = v1.get_default_graph().get_name_scope()

    def without(pairs: Pairs) -> tf.Operation:
        with v1.name_scope(f"{outer}/" if outer else None):  # slots have the same names as without these arguments
            return apply(pairs, global_step)

    for argument, step in own.items():
        without = partial(_named, argument, step, without, arguments)
    with v1.name_scope(name or "step") as scope:
        return tf.group(without(list(pairs)), name=scope)


def _named(
    argument: str, step: Step, apply: Callable[[Pairs], tf.Operation], arguments: Mapping[str, Operand], pairs: Pairs
) -> tf.Operation:
    """The step with one such argument. Its ops are in a scope with the argument's name."""
    with v1.name_scope(argument):
        return step(tf, apply, pairs, arguments)


def minimize(
    loss: tf.Tensor, name: str | None, wrt: list | None = None, global_step: tf.Variable | None = None,
    **arguments: Operand,
) -> tf.Operation:  # fmt: skip
    """The training op: one step of the optimizer on the loss."""
    return optimizer(**arguments).minimize(loss, global_step, var_list=wrt, name=name)


def apply(
    gradients: list[tf.Tensor], wrt: list, name: str | None, global_step: tf.Variable | None = None,
    **arguments: Operand,
) -> tf.Operation:  # fmt: skip
    """The training op: one step of the optimizer along given gradients."""
    return optimizer(**arguments).apply_gradients(zip(gradients, wrt, strict=True), global_step, name=name)


def place_slots(slots: list[tf.Variable]) -> None:
    """Put the slots of an optimizer into the containers of its variables. TensorFlow puts them where the optimizer is,
    so two programs with variables in different containers would share them on a cluster."""
    for slot in slots:
        made = slot.op
        for group in made.colocation_groups():
            variable = made.graph.get_operation_by_name(group.decode().removeprefix("loc:@"))
            if not made.get_attr("container"):
                made._set_attr("container", v1.AttrValue(s=variable.get_attr("container")))
