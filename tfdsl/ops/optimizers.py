"""The optimizers: one row each, by their TensorFlow 1 names in snake case.

The arguments of TensorFlow's class but `learning_rate` can be given by position; all others by keyword only.
"""

from collections.abc import Callable, Mapping, Sequence

from ..record import Record
from ..types import TF, Operand

REQUIRED = object()
LEARNING_RATE = 0.01
SLOTS = "slots"  # the argument that names the variables of an optimizer
SUM_SLICES = "sum_slices"  # the argument for clipped gradients of rows

Pairs = Sequence[tuple[Operand, Operand]]  # gradients, None if there is none, with their variables
Apply = Callable[[Pairs], Operand]


class OwnArgument(Record):
    """An argument that TensorFlow's class lacks. `step(tf, apply, pairs, arguments)` makes a step with the argument:
    `tf` is TensorFlow, `arguments` are all arguments of the optimizer, including the learning rate, and
    `apply(pairs)` makes the step without this argument. `step` can change the gradients, and add ops before or
    after the step. It returns the final op. If a program leaves the argument out, or gives a default that is `true`,
    `false` or `none`, its graph is the one that TensorFlow's class builds. `allows` says which numbers are right, and
    `wanted` says so in a message."""

    default: object
    step: Callable[[TF, Apply, Pairs, Mapping[str, Operand]], Operand]
    wanted: str = "a number"
    allows: Callable[[float], bool] = lambda value: True


class OptimizerRow(Record):
    """`tf` is a class below `tf.compat.v1.train`. `given` has its arguments after `learning_rate`, with defaults.
    `own` has arguments that the class lacks, besides those of `ADDED`, and `decays` those that are factors below 1.
    `slots` is how many numbers it keeps for each number that it trains, `one_more` names the flag that adds one, and
    `kept` is how many numbers it keeps besides. `keras` is its class in `keras.optimizers`, if it has one."""

    name: str
    tf: str
    given: dict[str, object]
    doc: str
    own: dict[str, OwnArgument] = {}  # noqa: RUF012
    decays: tuple[str, ...] = ()
    slots: int = 0
    one_more: str = ""
    kept: int = 0
    keras: str = ""

    @property
    def node(self) -> str:
        """The name that TensorFlow gives its step."""
        return self.tf.removesuffix("Optimizer")

    @property
    def keeps_variables(self) -> bool:
        """Whether its steps may keep variables of their own."""
        return bool(self.slots or self.one_more or self.kept)

    @property
    def begins_with(self) -> tuple[str, ...]:
        """The arguments that are initial values of its own variables."""
        initial = (name for name in self.given if name.startswith("initial_"))
        return (*(self.decays if self.kept else ()), *initial)

    @property
    def lacking(self) -> dict[str, OwnArgument]:
        """The arguments that the class lacks. Where several change a step, the first of them does so last."""
        return {**ADDED, **self.own}

    @property
    def params(self) -> dict[str, object]:
        """The arguments with their defaults, without `learning_rate`."""
        return {**self.given, **{name: argument.default for name, argument in self.lacking.items()}}

    @property
    def signature(self) -> str:
        def shown(name: str, default: object) -> str:
            if default is REQUIRED:
                return name
            return f"{name} = {str(default).lower() if default is None or isinstance(default, bool) else default}"

        lacking = {name: one.default for name, one in self.lacking.items()}
        last = {"learning_rate": LEARNING_RATE, **lacking, SLOTS: None}
        return ", ".join(shown(name, default) for name, default in {**self.given, **last}.items())

    @property
    def example(self) -> str:
        """A call that works on its own."""
        needed = [f"{name}=0.9" for name, default in self.params.items() if default is REQUIRED]
        return f"{self.name}({', '.join([*needed, 'learning_rate=0.1'])})"


def _clipped(clip: Callable[[TF, list[Operand], Operand], list[Operand]], name: str) -> OwnArgument:
    """An argument that shrinks gradients. `clip(tf, gradients, limit)` gets those that are there."""

    def step(tf: TF, apply: Apply, pairs: Pairs, arguments: Mapping[str, Operand]) -> Operand:
        is_summed = arguments.get(SUM_SLICES, True)
        there = [
            (_summed(tf, gradient) if is_summed else gradient, variable)
            for gradient, variable in pairs
            if gradient is not None
        ]
        clipped = clip(tf, [gradient for gradient, _ in there], arguments[name])
        return apply([(gradient, variable) for gradient, (_, variable) in zip(clipped, there, strict=True)])

    return OwnArgument(None, step, "a number above 0", lambda value: value > 0)


def _summed(tf: TF, gradient: Operand) -> Operand:
    """A gradient in which each row of a table stands once: `gather` gives a slice for each time that it takes a row."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, places = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(rows))
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def _by_norm(tf: TF, gradients: list[Operand], limit: Operand) -> list[Operand]:
    return [tf.clip_by_norm(gradient, limit) for gradient in gradients]


def _by_value(tf: TF, gradients: list[Operand], limit: Operand) -> list[Operand]:
    """NaN stays NaN: what TensorFlow's function makes of it depends on the processor."""

    def clip(values: Operand) -> Operand:
        return tf.where(tf.math.is_nan(values), values, tf.clip_by_value(values, -limit, limit))

    return [
        tf.IndexedSlices(clip(one.values), one.indices, one.dense_shape)
        if isinstance(one, tf.IndexedSlices)
        else clip(one)
        for one in gradients
    ]


