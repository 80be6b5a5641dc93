"""Programs of raw nodes against the same graph made by TensorFlow from a `GraphDef`."""

import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf
from tensorflow.compat import v1

import tfdsl
from tfdsl.diagnostics import TfgError


def nodes(graph):
    """The nodes of a graph by name, without the shapes that TensorFlow notes beside them."""
    found = {}
    for node in (graph.as_graph_def() if isinstance(graph, tf.Graph) else graph).node:
        node.attr.pop("_output_shapes", None)
        controls = sorted(one for one in node.input if one.startswith("^"))
        inputs = [one for one in node.input if not one.startswith("^")]
        attrs = {name: value_of(attr) for name, attr in node.attr.items()}
        found[node.name] = (node.op, inputs, controls, node.device, attrs)
    return found


def value_of(attr):
    """The value of an attribute. A tensor can be written in several ways."""
    if attr.HasField("tensor"):
        return attr.tensor.dtype, tf.make_ndarray(attr.tensor).tolist()
    return attr.SerializeToString(deterministic=True)


def imported(graph):
    """A graph as TensorFlow makes it of its `GraphDef`."""
    with tf.Graph().as_default() as made:
        v1.import_graph_def(graph.as_graph_def(), name="")
    return made


def built(text):
    return tfdsl.compile(text).graph


def test_reference_variables():
    with tf.Graph().as_default() as graph:
        w = v1.Variable(tf.ones([2], name="start"), use_resource=False, name="w")
        v1.assign_add(w, [2.0, 3.0], name="more")
        optimizer = v1.train.MomentumOptimizer(0.1, 0.9)
        optimizer.apply_gradients([(tf.constant([1.0, 2.0], name="g"), w)], name="train")
    text = """
c = raw.Const(value=[1.0, 1.0], dtype=float32) as "start"
w = raw.VariableV2(shape=[2], dtype=float32) as "w"
raw.Assign(ref=w, value=c, T=float32, _class=["loc:@w"]) as "w/Assign"
raw.Identity(input=w, _class=["loc:@w"]) as "w/read"
two = raw.Const(value=[2.0, 3.0], dtype=float32) as "more/value"
raw.AssignAdd(ref=w, value=two, _class=["loc:@w"]) as "more"
g = raw.Const(value=[1.0, 2.0], dtype=float32) as "g"
zeros = raw.Const(value=[0.0, 0.0], dtype=float32, _class=["loc:@w"]) as "w/Momentum/Initializer/zeros"
m = raw.VariableV2(shape=[2], dtype=float32, _class=["loc:@w"]) as "w/Momentum"
raw.Assign(ref=m, value=zeros, _class=["loc:@w"]) as "w/Momentum/Assign"
raw.Identity(input=m, _class=["loc:@w"]) as "w/Momentum/read"
rate = raw.Const(value=0.1, dtype=float32) as "train/learning_rate"
momentum = raw.Const(value=0.9, dtype=float32) as "train/momentum"
step = raw.ApplyMomentum(
    var=w, accum=m, lr=rate, grad=g, momentum=momentum, _class=["loc:@w"], _has_manual_control_dependencies=true
) as "train/update_w/ApplyMomentum"
after step:
    raw.NoOp() as "train"
"""
    assert nodes(built(text)) == nodes(imported(graph))


def test_reference_control_flow():
    with tf.Graph().as_default() as graph:
        v = tf.raw_ops.VariableV2(shape=[], dtype=tf.int32, name="v")
        p = v1.placeholder(tf.bool, [], name="p")
        a, b = tf.raw_ops.RefSwitch(data=v, pred=p, name="switch")
        tf.raw_ops.RefMerge(inputs=[a, b], name="merge")
        tf.raw_ops.CountUpTo(ref=v, limit=3, name="count")
        tf.raw_ops.IsVariableInitialized(ref=v, name="known")
    definition = graph.as_graph_def()
    for node in definition.node:
        node.attr.pop("_class", None)  # tf.raw_ops puts ops beside the references that they take
    with tf.Graph().as_default() as wanted:
        v1.import_graph_def(definition, name="")
    text = """
v = raw.VariableV2(shape=[], dtype=int32) as "v"
p = raw.Placeholder(dtype=bool, shape=[]) as "p"
s = raw.RefSwitch(data=v, pred=p) as "switch"
raw.RefMerge(inputs=[s.output_false, s.output_true]) as "merge"
raw.CountUpTo(ref=v, limit=3) as "count"
raw.IsVariableInitialized(ref=v) as "known"
"""
    assert nodes(built(text)) == nodes(wanted)


