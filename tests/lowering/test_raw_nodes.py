"""Programs of raw nodes against the same graph made by TensorFlow from a `GraphDef`."""

import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf
from tensorflow.compat import v1

import tfdsl
from tfdsl.diagnostics import TfgError
from tfdsl.lowering.sums import ATTRIBUTES
from tfdsl.program.serialize import from_yaml, to_yaml


def nodes(graph):
    """The nodes of a graph by name, without the shapes that TensorFlow notes beside them, and without the attributes
    that keep the order of sums."""
    found = {}
    for node in (graph.as_graph_def() if isinstance(graph, tf.Graph) else graph).node:
        node.attr.pop("_output_shapes", None)
        controls = sorted(one for one in node.input if one.startswith("^"))
        inputs = [one for one in node.input if not one.startswith("^")]
        attrs = {name: value_of(attr) for name, attr in node.attr.items() if name not in ATTRIBUTES}
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


# --- loops, functions, versions -------------------------------------------------------------------


LOOP = """
x = raw.Placeholder(dtype=float32, shape=[]) as "x"
e = raw.Enter(data=x, frame_name="loop") as "Enter"
m = raw.Merge(inputs=[e, later n]) as "Merge"
limit = raw.Const(value=10.0, dtype=float32) as "limit"
le = raw.Enter(data=limit, frame_name="loop", is_constant=true) as "Less/Enter"
less = raw.Less(x=m.output, y=le) as "Less"
c = raw.LoopCond(input=less) as "LoopCond"
s = raw.Switch(data=m.output, pred=c) as "Switch"
y = raw.Placeholder(dtype=float32, shape=[]) as "y"
ye = raw.Enter(data=y, frame_name="loop", is_constant=true) as "Add/Enter"
t = raw.AddV2(x=s.output_true, y=ye) as "Add"
n = raw.NextIteration(data=t) as "NextIteration"
out = raw.Exit(data=s.output_false) as "Exit"
"""


def test_a_loop_of_tensorflow_1():
    definition = v1.GraphDef()
    floats = v1.AttrValue(type=tf.float32.as_datatype_enum)
    for name, op, inputs, attrs in (
        ("x", "Placeholder", [], {"dtype": floats, "shape": v1.AttrValue(shape=tf.TensorShape([]).as_proto())}),
        ("Enter", "Enter", ["x"], {"T": floats, "frame_name": v1.AttrValue(s=b"loop")}),
        ("Merge", "Merge", ["Enter", "NextIteration"], {"T": floats, "N": v1.AttrValue(i=2)}),
        ("limit", "Const", [], {"dtype": floats, "value": v1.AttrValue(tensor=tf.make_tensor_proto(10.0))}),
        ("Less/Enter", "Enter", ["limit"],
         {"T": floats, "frame_name": v1.AttrValue(s=b"loop"), "is_constant": v1.AttrValue(b=True)}),
        ("Less", "Less", ["Merge", "Less/Enter"], {"T": floats}),
        ("LoopCond", "LoopCond", ["Less"], {}),
        ("Switch", "Switch", ["Merge", "LoopCond"], {"T": floats}),
        ("y", "Placeholder", [], {"dtype": floats, "shape": v1.AttrValue(shape=tf.TensorShape([]).as_proto())}),
        ("Add/Enter", "Enter", ["y"],
         {"T": floats, "frame_name": v1.AttrValue(s=b"loop"), "is_constant": v1.AttrValue(b=True)}),
        ("Add", "AddV2", ["Switch:1", "Add/Enter"], {"T": floats}),
        ("NextIteration", "NextIteration", ["Add"], {"T": floats}),
        ("Exit", "Exit", ["Switch"], {"T": floats}),
    ):  # fmt: skip
        definition.node.add(name=name, op=op, input=inputs, attr=attrs)
    with tf.Graph().as_default() as graph:
        v1.import_graph_def(definition, name="")
    assert nodes(built(LOOP)) == nodes(graph)


