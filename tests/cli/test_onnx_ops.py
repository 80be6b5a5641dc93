"""Ops of an ONNX model compute what TensorFlow does, also of numbers that the two are at odds about."""

from importlib.util import find_spec

import numpy as np
import pytest

import tfdsl
from tfdsl.cli import onnx_child
from tfdsl.cli.onnx_child import converted, differences
from tfdsl.lowering.tf import tf, v1
from tfdsl.ops import OPS

pytestmark = pytest.mark.skipif(find_spec("tf2onnx") is None or find_spec("onnxruntime") is None, reason="needs [onnx]")

PROGRAM = """
placeholder I: int32[n]
placeholder S: int16[n]
placeholder F: float32[n, 3]
placeholder J: int32[n]
placeholder P: int32[n, 2]
table = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]
rows = gather(table, J)
cells = gather_nd(table, P)
sums = scatter_nd(P, cast(S, float32), [3, 3])
guarded = where_v2(F > 0.0, log(F), 0.0)
chosen = where(is_finite(F) == true, F, zeros_like(F))
halves = I // 2
back = I // -3
short = S // cast(5, int16)
rest = I % 3
rest_back = S % cast(-7, int16)
rest_of_floats = F % -0.7
most = reduce_max(F, axis=1)
least = reduce_min(F, axis=1, keepdims=true)
at_most = argmax(F, axis=1)
at_least = argmin(F, axis=1)
"""
INPUTS = ["I", "S", "F", "J", "P"]
OUTPUTS = [line.partition(" = ")[0] for line in PROGRAM.splitlines() if " = " in line][1:]


@pytest.fixture(scope="module")
def program():
    return tfdsl.compile(PROGRAM)


@pytest.fixture(scope="module")
def frozen(program):
    return v1.graph_util.extract_sub_graph(program.built().graph.as_graph_def(), OUTPUTS)


@pytest.fixture(scope="module")
def model(frozen):
    made, lacking = converted(frozen, INPUTS, OUTPUTS, {})
    assert not lacking
    return made


def test_numbers_that_onnx_takes_otherwise(program, frozen, model):
    """Also some that the check of an export does not have."""
    import onnxruntime

    assert differences(frozen, model, INPUTS, OUTPUTS, "", []) == ([], [])
    integers = np.array([-(2**31), 2**31 - 1, -9, 0, 6, 2], np.int32)
    floats = [[np.nan, 1, 2], [-np.inf, np.nan, -np.inf], [np.nan] * 3, [1e30, -1e30, 0], [-np.inf] * 3, [0.7, -1, 1e8]]
    fed = {"I": integers, "S": integers.astype(np.int16), "F": np.array(floats, np.float32),
           "J": np.zeros(6, np.int32), "P": np.ones([6, 2], np.int32)}  # fmt: skip
    found = onnxruntime.InferenceSession(model).run(OUTPUTS, fed)
    with program.session() as session:
        for name, own, other in zip(OUTPUTS, found, session.run(OUTPUTS, fed), strict=True):
            np.testing.assert_array_equal(own, other, err_msg=name)


def test_negative_places_are_refused(model):
    import onnxruntime

    session = onnxruntime.InferenceSession(model)
    fed = {"I": np.int32([1]), "S": np.int16([1]), "F": np.ones([1, 3], np.float32)}
    fed |= {"J": np.int32([1]), "P": np.int32([[2, 0]])}
    assert [one.tolist() for one in session.run(["rows", "cells"], fed)] == [[[4, 5, 6]], [7]]
    for wrong in ({"J": np.int32([-1])}, {"P": np.int32([[1, -1]])}):
        with pytest.raises(Exception, match=r"out of data bounds|invalid index"):
            session.run(None, fed | wrong)


def test_the_check_of_an_export_sees_such_numbers(frozen, model):
    import onnx

    wrong = onnx.load_from_string(model)
    for node in wrong.graph.node:
        if node.op_type == "Mod" and not node.attribute:
            node.op_type = "Div"
        if node.op_type == "IsNaN":
            node.op_type = "IsInf"
    different, apart = differences(frozen, wrong.SerializeToString(), INPUTS, OUTPUTS, "", [])
    assert different == ["halves", "back", "short", "rest", "rest_back"] and apart == ["chosen", "most", "least"]


