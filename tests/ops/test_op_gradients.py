"""The arguments of an op through which a gradient flows: the rows agree with TensorFlow."""

import re
from dataclasses import replace

import numpy as np
import pytest

import tfdsl
from tfdsl.lowering.graph import Lowering, empty_graph, literal
from tfdsl.lowering.tf import tf, v1
from tfdsl.ops import OPS
from tfdsl.program import Literal, Ref

REAL = ("float32", "float64")


def gradients_by_tensorflow(name):
    """Whether TensorFlow has a gradient for each real tensor that the example of a row passes to its op."""
    *declarations, expression = OPS[name].example.split("\n")
    program = tfdsl.compile("\n".join([*declarations, f"result = {expression}", "session:", "    init"]) + "\n")
    graph = program.program.graph()
    node = max(graph.nodes.values(), key=lambda one: one.id)
    tensors = {param.name for param in OPS[name].params if param.kind == "tensor"}
    built = empty_graph()
    lowering = Lowering(built, {}.__getitem__, {})
    with built.graph.as_default():
        lowering.items(tuple(item for item in graph.items if item is not node))
        args, xs = dict(node.args), {}
        for at, (param, arg) in enumerate(args.items(), 10_000):
            value = None
            if param in tensors and isinstance(arg, Literal):
                dtype = (
                    arg.dtype
                    if arg.dtype in REAL
                    else "float32"
                    if arg.dtype == "int32" and _may_be_real(name, param)
                    else ""
                )
                value = tf.constant(literal(arg.value, dtype)) if dtype else None
            elif param in tensors and isinstance(arg, Ref) and built.tensor(arg).dtype.name in REAL:
                value = built.tensor(arg)
            if value is not None:
                xs[param] = tf.identity(value)
                built.values[at] = (xs[param],)
                args[param] = Ref(at)
        if not xs:
            return {}
        outputs = [
            one
            for one in lowering.node(replace(node, args=args))
            if getattr(one, "dtype", None) in (tf.float32, tf.float64)
        ]
        return _have_gradients(outputs, xs) if outputs else {}


def _may_be_real(name, argument):
    """Whether an argument with integers in an example takes floats: its dtype letter is the only one."""
    op = OPS[name]
    group = next(param.group for param in op.params if param.name == argument)
    return set(op.dtypes) == {group} and "float32" in {dtype.name for dtype in op.allowed(group)}


def _have_gradients(outputs, xs):
    try:
        found = v1.gradients(outputs, list(xs.values()))
    except LookupError:  # for at least one of them
        if len(xs) == 1:
            return dict.fromkeys(xs, False)
        return {param: flows for one in xs for param, flows in _have_gradients(outputs, {one: xs[one]}).items()}
    return {param: gradient is not None for param, gradient in zip(xs, found, strict=True)}


@pytest.mark.usefixtures("example_files")
@pytest.mark.parametrize("group", sorted({op.group for op in OPS.values()}))
def test_rows_agree_with_tensorflow_about_gradients(group, request):
    """About every third op, or all with `--long`."""
    names = [op.name for op in OPS.values() if op.group == group and op.name not in ("gradients", "constant")]
    for name in names if request.config.getoption("--long") else names[::3]:
        for param, flows in gradients_by_tensorflow(name).items():
            assert OPS[name].passes_gradient(param) is flows, f"{name}: {param}"


def test_an_op_without_gradient_is_named_at_its_line():
    text = "variable w = [[1.0, 0.0], [0.0, 1.0]]\nl = reduce_sum(w) + reduce_sum(adjust_contrast(w[..., none], 2.0))\n"
    program = tfdsl.compile(text + "optimize l with adam()\nsession:\n    init\n")
    with pytest.raises(tfdsl.TfgError) as error:
        program.run()
    (diagnostic,) = error.value.diagnostics
    assert (diagnostic.code, diagnostic.span.line) == ("TFG739", 2)


_OTHERS = {  # arguments of ops that keep zeros
    "gather": "[0, 1]", "dropout": "rate=0.5", "max_pool": 'ksize=2, strides=2, padding="SAME"',
    "avg_pool": 'ksize=2, strides=2, padding="SAME"',
}  # fmt: skip


