"""The optimizers: one row each, by their TensorFlow 1 names in snake case.

`learning_rate` is always given by keyword. The other arguments can be given by position too.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..record import Record

REQUIRED = object()
LEARNING_RATE = 0.01

Pairs = Sequence[tuple[Any, Any]]  # gradients, None if there is none, with their variables


class OwnArgument(Record):
    """An argument that TensorFlow's class lacks. `step(tf, apply, pairs, arguments)` makes a step with the argument:
    `tf` is TensorFlow, `arguments` are all arguments of the optimizer, including the learning rate, and
    `apply(pairs)` makes the step without this argument. `step` can change the gradients, and add ops before or
    after the step. It returns the final op. If a program leaves the argument out, its graph is the one that
    TensorFlow's class builds."""

    default: object
    step: Callable[[Any, Callable[[Pairs], Any], Pairs, Mapping[str, Any]], Any]


class OptimizerRow(Record):
    """`tf` is a class below `tf.compat.v1.train`. `given` has its arguments after `learning_rate`, with defaults.
    `own` has the arguments that the class lacks, and `decays` those that are factors below 1."""

    name: str
    tf: str
    given: dict[str, object]
    doc: str
    own: dict[str, OwnArgument] = {}  # noqa: RUF012
    decays: tuple[str, ...] = ()

    @property
    def params(self) -> dict[str, object]:
        """The arguments with their defaults, without `learning_rate`."""
        return {**self.given, **{name: argument.default for name, argument in self.own.items()}}

    @property
    def signature(self) -> str:
        def shown(name: str, default: object) -> str:
            if default is REQUIRED:
                return name
            return f"{name} = {str(default).lower() if default is None or isinstance(default, bool) else default}"

        parts = [shown(name, default) for name, default in self.params.items()]
        return ", ".join([*parts, f"learning_rate = {LEARNING_RATE}"])

    @property
    def example(self) -> str:
        """A call that works on its own."""
        needed = [f"{name}=0.9" for name, default in self.params.items() if default is REQUIRED]
        return f"{self.name}({', '.join([*needed, 'learning_rate=0.1'])})"


_PROXIMAL = {"l1_regularization_strength": 0.0, "l2_regularization_strength": 0.0}

OPTIMIZERS: dict[str, OptimizerRow] = {
    row.name: row
    for row in (
        OptimizerRow(
            "gradient_descent", "GradientDescentOptimizer", {},
            "var -= learning_rate * gradient",
        ),
        OptimizerRow(
            "momentum", "MomentumOptimizer", {"momentum": REQUIRED, "use_nesterov": False},
            "m = momentum * m + gradient; var -= learning_rate * m", decays=("momentum",),
        ),
        OptimizerRow(
            "adam", "AdamOptimizer", {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
            "Steps by the mean gradient divided by the root of the mean of its squares (Kingma and Ba, 2014).",
            decays=("beta1", "beta2"),
        ),
        OptimizerRow(
            "rmsprop", "RMSPropOptimizer",
            {"decay": 0.9, "momentum": 0.0, "epsilon": 1e-10, "centered": False},
            "Divides the gradient by a running root mean square of itself (Tieleman and Hinton, 2012).",
            decays=("momentum",),
        ),
        OptimizerRow(
            "adagrad", "AdagradOptimizer", {"initial_accumulator_value": 0.1},
            "Divides the gradient by the root of the sum of all its squares so far (Duchi et al., 2011).",
        ),
        OptimizerRow(
            "adadelta", "AdadeltaOptimizer", {"rho": 0.95, "epsilon": 1e-8},
            "Like rmsprop, with a running size of the updates as the learning rate (Zeiler, 2012).",
        ),
        OptimizerRow(
            "ftrl", "FtrlOptimizer",
            {"learning_rate_power": -0.5, "initial_accumulator_value": 0.1, **_PROXIMAL},
            "Follow the regularized leader, for sparse linear models (McMahan et al., 2013).",
        ),
        OptimizerRow(
            "proximal_gradient_descent", "ProximalGradientDescentOptimizer", dict(_PROXIMAL),
            "Gradient descent with a proximal step for L1 and L2 regularization (Duchi and Singer, 2009).",
        ),
        OptimizerRow(
            "proximal_adagrad", "ProximalAdagradOptimizer", {"initial_accumulator_value": 0.1, **_PROXIMAL},
            "Adagrad with a proximal step for L1 and L2 regularization (Duchi and Singer, 2009).",
        ),
    )
}  # fmt: skip