def test_a_loop_of_tensorflow_1_runs():
    compiled = tfdsl.compile(LOOP + "session: print out with x = 1.0, y = 4.0\n")
    assert compiled.run().printed == ["13.0"]
    assert from_yaml(to_yaml(compiled.program)) == compiled.program


def test_what_a_loop_needs_is_what_its_turns_need():
    fed = LOOP.replace('y = raw.Placeholder(dtype=float32, shape=[]) as "y"', "placeholder y: float32")
    found = tfdsl.check(fed + "session: print out with x = 1.0\n")
    assert [one.code for one in found if one.severity == "error"] == ["TFG501"]


def test_the_version_of_a_graph():
    op = "raw.BatchNormWithGlobalNormalization(t=x, m=w, v=w, beta=w, gamma=w, variance_epsilon=0.1, scale_after_normalization=true)"
    text = f"x = raw.Placeholder(dtype=float32, shape=[1, 2, 2, 3])\nw = raw.Placeholder(dtype=float32, shape=[3])\ny = {op}\n"
    graph = built(f"graph_version 8\n{text}")
    assert graph.graph_def_versions.producer == 8
    assert graph.get_operation_by_name("y").outputs[0].shape == [1, 2, 2, 3]
    assert (
        built("graph_version 21\nx = raw.Placeholder(dtype=float32, shape=[])\n")
        .get_operation_by_name("x")
        .outputs[0]
        .shape.rank
        is None
    )
    with pytest.raises(TfgError) as caught:
        built(text)
    (found,) = caught.value.diagnostics
    assert found.code == "TFG701"
    assert len(found.notes) == len(set(found.notes)) == 2  # one for all operands that are the same


FUNCTIONS = """
function cond(i: int32, w: resource) -> (less: bool) as "while_cond<1>":
    n = raw.Const(value=3, dtype=int32) as "n"
    l = raw.Less(x=i, y=n) as "Less"
    return l
function body(
    i: int32 with (_user_specified_name="i"), w: resource
) -> (identity: int32, w_0: resource as "W") with (_noinline=true) as "while_body":
    one = raw.Const(value=1, dtype=int32) as "add/y"
    device "/cpu:0":
        j = raw.AddV2(x=i, y=one) as "add"
    value = raw.Cast(x=j, DstT=float32) as "Cast"
    up = raw.AssignAddVariableOp(resource=w, value=value) as "up"
    after up:
        k = raw.Identity(input=j) as "Identity"
    both = raw.SplitV(value=[1.0, 2.0], size_splits=[1, 1], split_dim=0, num_split=2) as "split"
    top = raw.TopKV2(input=both[1], k=1) as "top"
    _all = raw.IdentityN(input=[top.values, top.indices, both[0]]) as "all"
    return k, w after up
w = raw.VarHandleOp(dtype=float32, shape=[]) as "w"
init = raw.AssignVariableOp(resource=w, value=0.0) as "init"
zero = raw.Const(value=0, dtype=int32) as "zero"
r = raw.While(input=[zero, w], cond=cond, body=body) as "while"
now = raw.ReadVariableOp(resource=w, dtype=float32) as "now"
"""


def test_functions_of_a_graph():
    program = tfdsl.compile(FUNCTIONS)
    library = {one.signature.name: one for one in program.graph.as_graph_def().library.function}
    body = library["while_body"]
    assert [(one.name, one.type) for one in body.signature.input_arg] == [
        ("i", tf.int32.as_datatype_enum), ("w", tf.resource.as_datatype_enum)
    ]  # fmt: skip
    assert dict(body.ret) == {"identity": "Identity:output:0", "W": "w"}
    assert dict(body.control_ret) == {"up": "up"} and list(body.signature.control_output) == ["up"]
    assert body.signature.is_stateful and not library["while_cond<1>"].signature.is_stateful
    assert body.attr["_noinline"].b and body.arg_attr[0].attr["_user_specified_name"].s == b"i"
    inside = {node.name: (node.op, list(node.input), node.device) for node in body.node_def}
    assert inside["add"] == ("AddV2", ["i", "add/y:output:0"], "/cpu:0")
    assert inside["Identity"] == ("Identity", ["add:z:0", "^up"], "")
    assert inside["top"][1] == ["split:output:1", "top/k:output:0"]
    assert inside["all"][1] == ["top:values:0", "top:indices:0", "split:output:0"]
    assert program.graph.get_operation_by_name("while").get_attr("body").name == "while_body"
    assert from_yaml(to_yaml(program.program)) == program.program


