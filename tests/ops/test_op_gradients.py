"""The arguments of an op through which a gradient flows: the rows agree with TensorFlow."""

from dataclasses import replace

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


def test_rows_that_keep_zeros_and_stop_gradients_there():
    """What the warning of variables that stay 0 goes by, beside TensorFlow."""
    keeping = [op for op in OPS.values() if op.keeps_zero or op.cuts]
    assert {"relu", "tanh", "leaky_relu"} <= {op.name for op in keeping}
    for op in keeping:
        program = tfdsl.compile(f"variable x = zeros([3])\ny = {op.name}(x)\ng = gradients(y, x)\n")
        with program.session() as session:
            y, (g,) = session.run(["y", "g"])
        assert y.tolist() == [0] * 3, op.name
        assert not op.cuts or g.tolist() == [0] * 3, op.name


def test_variables_that_are_said_to_stay_zero_do():
    result = tfdsl.compile(
        "seed 1\ndata points = moons(200, seed=1)\nplaceholder X: float32[n, 2]\nplaceholder y: int64[n, 1]\n"
        "variable w: float32[2, 8] = zeros\nvariable c: float32[8] = zeros\nvariable v: float32[8, 2] = zeros\n"
        "variable d: float32[2] = zeros\nvariable a: float32[2, 4] = zeros\nvariable b: float32[4, 2] = ones\n"
        "logits = relu(X @ w + c) @ v + d + tanh(X @ a) @ b\n"
        "optimize reduce_mean(sparse_softmax_cross_entropy_with_logits(labels=y[:, 0], logits=logits)) with adam()\n"
        "session:\n    train 20 steps on points in batches of 50 as one:\n"
        "        feed X = one.features, y = one.target\n"
    )
    assert [one.details["names"] for one in result.diagnostics if one.code == "TFG957"] == ["w, c and v"]
    values = result.run().variables
    assert {name for name, value in values.items() if not value.any() and "/" not in name} == {"w", "c", "v"}
