"""Random programs with a loss over a batch, and a check that their steps in parts are right.

A step in towers must compute the gradient, and the loss, of the whole batch: TensorFlow's own of the unsplit graph.
"""

from random import Random

import numpy as np

from tfdsl.analysis.batch_split import BatchSplit, split
from tfdsl.diagnostics import TfgError
from tfdsl.driver import check, compile_source
from tfdsl.lowering.tf import tf, v1
from tfdsl.ops import OPS
from tfdsl.ops.batch import whole
from tfdsl.ops.op import REQUIRED
from tfdsl.source import Source

TOWERS = 3
HEAD = """\
placeholder X: float64[n, 3]
placeholder y: float64[n, 1]
placeholder v: float64[n]
placeholder Z: float64[n, 2, 3]
placeholder P: float64[n, 4, 4, 3]
placeholder k: int32[n]
variable w: float64[3, 3] = [[0.3, 0.5, 0.7], [0.2, 0.4, 0.6], [0.9, 0.1, 0.8]]
variable b: float64[3] = [0.25, 0.5, 0.75]
variable s: float64 = 0.5
variable table: float64[4, 3] = [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9], [0.3, 0.6, 0.9]]
variable wide: float64[1, 3] = [[0.5, 0.25, 0.75]]
variable filters: float64[2, 2, 3, 3] = random_uniform([2, 2, 3, 3], 0.1, 0.9, dtype=float64, seed=3)
"""
_ROWS = ["X", "y", "v", "Z", "P", "k"]
_FIXED = ["w", "b", "s", "table", "wide", "filters", "filters[0]"]
# Not ops of the table, or ops for which too few random calls are valid.
_WRITTEN = [
    "{0}[:, {i}]", "{0}[..., {i}]", "{0}[{i}]", "{0}[:, 0:2]", "{0}[..., none]", "{0}[:, none]", "{0}[none]", "{0}[::-1]",
    "{0}[1:]", "{0} @ w", "{0} @ {1}", "{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} / {1}", "-{0}", "{0} ** 2.0",
    "{0} > {1}", "concat([{0}, {1}], axis={i})", "stack([{0}, {1}], axis={i})", "transpose({0})", "transpose({0}, [0, 2, 1])",
    "transpose({0}, [1, 0])", "reshape({0}, [-1, 6])", "reshape({0}, [-1, 3])", "reshape({0}, [-1])",
    "reshape({0}, [-1, 2, 3])", "reshape({0}, [6, -1])", "gather(table, k)", "embedding_lookup(table, k)",
    "gather({0}, k)", "one_hot(k, 3, dtype=float64)", "one_hot(k, 3, axis={i}, dtype=float64)",
    "where({0} > 0.5, {1}, {0})", "where({0} > 0.5)", "add_n([{0}, {0}, {1}])", "add_n([{0}, 1.0])",
    "conv2d(P, filters, strides=1, padding=\"SAME\")", "conv2d({0}, filters, strides=[1, 2, 2, 1], padding=\"VALID\")",
    "conv1d(Z, filters[0], stride=1, padding=\"SAME\")", "max_pool({0}, 2, 2, \"VALID\")", "avg_pool({0}, 2, 1, \"SAME\")",
    "depthwise_conv2d({0}, filters, [1, 1, 1, 1], \"SAME\")", "tensordot({0}, {1}, axes=1)", "tensordot({0}, {1}, axes=0)",
    "tensordot({0}, w, axes=[[{i}], [0]])", "reduce_mean({0})", "reduce_sum({0})", "reduce_mean({0}, axis=0)",
    "reduce_sum({0}, axis=0, keepdims=true)", "reduce_mean({0}, axis=0, keepdims=true)", "matmul({0}, {1})",
    "matmul({0}, {1}, transpose_b=true)", "matmul({0}, {1}, transpose_a=true)", "cast({0}, int32)",
    "cast({0}, float64)", "cast({0}, float32)", "sparse_softmax_cross_entropy_with_logits(labels=k, logits={0})",
    "softmax_cross_entropy_with_logits(labels={0}, logits={1})", "softmax({0}, axis={i})", "cumsum({0}, axis={i})",
    "squeeze({0}, axis=[{i}])", "expand_dims({0}, {i})", "while_free({0})", "shape({0})", "size({0})", "reduce_max({0})",
    "dropout({0}, rate=0.0)", "scalar_mul(s, {0})", "bias_add({0}, b)", "xw_plus_b({0}, w, b)", "moments({0}, axes=[0])",
]  # fmt: skip
_LOSSES = [
    "reduce_mean({0} * s)", "reduce_sum({0} * s)", "reduce_mean({0})", "reduce_sum({0})", "{0}",
    "reduce_mean({0} * s) + reduce_sum(square(w))", "reduce_sum({0} * s) + reduce_sum(square(w))",
    "s * reduce_mean({0}) / 3.0", "s - reduce_sum({0})", "reduce_mean(square({0} - b))",
    "reduce_sum(reduce_mean({0} * b, axis=0))", "reduce_mean({0}) * reduce_mean(X @ w)", "sqrt(reduce_mean({0} * s))",
    "mean_squared_error({0}, {0} * s)", "reduce_mean({0} * s) + reduce_sum({0} * s)",
]  # fmt: skip
CALLS = sorted(op.name for op in OPS.values() if op.batch is not whole and not op.draws) + _WRITTEN
"""Ops of which something is known, without those that draw numbers, and expressions."""