def _by_global_norm(tf: TF, gradients: list[Operand], limit: Operand) -> list[Operand]:
    """TensorFlow's function takes gradients of one dtype."""
    dtypes = list(dict.fromkeys(gradient.dtype for gradient in gradients))
    if len(dtypes) == 1:
        return tf.clip_by_global_norm(gradients, limit)[0]
    values = [gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient for gradient in gradients]
    norm = tf.linalg.global_norm([tf.cast(one, tf.float64) for one in values])
    clipped: dict[int, Operand] = {}
    for dtype in dtypes:
        places = [at for at, gradient in enumerate(gradients) if gradient.dtype == dtype]
        own, _ = tf.clip_by_global_norm([gradients[at] for at in places], limit, use_norm=tf.cast(norm, dtype))
        clipped.update(zip(places, own, strict=True))
    return [clipped[at] for at in range(len(gradients))]


def _decayed(tf: TF, apply: Apply, pairs: Pairs, arguments: Mapping[str, Operand]) -> Operand:
    """Before a step, shrink each variable by `learning_rate * weight_decay` of itself, as AdamW does."""
    share = arguments["learning_rate"] * arguments["weight_decay"]
    there = [(gradient, variable) for gradient, variable in pairs if gradient is not None]
    made = [gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient for gradient, _ in there]
    with tf.control_dependencies(made):  # of the variables before the step
        shrunk = [variable.assign_sub(tf.cast(share, variable.dtype) * variable) for _, variable in there]
    with tf.control_dependencies(shrunk):
        return apply(there)


def _unchanged(tf: TF, apply: Apply, pairs: Pairs, arguments: Mapping[str, Operand]) -> Operand:
    return apply(pairs)


# The arguments that TensorFlow's classes lack: those of `keras.optimizers.Optimizer`, and one that says whether clips
# get the sum of all slices of a row, as in Keras, or the slices, as the functions of TensorFlow 1 do.
ADDED = {
    "clipnorm": _clipped(_by_norm, "clipnorm"),
    "clipvalue": _clipped(_by_value, "clipvalue"),
    "global_clipnorm": _clipped(_by_global_norm, "global_clipnorm"),
    "weight_decay": OwnArgument(None, _decayed, "a number that is not negative", lambda value: value >= 0),
    SUM_SLICES: OwnArgument(True, _unchanged),
}
CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")  # of which a step has one

_PROXIMAL = {"l1_regularization_strength": 0.0, "l2_regularization_strength": 0.0}

OPTIMIZERS: dict[str, OptimizerRow] = {
    row.name: row
    for row in (
        OptimizerRow(
            "gradient_descent", "GradientDescentOptimizer", {},
            "var -= learning_rate * gradient", keras="SGD",
        ),
        OptimizerRow(
            "momentum", "MomentumOptimizer", {"momentum": REQUIRED, "use_nesterov": False},
            "m = momentum * m + gradient; var -= learning_rate * m", decays=("momentum",), slots=1,
            keras="SGD",
        ),
        OptimizerRow(
            "adam", "AdamOptimizer", {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
            "Steps by the mean gradient divided by the root of the mean of its squares (Kingma and Ba, 2014).",
            decays=("beta1", "beta2"), slots=2, kept=2, keras="Adam",
        ),
        OptimizerRow(
            "rmsprop", "RMSPropOptimizer",
            {"decay": 0.9, "momentum": 0.0, "epsilon": 1e-10, "centered": False},
            "Divides the gradient by a running root mean square of itself (Tieleman and Hinton, 2012).",
            decays=("momentum",), slots=2, one_more="centered", keras="RMSprop",
        ),
        OptimizerRow(
            "adagrad", "AdagradOptimizer", {"initial_accumulator_value": 0.1},
            "Divides the gradient by the root of the sum of all its squares so far (Duchi et al., 2011).", slots=1,
            keras="Adagrad",
        ),
        OptimizerRow(
            "adadelta", "AdadeltaOptimizer", {"rho": 0.95, "epsilon": 1e-8},
            "Like rmsprop, with a running size of the updates as the learning rate (Zeiler, 2012).", slots=2,
            keras="Adadelta",
        ),
        OptimizerRow(
            "ftrl", "FtrlOptimizer",
            {"learning_rate_power": -0.5, "initial_accumulator_value": 0.1, **_PROXIMAL,
             "l2_shrinkage_regularization_strength": 0.0, "beta": 0.0},
            "Follow the regularized leader, for sparse linear models (McMahan et al., 2013).", slots=2,
            keras="Ftrl",
        ),
        OptimizerRow(
            "proximal_gradient_descent", "ProximalGradientDescentOptimizer", dict(_PROXIMAL),
            "Gradient descent with a proximal step for L1 and L2 regularization (Duchi and Singer, 2009).",
        ),
        OptimizerRow(
            "proximal_adagrad", "ProximalAdagradOptimizer", {"initial_accumulator_value": 0.1, **_PROXIMAL},
            "Adagrad with a proximal step for L1 and L2 regularization (Duchi and Singer, 2009).", slots=1,
        ),
    )
}  # fmt: skip
