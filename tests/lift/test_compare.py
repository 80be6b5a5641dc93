"""The comparison of two graphs, node for node."""

import pytest
from graph_files import dense

from tfdsl.lift.compare import differences
from tfdsl.lift.read import graph_of
from tfdsl.lowering.tf import tf


def graph_def():
    return dense().as_graph_def()


def node(graph, name):
    return next(one for one in graph.node if one.name == name)


def rename(graph):
    node(graph, "y").name = "z"
    node(graph, "loss").input[0] = "z"


def connect(graph):
    node(graph, "y").input[0] = "matmul"


def wait(graph):
    node(graph, "y").input.append("^x")


def place(graph):
    node(graph, "y").device = "/cpu:1"


def transpose(graph):
    node(graph, "matmul").attr["transpose_a"].b = True


def other_value(graph):
    node(graph, "layer/w/Initializer/Const").attr["value"].tensor.float_val[0] = 0.25


def replace_op(graph):
    node(graph, "Relu").op = "Tanh"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            rename,
            [
                "y: the node is there, not missing",
                "z: the node is missing, not there",
                "loss: the list of inputs is [y, Const], not [z, Const]",
            ],
        ),
        (connect, ["y: the list of inputs is [Relu], not [matmul]"]),
        (wait, ["y: the list of control inputs is [], not [x]"]),
        (place, ["y: the device is , not /device:CPU:1"]),
        (transpose, ["matmul: the attribute 'transpose_a' is b: false, not b: true"]),
        (replace_op, ["Relu: the op is Relu, not Tanh"]),
    ],
)
def test_what_differs(change, said):
    changed = graph_def()
    change(changed)
    left, right = graph_of(graph_def()), graph_of(changed)
    assert sorted(map(str, differences(left, right))) == sorted(said)


def test_a_constant_can_be_written_in_several_ways():
    changed = graph_def()
    value = node(changed, "layer/w/Initializer/Const").attr["value"].tensor
    value.CopyFrom(tf.make_tensor_proto(tf.make_ndarray(value)))
    for one in changed.node:
        one.attr["_output_shapes"].list.shape.add()
    del node(changed, "matmul").attr["transpose_b"]  # the default
    assert differences(graph_of(graph_def()), graph_of(changed)) == []
    value.CopyFrom(tf.make_tensor_proto(0.25, tf.float32, [3, 2]))
    (one,) = differences(graph_of(graph_def()), graph_of(changed))
    assert one.node == "layer/w/Initializer/Const" and one.what == "the attribute 'value'"


def test_functions():
    @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
    def double(x):
        return x * 2.0

    with tf.Graph().as_default() as graph:
        double.get_concrete_function().add_to_graph(graph)
        tf.constant(1.0)
    changed = graph.as_graph_def()
    left = graph_of(graph.as_graph_def())
    assert differences(left, graph_of(changed)) == []
    function = changed.library.function[0]
    next(one for one in function.node_def if one.op == "Mul").op = "AddV2"
    (one,) = differences(left, graph_of(changed))
    assert one.what == "the node" and one.node.endswith("/mul") and one.right.startswith("AddV2(")
    function.signature.name = "another"
    assert len(differences(left, graph_of(changed))) == 2