def test_the_value_of_a_reference_variable():
    text = """
v = raw.VariableV2(shape=[2], dtype=float32)
start = raw.Assign(ref=v, value=[1.0, 2.0])
more = raw.AssignAdd(ref=v, value=[1.0, 1.0])
twice = v * 2.0

session:
    run start
    run more
    print twice, raw.Identity(input=v)
"""
    assert tfdsl.compile(text).run().printed == ["[4. 6.] [2. 3.]"]


def test_names_devices_and_control_inputs_stand_as_they_are():
    definition = v1.GraphDef()
    for name, op, inputs, device in (
        ("a", "NoOp", [], ""),
        ("A", "NoOp", ["^a"], "/job:worker/task:1/device:GPU:0"),
        ("a/b", "NoOp", ["^a", "^A"], "/cpu:0"),
        ("1-x/.y", "NoOp", ["^a", "^A", "^a/b"], ""),
    ):
        definition.node.add(name=name, op=op, input=inputs, device=device)
    text = """
a = raw.NoOp() as "a"
after a:
    device "/job:worker/task:1/device:GPU:0":
        b = raw.NoOp() as "A"
    after b, a:
        scope inside:
            device "/cpu:0":
                c = raw.NoOp() as "a/b"
            after c:
                raw.NoOp() as "1-x/.y"
"""
    assert nodes(built(text)) == nodes(definition)


def test_a_control_input_beside_an_input_below_it_stays():
    """TensorFlow's functions leave out such a control input, since the input implies it."""
    text = """
a = raw.Placeholder(dtype=float32, shape=[]) as "a"
after a:
    b = raw.Neg(x=a) as "b"
    raw.Neg(x=b) as "c"
"""
    assert nodes(built(text))["c"][1:3] == (["b"], ["^a"])


@pytest.mark.parametrize(
    ("attributes", "wanted"),
    [
        ('_class=["loc:@x", "loc:@y"]', {"_class": v1.AttrValue.ListValue(s=[b"loc:@x", b"loc:@y"])}),
        ("_XlaCompile=true", {"_XlaCompile": True}),
        ("_t=half", {"_t": tf.float16.as_datatype_enum}),
        ("_n=3, _f=0.5", {"_n": 3, "_f": 0.5}),
        ("_all=[bool, qint8]", {"_all": v1.AttrValue.ListValue(type=[tf.bool.as_datatype_enum, tf.qint8.as_datatype_enum])}),
        ("_none=[]", {"_none": v1.AttrValue.ListValue()}),
        ('_s="a"', {"_s": b"a"}),
    ],
)  # fmt: skip
def test_attributes_that_the_op_itself_does_not_have(attributes, wanted):
    made = built(f'raw.NoOp({attributes}) as "x"\n').get_operation_by_name("x").node_def.attr
    for name, value in wanted.items():
        given = made[name]
        assert getattr(given, given.WhichOneof("value")) == value


def test_attributes_have_both_names():
    text = """
x = raw.Placeholder(dtype=float32, shape=[1, 2])
a = raw.Squeeze(input=x, squeeze_dims=[0])
b = raw.Squeeze(input=x, axis=[0])
c = raw.ExpandDims(input=x, dim=0)
d = raw.Select(condition=[true], t=[1.0], e=[2.0])
"""
    graph = built(text)
    assert graph.get_operation_by_name("a").get_attr("squeeze_dims") == [0]
    assert graph.get_operation_by_name("a").node_def.attr == graph.get_operation_by_name("b").node_def.attr
    assert graph.get_operation_by_name("c").outputs[0].shape == [1, 1, 2]
    assert graph.get_operation_by_name("d").type == "Select"


def test_a_given_dtype_is_that_of_numbers():
    text = "a = raw.AddN(inputs=[1, 2], T=float64, N=2)\n"
    assert built(text).get_operation_by_name("a").outputs[0].dtype == tf.float64


def test_two_nodes_of_one_name_are_an_error_with_both_places():
    with pytest.raises(TfgError, match="there is a node 'a' already") as caught:
        built('raw.NoOp() as "a"\nraw.NoOp() as "a"\n')
    (found,) = caught.value.diagnostics
    assert (found.span.line, found.notes[0].span.line) == (2, 1)