def test_blocks_in_a_function_of_a_graph():
    """They mean the same as in the graph itself."""
    blocks = """
device "/job:localhost":
    device "/cpu:0":
        scope inner:
            a = raw.Fill(dims=[2], value=0.0)
device "/gpu:1":
    container "box":
        v = raw.VarHandleOp(dtype=float32, shape=[2])
        w = raw.VarHandleOp(dtype=float32, shape=[2], container="own")
"""
    body = "\n    ".join(blocks.splitlines())
    graph = tfdsl.compile(f"function f() -> (resource):{body}\n    return w\n{blocks}").graph.as_graph_def()

    def placed(nodes):
        return {
            node.name: (tf.DeviceSpec.from_string(node.device).to_string(), node.attr["container"].s)
            for node in nodes
            if node.op in ("Fill", "VarHandleOp")
        }

    inside = placed(graph.library.function[0].node_def)
    assert inside == placed(graph.node) and inside["v"] == ("/device:GPU:1", b"box")
    assert inside["inner/a"][0] == "/job:localhost/device:CPU:0"


def test_functions_of_a_graph_run():
    text = "session:\n    run init\n    print r[0]\n    print now\n"
    assert tfdsl.compile(FUNCTIONS + text).run().printed == ["3", "6.0"]


def test_a_function_that_reaches_outside_is_not_executed():
    text = """
function save(prefix: string, x: float32) -> ():
    names = raw.Const(value=["x"], dtype=string)
    slices = raw.Const(value=[""], dtype=string)
    s = raw.SaveV2(prefix=prefix, tensor_names=names, shape_and_slices=slices, tensors=[x])
    return after s
p = raw.Placeholder(dtype=string, shape=[])
saved = raw.StatefulPartitionedCall(args=[p, raw.Const(value=1.0, dtype=float32)], Tout=[], f=save)
"""
    assert not tfdsl.check(text)
    assert [one.code for one in tfdsl.check(f'{text}session: run saved with p = "x"\n')] == ["TFG479"]
    with tfdsl.compile(text).session() as session, pytest.raises(TfgError, match="TFG479"):
        session.run("saved", {"p": "x"})


def test_a_data_set_of_a_function():
    text = """
function double(x: float32) -> (float32):
    return raw.AddV2(x=x, y=x)
numbers = raw.TensorSliceDataset(components=[[1.0, 2.0]], output_shapes=[[]])
doubled = raw.MapDataset(input_dataset=numbers, other_arguments=[], f=double, output_types=[float32], output_shapes=[[]])
whole = raw.BatchDatasetV2(input_dataset=doubled, batch_size=2, drop_remainder=false, output_types=[float32], output_shapes=[[none]])
all = raw.DatasetToSingleElement(dataset=whole, output_types=[float32], output_shapes=[[none]])
session: print all[0]
"""
    assert tfdsl.compile(text).run().printed == ["[2. 4.]"]


def test_a_shape_that_follows_from_a_constant():
    """TensorFlow reads the value of `shape` while it builds the op, and refuses one that it does not know."""
    program = tfdsl.compile("""
placeholder x: float32[?]
placeholder splits: int64[?]
unknown = constant(-1, dtype=int64)
rows = raw.RaggedTensorToTensor(
    shape=unknown,
    values=x,
    default_value=0.0,
    row_partition_tensors=[splits],
    row_partition_types=["ROW_SPLITS"]
)
""")
    with program.session() as session:
        found = session.run("rows", {"x": [1.0, 2.0, 3.0], "splits": [0, 1, 3]})
    assert found.tolist() == [[1, 0], [2, 3]]
