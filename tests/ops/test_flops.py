"""The floating-point operations of ops, beside those of TensorFlow's profiler and formulas by hand."""

import math

import pytest
import tensorflow as tf
from tensorflow.python.framework import ops as tf_ops

import tfdsl
from tfdsl.analysis.layers import layers
from tfdsl.ops import OPS
from tfdsl.ops.flops import uncounted

v1 = tf.compat.v1

# What the profiler does not count, and which does no operation on a number.
MOVES = {
    "Const", "Cast", "Reshape", "Squeeze", "ExpandDims", "Transpose", "ConcatV2", "Pack", "Unpack", "SplitV", "Pad", "Tile",
    "Select", "SelectV2", "Slice", "StridedSlice", "GatherV2", "Identity", "StopGradient", "Placeholder", "VarHandleOp",
    "ReadVariableOp", "VarIsInitializedOp", "AssignVariableOp", "RandomUniform", "NoOp",
}  # fmt: skip
DIFFERENT = {
    "meshgrid": "TensorFlow multiplies by ones",
    "batch_normalization": "TensorFlow adds the numbers of the example when it builds the graph",
}
FLOATS = ("float16", "bfloat16", "float32", "float64")


def profiled(graph: tf.Graph) -> tuple[int, set[str]]:
    """The operations of a graph that the profiler counts, and the types of the nodes that it does not."""
    found = [(node.op, tf_ops.get_stats_for_node_def(graph, node, "flops").value) for node in graph.as_graph_def().node]
    return sum(int(count or 0) for _, count in found), {type for type, count in found if count is None}


def counted(program):
    return layers(program.program.graph()).work


def with_profiles():
    """The ops whose examples have floats and become nodes that the profiler counts."""
    for op in OPS.values():
        if op.counted is not uncounted and op.name not in DIFFERENT and op.group != "random":
            *declarations, expression = op.example.split("\n")
            yield op.name, "\n".join([*declarations, f"result = {expression}"])


@pytest.mark.usefixtures("example_files")
def test_ops_as_the_profiler_counts_them():
    compared = set()
    for name, text in with_profiles():
        program = tfdsl.compile(text)
        has_floats = any(type.dtype.name in FLOATS for node in program.program.graph().nodes.values()
                         for type in node.outputs)  # fmt: skip
        count, others = profiled(program.graph)
        if has_floats and others <= MOVES and counted(program).unknown == ():
            assert counted(program).flops == count, name
            compared.add(name)
    assert {"matmul", "conv2d", "conv2d_transpose", "separable_conv2d", "tensordot", "softmax", "moments"} <= compared
    assert len(compared) > 50


NETWORK = """
import nn
placeholder X: float32[{n}, 12, 12, 3]
c = nn.conv2d(X, 8, size=5, stride=2, padding="VALID", initializer=zeros)
p = nn.avg_pool(nn.max_pool(c), stride=1)
z = nn.dense(nn.flatten(p), 6, initializer=zeros)
result = reduce_mean(softmax(batch_normalization(z, zeros([6]), ones([6]), zeros([6]), ones([6]), 0.001)))
"""


def test_a_network_as_the_profiler_counts_it():
    """For one row, and for a batch of a known size."""
    for n in (1, 7):
        graph = tfdsl.compile(NETWORK.format(n=n)).graph
        options = v1.profiler.ProfileOptionBuilder(v1.profiler.ProfileOptionBuilder.float_operation())
        total = v1.profiler.profile(graph, options=options.with_empty_output().build()).total_float_ops
        assert counted(tfdsl.compile(NETWORK.format(n=n))).flops == total > 0
        if n == 1:
            assert counted(tfdsl.compile(NETWORK.format(n="batch"))).flops == total


BY_HAND = {
    "relu(zeros([3, 4]))": 12,
    "matmul(zeros([5, 2, 3]), zeros([5, 4, 3]), transpose_b=true)": 2 * 5 * 2 * 3 * 4,
    "matmul(zeros([3, 2]), zeros([3, 4]), transpose_a=true)": 2 * 2 * 3 * 4,
    'einsum("bij,bjk->bik", [zeros([5, 2, 3]), zeros([5, 3, 4])])': 2 * 5 * 2 * 3 * 4,
    'einsum("i,j->ij", [zeros([2]), zeros([3])])': 2 * 3,
    "tensordot(zeros([2, 3, 4]), zeros([3, 4, 5]), 2)": 2 * 2 * 3 * 4 * 5,
    'conv3d(zeros([1, 4, 4, 4, 2]), zeros([3, 3, 3, 2, 5]), strides=[1, 1, 1, 1, 1], padding="SAME")':
        2 * 4**3 * 5 * 3**3 * 2,
    'conv2d(zeros([1, 4, 4, 4]), zeros([3, 3, 2, 6]), strides=1, padding="SAME")': 2 * 4 * 4 * 6 * 3 * 3 * 2,  # groups
    'max_pool3d(zeros([1, 4, 4, 4, 2]), ksize=2, strides=2, padding="VALID")': 2**3 * 2 * 2**3,
    "gelu(zeros([3]), approximate=true)": 8 * 3,
    "zeros([3, 4])[1:] + cast(ones([4], dtype=int32), float32)": 8,
    "constant([1, 2]) + 3": 0,
    "scan(fn=add, elems=zeros([7, 5]))": 6 * 5,
    "map_fn(exp, zeros([7, 5]))": 7 * 5,
    "foldl(add, zeros([7, 5]), initializer=zeros([5]))": 7 * 5,
}  # fmt: skip


@pytest.mark.parametrize("expression", BY_HAND)
def test_formulas_by_hand(expression):
    work = counted(tfdsl.compile(f"result = {expression}"))
    assert (work.flops, work.unknown) == (BY_HAND[expression], ())


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("result = matrix_inverse([[2.0]])", "matrix_inverse"),
        ("result = raw.Sqrt(x=[2.0])", "Sqrt"),
        ("placeholder X: float32[n, time]\nresult = exp(X)", "exp (of the size time)"),
        ("placeholder X: float32[n, ?]\nresult = exp(X)", "exp (of an unknown size)"),
        ("placeholder X: float32[...]\nresult = exp(X)", "exp (of an unknown shape)"),
        ("result = exp(complex(1.0, 2.0))", "exp (of complex numbers)"),
        ("x = constant(2.0)\nif x > 1.0:\n    y = exp(x)\nelse:\n    y = x * x + 1.0\nresult = y", "cond (of branches that differ)"),
        ("x = constant(2.0)\nwhile x < 9.0:\n    x = x * 2.0\nresult = x", "while"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_named(text, unknown):
    assert counted(tfdsl.compile(text)).unknown == (unknown,)


@pytest.mark.usefixtures("example_files")
def test_no_rule_fails_on_an_example():
    """The count of each op is a whole number that is not negative, or it is not known."""
    for op in OPS.values():
        *declarations, expression = op.example.split("\n")
        work = counted(tfdsl.compile("\n".join([*declarations, f"result = {expression}"])))
        assert isinstance(work.flops, int) and 0 <= work.flops < math.inf, op.name