def test_rows_that_keep_zeros_and_stop_gradients_there():
    """What the warning of variables that stay 0 goes by, beside TensorFlow."""
    keeping = [op for op in OPS.values() if op.keeps_zero or op.cuts]
    assert {"relu", "tanh", "leaky_relu", *_OTHERS} <= {op.name for op in keeping}
    for op in keeping:
        given = f"x, {_OTHERS[op.name]}" if op.name in _OTHERS else "x"
        program = tfdsl.compile(f"variable x = zeros([2, 4, 4, 1])\ny = {op.name}({given})\ng = gradients(y, x)\n")
        with program.session() as session:
            y, (g,) = session.run(["y", "g"])
        assert not y.any(), op.name
        dense = g[1] if isinstance(g, tuple) else g
        assert not (op.cuts or op.name in ("square", "abs")) or not np.any(dense), op.name


NETWORK = """seed 1
data points = moons(65, seed=1)
placeholder X: float32[n, 2]
placeholder y: int64[n, 1]
variable w: float32[2, 2] = {zero}
variable v: float32[2, 2] = {zero}
variable b = 0.0
variable k: float32[2, 2] = random_normal(stddev=0.1, seed=1)
{graph}
cost = reduce_mean(sparse_softmax_cross_entropy_with_logits(labels=y[:, 0], logits={logits})){more}
{step}
session:
    {before}
    train 5 steps on points as batch:
        feed X = batch.features, y = batch.target{feed}
        run go
"""
_STEP = "optimize cost with adam(learning_rate=0.1) as go"
# The variables that are named, of w, v and b. Which of them stay 0 is up to TensorFlow.
STUCK = [
    ({"logits": "X @ w @ v"}, "w v"),
    ({"logits": "X @ w @ v", "zero": "0.0"}, "w v"),
    ({"logits": "X @ w @ v", "zero": "[[0.0, 0.0], [0.0, 0.0]]"}, "w v"),
    ({"logits": "X @ w @ v", "zero": "constant(0.0, shape=[2, 2])"}, "w v"),
    ({"logits": "X @ w @ v + b"}, "w v"),
    ({"logits": "relu(X @ w + b) @ v"}, "w v b"),
    ({"logits": "-(X @ w) / 2.0 @ v"}, "w v"),
    ({"logits": "dropout(X @ w, rate=0.5)[:, 0:2] @ v"}, "w v"),
    ({"logits": "add_n([X @ w, X @ w]) @ v"}, "w v"),
    ({"logits": "X @ w @ v", "more": " + reduce_sum(square(w)) + reduce_sum(v * v)"}, "w v"),
    ({"logits": "X @ (w * w) + X @ v", "alone": False}, ""),  # it may be at its best
    ({"logits": "X @ w + X @ v"}, ""),
    ({"logits": "sigmoid(X @ w) @ v"}, ""),
    ({"logits": "X @ k @ w"}, ""),
    ({"logits": "X + [b, 1.0] * v[0]"}, ""),
    ({"logits": "X + tanh([b, 1.0]) * v[0]"}, ""),
    ({"logits": "X @ k", "more": " + square(b)"}, ""),  # it is where it should be
    ({"logits": "X @ [[b, b], [1.0, b]] @ v"}, ""),
    ({"logits": "X @ w @ v", "more": " + reduce_sum(w)"}, ""),
    ({"logits": "h @ v", "graph": "h = X @ w", "feed": ", h = batch.features"}, ""),
    ({"logits": "X @ w @ v", "before": "set w = [[0.1, 0.2], [0.3, 0.4]]"}, ""),
    ({"logits": "X @ w @ v", "step": "gw, gv = gradients(cost, [w, v])\n"
      "apply gw, gv to w, v with adam(learning_rate=0.1) as go"}, "w v"),
    ({"logits": "X @ w @ v", "step": "gw, gv = gradients(cost, [w, v])\n"
      "apply gw + 0.1, gv to w, v with adam(learning_rate=0.1) as go"}, ""),
    ({"logits": "X @ w @ v", "before": "run other",
      "step": f"{_STEP}\noptimize square(reduce_sum(w) - 1.0) with gradient_descent(learning_rate=0.1) wrt w as other"},
     ""),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "names"), STUCK)
def test_variables_that_are_said_to_stay_zero_do(parts, names):
    given = {"zero": "zeros", "graph": "", "more": "", "step": _STEP, "before": "init", "feed": "", **parts}
    program = tfdsl.compile(NETWORK.format(**given))
    found = [re.findall(r"\w+", one.details["names"]) for one in program.diagnostics if one.code == "TFG957"]
    said = {name for one in found for name in one} - {"and"}
    assert said == set(names.split())
    values = program.run().variables
    assert not any(values[name].any() for name in said)
    reached = {
        name
        for name in ("w", "v")
        if parts.get("alone", True) and re.search(rf"\b{name}\b", given["logits"] + given["graph"])
    }
    assert all(values[name].any() for name in reached - said)