class Drawn:
    """The text of a program; `random` makes every choice. The last node is call number `call` of the existing calls."""

    def __init__(self, random: Random, call: int):
        self.random = random
        self.known = 2 * _ROWS + _FIXED
        self.lines: list[str] = []
        for _ in range(random.randrange(3)):
            self._add(random.randrange(len(CALLS)), 4)
        self._add(call, 40)

    def _add(self, call: int, times: int) -> None:
        """Add a call with arguments that pass the check."""
        name = f"e{len(self.lines)}"
        for _ in range(times):
            line = f"{name} = {self._call(CALLS[call])}"
            if _holds([*self.lines, line]):
                self.lines.append(line)
                self.known += 6 * [name]
                return

    @property
    def text(self) -> str:
        """The text with a loss, which can be split if possible. "" if there is none."""
        last = self.lines[-1].split(" = ")[0] if self.lines else "X"
        found = ""
        for _ in range(8):
            whole = self.random.choice((last, last, f"cast({last}, float64)"))
            loss = self.random.choice(_LOSSES).format(whole)
            end = [f"goal = {loss}", "optimize goal with gradient_descent(learning_rate=1.0) as step_op"]
            if _holds([*self.lines, *end]):
                found = HEAD + "\n".join([*self.lines, *end]) + "\n"
                if splits(found):
                    break
        return found

    def _value(self) -> str:
        return self.random.choice(self.known) if self.random.random() < 0.9 else self.random.choice(("0.5", "2.0"))

    def _call(self, call: str) -> str:
        if call not in OPS:
            number = self.random.choice(("0", "1", "-1", "2", "-2"))
            return call.format(self._value(), self._value(), i=number)
        given = []
        for param in OPS[call].params:
            if param.default is not REQUIRED and self.random.random() < 0.6:
                continue
            given.append(f"{param.name}={self._argument(param.kind)}")
        return f"{call}({', '.join(given)})"

    def _argument(self, kind: str) -> str:
        choice = self.random.choice
        match kind:
            case "tensor":
                return self._value()
            case "tensors":
                return f"[{self._value()}, {self._value()}]"
            case "shape":
                return choice(("[-1, 3]", "[-1]", "[-1, 1]", "[3, -1]", "[-1, 6]", "[2, 2]"))
            case "integer":
                return choice(("0", "1", "-1", "2", "-2", "none"))
            case "integers":
                return choice(("0", "1", "-1", "2", "[0]", "[1]", "[0, 1]", "[1, 2]", "none", "[1, 0]", "[0, 2, 1]"))
            case "flag":
                return choice(("true", "false"))
            case "number":
                return choice(("0.5", "1.0"))
            case "dtype":
                return choice(("float64", "float32", "int32"))
            case "text":
                return choice(('"SAME"', '"VALID"', '"NHWC"'))
        return choice(("1", "[[1], [0]]", "[[0], [0]]", "0"))


def _holds(lines: list[str]) -> bool:
    return check(Source("t", HEAD + "\n".join(lines) + "\n"))[0] is not None


def splits(text: str) -> bool:
    """Whether a program's step can be split."""
    program, _ = check(Source("t", text))
    graph = program.graph()
    (node,) = graph.steps()
    return isinstance(split(graph, node), BatchSplit)


def fault(text: str, rows: int, seed: int = 0) -> str:
    """What is wrong with the step of a program in towers, or "". Also "" if TensorFlow cannot run it unsplit."""
    try:
        program = compile_source(Source("t", text))
        program = program.on(towers=TOWERS)
        built = program.built()
    except TfgError as error:
        whole = compile_source(Source("t", text))
        try:
            whole.built()
        except TfgError:
            return ""  # TensorFlow has no gradient for it, or does not build it
        return f"not built in towers: {error}"
    random = np.random.RandomState(seed)
    feeds = {}
    for node in built.program.placeholders():
        type = node.outputs[0]
        shape = [rows, *type.shape[1:]]
        drawn = random.randint(0, 3, shape) if type.dtype.name == "int32" else random.uniform(0.2, 0.9, shape)
        feeds[program[node.name]] = drawn
    goal, step = program["goal"], program["step_op"]
    variables = [built.value(ref) for ref in map(_ref, built.program.variables())]
    with built.graph.as_default():
        gradients = [
            tf.zeros_like(variable) if gradient is None else tf.convert_to_tensor(gradient)
            for gradient, variable in zip(v1.gradients(goal, variables), variables, strict=True)
        ]
        watched = next(iter(built.losses.values()), goal)  # it may not be split at all
        everything = [variable.initializer for variable in built.variables()]
    with v1.Session(graph=built.graph) as session:
        try:
            session.run(everything)
            wanted, loss, before = session.run([gradients, goal, variables], feeds)
        except tf.errors.OpError:
            return ""  # it fails for this batch
        try:
            found = session.run(watched, feeds)
            session.run(step, feeds)
        except tf.errors.OpError as error:
            return f"not run in towers: {error.message}"
        after = session.run(variables)
    for variable, gradient, old, new in zip(variables, wanted, before, after, strict=True):
        if not _near(gradient, old - new):
            return f"the gradient of {variable.op.name} is\n{gradient}\nand in towers\n{old - new}"
    return "" if _near(loss, found) else f"the loss is {loss} and in towers {found}"


def _ref(node):
    from tfdsl.program import Ref

    return Ref(node.id)


def _near(first, second) -> bool:
    """Close within the precision of float32, in which some TensorFlow ops always compute."""
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    both = np.isfinite(first) & np.isfinite(second)
    scale = max(1.0, float(np.max(np.abs(first[both]), initial=0.0)))
    return bool(np.all(np.abs(first - second)[both] <= 1e-4 * scale))