# What tf2onnx cannot convert or gets wrong if the argument is an input, so that an export is refused; and what differs
# for NaN, infinite or huge floats only.
REFUSED = {
    "conv1d_transpose", "conv2d_transpose", "conv3d_transpose", "depth_to_space", "fused_batch_norm",
    "invert_permutation", "left_shift", "right_shift", "segment_max", "segment_mean", "segment_min", "space_to_batch",
    "space_to_depth", "sparse_segment_mean", "sparse_segment_sqrt_n", "unsorted_segment_max", "unsorted_segment_mean",
    "unsorted_segment_min",
}  # fmt: skip
NOTED = {
    "argsort", "max_pool", "max_pool1d", "max_pool3d", "saturate_cast", "segment_max", "segment_min", "sort",
    "sparse_softmax_cross_entropy_with_logits", "unsorted_segment_max",
}  # fmt: skip
GROUPS = {"math", "arrays", "reductions", "neural networks", "checks"}
LARGEST = 25  # nodes of an example that is tried


@pytest.mark.long
@pytest.mark.usefixtures("example_files")
def test_every_op_with_an_input_of_such_numbers():
    """Each constant of the examples becomes an input in turn."""
    refused, noted, tried = set(), set(), set()
    for name, op in OPS.items():
        if op.group in GROUPS:
            for graph, constant, outputs in examples(op):
                try:
                    model, lacking = converted(graph, [constant], outputs, {})
                except Exception:  # of any kind: it has no form for an input in this place
                    continue
                if lacking:
                    continue
                tried.add(name)
                try:
                    different, apart = differences(graph, model, [constant], outputs, "", [])
                except Exception:  # of onnxruntime
                    different, apart = outputs, []
                refused |= {name} if different else set()
                noted |= {name} if apart else set()
    assert len(tried) > 150 and refused == REFUSED and noted == NOTED


def examples(op):
    """Graphs of the example of an op, each with one constant as its input."""
    *declarations, expression = op.example.split("\n")
    program = tfdsl.compile("\n".join([*declarations, f"result = {expression}"]) + "\n")
    built, node = program.built(), max(program.program.graph().nodes)
    made = [one for one in map(built.graph.as_graph_element, built.values[node]) if isinstance(one, tf.Tensor)]
    if not made or not all(one.dtype.is_floating or one.dtype.is_integer or one.dtype.is_bool for one in made):
        return
    part = v1.graph_util.extract_sub_graph(built.graph.as_graph_def(), [one.op.name for one in made])
    if len(part.node) > LARGEST or any(one.op.startswith(("Var", "Random", "Stateless")) for one in part.node):
        return
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(part, name="")
        outputs = [tf.identity(graph.get_tensor_by_name(one.name), f"out_{at}").op.name for at, one in enumerate(made)]
        whole = graph.as_graph_def()
    for at, one in enumerate(whole.node):
        dtype = tf.as_dtype(one.attr["dtype"].type) if one.op == "Const" else tf.string
        if dtype.is_floating or dtype.is_integer:
            copy = v1.GraphDef.FromString(whole.SerializeToString())
            changed = copy.node[at]
            shape = changed.attr["value"].tensor.tensor_shape
            changed.op = "Placeholder"
            changed.attr["shape"].shape.CopyFrom(shape)
            del changed.attr["value"]
            yield copy, one.name, outputs


def test_a_loop_without_an_end_is_not_awaited(monkeypatch):
    """For the infinite inputs that are tried, TensorFlow does not end this loop."""
    monkeypatch.setattr(onnx_child, "_LONGEST", 300)
    text = "placeholder x: float32\ny = x\nwhile y > 1.0:\n    y = y / 2.0\nhalved = y * 1.0\n"
    graph = tfdsl.compile(text).built().graph.as_graph_def()
    frozen = v1.graph_util.extract_sub_graph(graph, ["halved"])
    made, _ = converted(frozen, ["x"], ["halved"], {})
    assert differences(frozen, made, ["x"], ["halved"], "", []) == ([], [])
