"""`raw.Roll(...)`: the shipped table against TensorFlow's registry, and ops against `tf.raw_ops` by hand."""

import inspect
import os
import re
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import forked
import numpy as np
import tensorflow as tf
from conftest import part_of, some
from tensorflow.compat import v1

import tfdsl
from tfdsl.diagnostics import TfgError
from tfdsl.driver import Compiled, check
from tfdsl.lowering import infer
from tfdsl.lowering.registry import lines
from tfdsl.lowering.tf import op_def
from tfdsl.ops import forbidden_ops, raw
from tfdsl.ops.op import REQUIRED
from tfdsl.program.serialize import from_yaml, to_yaml
from tfdsl.source import Source
from tfdsl.types import DTYPES

PUBLIC = [name for name in raw.names() if hasattr(tf.raw_ops, name)]


# --- the table ----------------------------------------------------------------------------------


def test_the_table_is_tensorflows_registry():
    table = Path(raw.__file__).with_name("raw_ops.txt").read_text(encoding="utf-8")
    assert table.splitlines() == list(lines()), "python -m tfdsl.lowering.registry > tfdsl/ops/raw_ops.txt"


def test_every_public_op_is_in_it():
    assert sorted(name for name in dir(tf.raw_ops) if name[0].isupper()) == PUBLIC
    assert len(PUBLIC) > 1400


def test_arguments_and_defaults_agree_with_raw_ops():
    for name in PUBLIC:
        op, parameters = raw.find(name), dict(inspect.signature(getattr(tf.raw_ops, name)).parameters)
        del parameters["name"]
        assert {*(one.name for one in op.inputs), *op.given} == set(parameters), name
        for parameter in parameters.values():
            ours = op.given[parameter.name].default if parameter.name in op.given else REQUIRED
            if parameter.default is inspect.Parameter.empty:
                assert ours is REQUIRED, f"{name}.{parameter.name}"
            elif name not in ("SdcaOptimizer", "SdcaOptimizerV2"):  # these functions have their own defaults
                assert plain(parameter.default) == plain(ours), f"{name}.{parameter.name}"


def plain(value):
    """A default of `tf.raw_ops` or of the table, in one form."""
    match value:
        case tf.DType():
            return value.name
        case list() | tuple():
            return [plain(item) for item in value]
        case float():
            return np.float32(value)
        case dict():
            return next(iter(value.values()))
        case _ if hasattr(value, "tensor_shape"):
            return tf.make_ndarray(value).tolist()
        case bytes():
            return value.decode("latin-1")
    return value


def test_the_table_is_not_read_without_raw():
    code = (
        "import sys; from tfdsl.driver import check; from tfdsl.source import Source; from tfdsl.ops import raw\n"
        "check(Source('a.tfg', {!r})); print(raw._table.cache_info().currsize, 'tensorflow' in sys.modules)"
    )
    for text, said in (("y = square(2.0)\n", "0 False"), ("y = raw.Square(x=2.0)\n", "1 False")):
        done = subprocess.run([sys.executable, "-c", code.format(text)], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == said


# --- many ops, against tf.raw_ops by hand -------------------------------------------------------

# `first` is the index of the values to try, which have the right kind but may still be refused by an op.
VALUES = {
    "int": [1, 2], "float": [0.5, 1.0], "bool": [True, False], "string": ["a", "NHWC"], "shape": [[2], [1, 2]],
    "type": ["float32", "int32"],
}  # fmt: skip


CRASHES = {("BoostedTreesAggregateStats", "")}  # TensorFlow's own inference crashes


def value_of(attr, first):
    """A value for an attribute without a default."""
    if attr.item not in VALUES:
        return None
    one = VALUES[attr.item][first]
    if attr.allowed is not None:
        one = attr.allowed[first % len(attr.allowed)]
    if attr.item == "int" and attr.least is not None:
        one = max(one, attr.least)
    return [one] * max(attr.least or 0, 1) if attr.is_list else one


def dtype_of(op, one, first):
    """The dtype for an input, or None if no placeholder can have it."""
    if one.dtype is not None:
        return one.dtype.name if one.dtype.name in DTYPES else None
    allowed = op.attrs[one.attr].allowed
    known = [name for name in allowed if name in DTYPES] if allowed else ["float32", "int64"]
    return known[first % len(known)] if known else None


def calls():
    """(op, kind of call, dtypes of its inputs, attributes) of every op that takes ordinary tensors."""
    for name in PUBLIC:
        op = raw.find(name)
        if op.reaches not in forbidden_ops.INSIDE:
            continue
        for first in (0, 1):
            inputs = {one.name: dtype_of(op, one, first) for one in op.inputs}
            attrs = {n: value_of(a, first) for n, a in op.given.items() if a.default is REQUIRED}
            if None not in (*inputs.values(), *attrs.values()):
                for shape in ("[...]", "", "[2, 2]") if inputs else ("",):
                    if (name, shape) not in CRASHES:
                        yield op, shape, inputs, attrs


OUTSIDE = [name for name in PUBLIC if raw.find(name).reaches not in forbidden_ops.INSIDE]
ALL = {initial: list(group) for initial, group in groupby(calls(), key=lambda call: call[0].tf[0])}
REFUSALS = (ValueError, TypeError, IndexError, AttributeError, NotImplementedError, tf.errors.OpError)


def length(op, one):
    counter = op.attrs[one.count or one.attr] if one.is_list else None
    return None if counter is None else max(counter.least or 0, 2)


def program(op, shape, inputs, attrs):
    """A call as a program."""
    declarations, arguments = [], []
    for number, one in enumerate(op.inputs):
        names = [f"t{number}"] if not one.is_list else [f"t{number}_{i}" for i in range(length(op, one))]
        declarations += [f"placeholder {name}: {inputs[one.name]}{shape}" for name in names]
        arguments.append(f"{one.name}={'[' + ', '.join(names) + ']' if one.is_list else names[0]}")
    arguments += [f"{name}={raw.value_text(value)}" for name, value in attrs.items()]
    return "\n".join([*declarations, f"_y = raw.{op.tf}({', '.join(arguments)})", ""])


def by_hand(op, shape, inputs, attrs):
    """The same call by `tf.raw_ops`."""
    sizes = {"[...]": None, "": [], "[2, 2]": [2, 2]}[shape]
    arguments = {}
    for number, one in enumerate(op.inputs):
        names = [f"t{number}"] if not one.is_list else [f"t{number}_{i}" for i in range(length(op, one))]
        made = [v1.placeholder(inputs[one.name], sizes, name=name) for name in names]
        arguments[one.name] = made if one.is_list else made[0]
    for name, value in attrs.items():
        dtypes = op.given[name].item == "type"
        arguments[name] = tf.nest.map_structure(tf.as_dtype, value) if dtypes else value
    getattr(tf.raw_ops, op.tf)(**arguments, name="y")


def described(graph):
    """The graph's ops with their types and attributes, except TensorFlow's private ones, by name."""
    return {
        op.name: (op.type, [i.name for i in op.inputs],
                  {n: str(v) for n, v in sorted(op.node_def.attr.items()) if not n.startswith("_")},
                  [(o.dtype.name, str(o.shape)) for o in op.outputs])
        for op in graph.get_operations()
    }  # fmt: skip


def in_turn(calls):
    """One call of each op: the first call of the first op, the second call of the second op, and so on."""
    ops = [list(group) for _, group in groupby(calls, key=lambda call: call[0].tf)]
    return [group[number % len(group)] for number, group in enumerate(ops)]


@pytest.mark.parametrize("initial", some(ALL, part_of(ALL, 3)))
@pytest.mark.parametrize("chosen", [in_turn, pytest.param(list, marks=pytest.mark.long)], ids=["in turn", "all"])
def test_ops_are_the_same_as_by_raw_ops(chosen, initial):
    built = refused = 0
    for call in chosen(ALL[initial]):
        text = program(*call).replace("_y = ", "y = ")
        with tf.Graph().as_default() as graph:
            try:
                by_hand(*call)
                error = None
            except REFUSALS as raised:
                error = raised
        if error is not None:
            refused += 1
            with pytest.raises(TfgError):
                _ = tfdsl.compile(text).graph
            continue
        compiled = tfdsl.compile(text)
        assert described(compiled.graph) == described(graph), text
        assert all(d.code in ("TFG901", "TFG902") for d in compiled.diagnostics), text
        nodes = compiled.program.graph().nodes.values()
        (node,) = [node for node in nodes if node.op == f"raw.{call[0].tf}"]
        outputs = graph.get_operations()[-1].outputs
        assert [t.dtype.name for t in node.outputs] == [o.dtype.base_dtype.name for o in outputs], text
        for type, output in zip(node.outputs, outputs):
            assert type.shape == (None if output.shape.rank is None else tuple(output.shape.as_list())), text
        # Without TensorFlow the dtypes are the same, and no shape is known.
        alone, _ = check(Source("alone.tfg", text))
        assert [t.dtype for t in alone.graph().nodes[node.id].outputs] == [t.dtype for t in node.outputs]
        built += 1
    assert built or refused


def test_many_ops_are_tried():
    ops = {call[0].tf for some in ALL.values() for call in some}
    assert len(ops) + len(OUTSIDE) > 1000 and len(OUTSIDE) < 250


# --- dtypes, shapes, resources ------------------------------------------------------------------


def types(text, name="y"):
    """The types of the outputs of the last named node."""
    graph = tfdsl.compile(text).program.graph()
    return [str(t) for t in max(graph.nodes.values(), key=lambda n: n.id).outputs]


@pytest.mark.parametrize("declared, call, wanted", [
    ("float32[n, 3]", "raw.Roll(input=x, shift=1, axis=0)", ["float32[n, 3]"]),
    ("float32[n, 3]", "raw.Transpose(x=x, perm=[1, 0])", ["float32[3, n]"]),
    ("float32[n, m]", "raw.MatMul(a=x, b=x, transpose_b=true)", ["float32[n, n]"]),
    ("float32[n, m]", "raw.ConcatV2(values=[x, x], axis=1)", ["float32[n, ?]"]),  # twice m has no name
    ("float32[n, m]", "raw.TopKV2(input=x, k=2)", ["float32[n, 2]", "int32[n, 2]"]),
    ("float32[n, m]", "raw.Shape(input=x)", ["int32[2]"]),
    ("float32[?, n]", "raw.Unpack(value=x, num=2)", ["float32[n]", "float32[n]"]),
    ("float32[n, 4]", "raw.SpaceToBatchND(input=x, block_shape=[2], paddings=[[0, 0]])", ["float32[?, 2]"]),
    ("float32[...]", "raw.Sum(input=x, axis=0)", ["float32[...]"]),
    ("float64[2]", "raw.AddV2(x=1, y=x)", ["float64[2]"]),
    ("int64[2]", "raw.Cast(x=x, DstT=bfloat16)", ["bfloat16[2]"]),
    ("string[n]", "raw.StringSplitV2(input=x, sep=\" \")", ["int64[?, 2]", "string[?]", "int64[2]"]),
    ("float32[n]", "raw.IdentityN(input=[x, 1, 2.5, \"a\", [true]])",
     ["float32[n]", "int32", "float32", "string", "bool[1]"]),
    ("float32[2]", "raw.Const(value=[[1, 2]], dtype=float64)", ["float64[1, 2]"]),
    ("float32[2]", "raw.VarHandleOp(dtype=float32, shape=x.shape)", ["resource"]),
    ("float32[2]", "raw.Placeholder(dtype=\"float32\", shape=[none, 3])", ["float32[?, 3]"]),
    ("float32[2]", "raw.Placeholder(dtype=float32, shape=none)", ["float32[...]"]),
    ("float32[2]", "raw.QuantizeV2(input=x, min_range=0.0, max_range=1.0, T=\"qint8\")",
     ["qint8[2]", "float32", "float32"]),
])  # fmt: skip
def test_types(declared, call, wanted):
    assert types(f"placeholder x: {declared}\ny = {call}\n") == wanted


@pytest.mark.parametrize("number, dtype", [(1, "float64"), (2.5, "float64"), (1, "float32"), (1, "int64")])
def test_a_number_takes_the_dtype_of_the_other_operand(number, dtype):
    text = (
        f"variable w: {dtype}[] = zeros\n"
        f"up = raw.AssignAddVariableOp(resource=w, value={number})\nsession:\n    run up\n    run up\n    print w\n"
    )
    wanted = np.asarray(2 * number, dtype=dtype)
    assert tfdsl.compile(text).run().printed == [str(wanted)]


def test_outputs_by_position_and_by_name():
    text = """\
placeholder x: float32[4]
best = raw.TopKV2(input=x, k=2)
values, indices = raw.TopKV2(input=x, k=1)
a, b = raw.Split(axis=0, value=x, num_split=2)
nothing = raw.NoOp()
session:
    run nothing
    print best.values, best.indices, best[0] with x = [1, 4, 3, 2]
    print values, indices, a, b with x = [1, 4, 3, 2]
"""
    assert tfdsl.compile(text).run().printed == ["[4. 3.] [1 2] [4. 3.]", "[4.] [1] [1. 4.] [3. 2.]"]


def test_operations_in_control_dependencies():
    text = """\
variable w = 1.0
up = raw.AssignAddVariableOp(resource=w, value=2.0)
after up:
    seen = raw.ReadVariableOp(resource=w, dtype=float32)
session:
    print seen
    print seen
"""
    assert tfdsl.compile(text).run().printed == ["3.0", "5.0"]


def test_resources_made_by_other_ops():
    text = """\
table = raw.MutableHashTableV2(key_dtype=string, value_dtype=float32)
put = raw.LookupTableInsertV2(table_handle=table, keys=["a", "b"], values=[1.0, 2.0])
after put:
    found = raw.LookupTableFindV2(table_handle=table, keys=["b", "c"], default_value=-1.0)
size = raw.LookupTableSizeV2(table_handle=table)
session:
    print found
    print size
"""
    assert tfdsl.compile(text).run().printed == ["[ 2. -1.]", "2"]


def test_gradients_flow():
    text = """\
placeholder x: float32[3]
y = raw.Sum(input=raw.Square(x=raw.Roll(input=x, shift=1, axis=0)), axis=0)
g = gradients(y, x)
session: print y, g with x = [1, 2, 3]
"""
    assert tfdsl.compile(text).run().printed == ["14.0 [[2. 4. 6.]]"]


def test_raw_ops_use_only_the_given_seeds():
    """`seed` applies to the ops of the table. An op called by `raw` has the attributes that the program gives it."""
    text = "seed 42\nr = raw.RandomUniform(shape=[2], dtype=float32{})\nsession: print r\n"
    given = tfdsl.compile(text.format(", seed=1, seed2=2"))
    operation = given.graph.get_operation_by_name("r")
    assert (operation.get_attr("seed"), operation.get_attr("seed2")) == (1, 2)
    assert given.run().printed == given.run().printed
    with tf.Graph().as_default(), v1.Session() as session:
        wanted = session.run(tf.raw_ops.RandomUniform(shape=[2], dtype=tf.float32, seed=1, seed2=2))
    assert given.run().printed == [str(wanted)]
    operation = tfdsl.compile(text.format("")).graph.get_operation_by_name("r")
    assert (operation.get_attr("seed"), operation.get_attr("seed2")) == (0, 0)


def test_in_a_loop_of_the_graph_and_from_data(here):
    np.savez("points.npz", features=np.float32([[1, 2], [3, 4]]))
    text = """\
data points = npz("points.npz")
i = constant(0)
x = constant([1.0, 2.0, 3.0])
while i < 2:
    x = raw.Roll(input=x, shift=1, axis=0)
    i = i + 1
total = raw.Sum(input=points.features, axis=[0, 1])
session: print x, total
"""
    assert tfdsl.compile(text).run().printed == ["[2. 3. 1.] 10.0"]


def test_the_program_loads_from_yaml():
    call = 'raw.QuantizeV2(input=x, min_range=0.0, max_range=1.0, T="qint8")'
    compiled = tfdsl.compile(f"placeholder x: float32[n]\ny = {call}\n")
    assert from_yaml(to_yaml(compiled.program)) == compiled.program


# --- errors found by TensorFlow -----------------------------------------------------------------


def test_a_refusal_of_tensorflow_is_an_error_at_its_line():
    text = "placeholder x: float32[2, 3]\nz = x + 1\ny = raw.MatMul(a=x, b=x)\nv = raw.MatMul(a=z, b=z)\n"
    assert check(Source("a.tfg", text))[0] is not None  # nothing is known without TensorFlow
    with pytest.raises(TfgError) as raised:
        tfdsl.compile(text)
    assert [(d.code, d.span.line) for d in raised.value.diagnostics] == [("TFG701", 3), ("TFG701", 4)]
    assert "Dimensions must be equal, but are 3 and 2" in str(raised.value)
    assert "x: float32[2, 3] is from line 1" in str(raised.value)


def test_shapes_inferred_by_tensorflow_are_checked():
    text = "placeholder x: float32[2, 3]\ny = raw.Transpose(x=x, perm=[1, 0])\nz = x + y\n"
    assert check(Source("a.tfg", text))[0] is not None
    with pytest.raises(TfgError, match=r"TFG202.*float32\[2, 3\] and float32\[3, 2\]"):
        tfdsl.compile(text)


def test_tensorflow_is_asked_once_for_alike_nodes_unless_their_values_matter(monkeypatch):
    asked = []
    add = infer._Scratch.add
    monkeypatch.setattr(
        infer._Scratch, "add", lambda self, node, *rest: asked.append(node.op) or add(self, node, *rest)
    )
    text = (
        "placeholder x: float32[6]\na = raw.Relu(features=x)\nb = raw.Relu(features=a)\nc = raw.Elu(features=b)\n"
        "two = raw.Relu(features=constant([2.0, 3.0]))\nthree = raw.Relu(features=[3.0, 2.0])\n"
        "p = raw.Elu(features=two)\nq = raw.Elu(features=three)\n"
        "y = raw.Reshape(tensor=c, shape=raw.Cast(x=p, DstT=int32))\n"
        "z = raw.Reshape(tensor=c, shape=raw.Cast(x=q, DstT=int32))\n"
        "s = raw.Shape(input=y)\nt = raw.Shape(input=z)\nv = raw.Reshape(tensor=b, shape=t)\n"
    )
    graph = tfdsl.compile(text).program.graph()
    found = {name: str(graph.nodes[one.value.node].outputs[0]) for name, one in graph.names.items()}
    assert [found[name] for name in "abyzv"] == ["float32[6]"] * 2 + ["float32[2, 3]"] + ["float32[3, 2]"] * 2
    assert asked.count("raw.Relu") == 3 and asked.count("raw.Elu") == 3 and asked.count("raw.Shape") == 2


def test_the_command_line_asks_tensorflow_only_to_build(tmp_path):
    path = tmp_path / "a.tfg"
    run = "session: print y with x = [[1, 2, 3], [4, 5, 6]]"
    path.write_text(f"placeholder x: float32[2, 3]\ny = raw.MatMul(a=x, b=x)\n{run}\n")
    for command, code in (("check", 0), ("run", 1)):
        done = forked.run([sys.executable, "-m", "tfdsl", command, path], capture_output=True, text=True)
        assert done.returncode == code, done.stderr
        assert ("TFG701" in done.stderr) == bool(code)
        assert "I0000" not in done.stderr and "Traceback" not in done.stderr


def test_ops_are_described(capsys):
    from tfdsl.cli import main

    assert main(["ops", "raw.Roll"]) == 0
    said = capsys.readouterr().out
    assert "raw.Roll(input: T, shift: Tshift, axis: Taxis)\n-> output: T" in said and "int32 or int64" in said
    assert main(["ops", "raw.Rolls"]) == 2
    assert "did you mean 'raw.Roll'?" in capsys.readouterr().err


# --- ops that reach outside the graph -----------------------------------------------------------

# Names of arguments of ops that use files, machines or code, and other arguments with the same names.
REACHING_WORDS = re.compile(
    r"file|path|^dir$|directory|_dir|url|uri|address|server|region|token|host|driver|descriptor_source|debug_ops|"
    r"checkpoint|ckpt|vocab|module|^call_target|graph_def|stream|scheme|writer|prefix"
)
OTHERWISE = {
    "stamp_token", "quantile_stream_resource_handle", "num_streams", "top_paths", "ordering_token", "table_vocab_size",
    "sorted_token_ids", "host_reserved", "counter_prefix", "vocab_count", "host_compute_core", "is_files",
}  # fmt: skip


def test_every_op_of_tensorflow_has_a_class():
    """`test_the_table_is_tensorflows_registry` checks that all of them are in the table."""
    assert not set(forbidden_ops.INSIDE) & set(forbidden_ops.OUTSIDE)
    classes = {name: raw.find(name).reaches for name in raw.names()}
    assert set(classes.values()) == {*forbidden_ops.INSIDE, *forbidden_ops.OUTSIDE}
    # Besides their names: TensorFlow itself declares ops of the first class stateless.
    stateful = [name for name, one in classes.items() if one == "values" and op_def(name).is_stateful]
    assert not stateful


def test_ops_that_reach_outside_have_such_arguments():
    barred = set(forbidden_ops.barred())
    assert set(forbidden_ops.REACHING_BY) <= set(raw.names())
    assert not barred & set(forbidden_ops.REACHING_BY)
    for name in raw.names():
        if name not in barred and name not in forbidden_ops.REACHING_BY:
            op = raw.find(name)
            words = {*(one.name for one in op.inputs), *op.given} - OTHERWISE
            assert not [word for word in words if REACHING_WORDS.search(word)], name


# Parts of the names of ops that exchange values with others, or control a device.
REACHING_NAMES = re.compile(
    r"^(Xla)?(Send|Recv)|Collective|Nccl|AllReduce|AllToAll|ReduceScatter|Rpc|DTensor|Remote|Mesh|"
    r"TPU|Tpu|Infeed|Outfeed|SparseCore|Writer|Reader.*Dataset|File|Save|Restore|PyFunc|Print|Abort|Debug.*(Url|V3)"
)
NAMED_OTHERWISE = {"ShardedFilename", "ShardedFilespec", "ReaderRestoreState", "ReaderRestoreStateV2"}


def test_ops_that_reach_outside_have_such_names():
    barred = set(forbidden_ops.barred())
    found = {name for name in raw.names() if REACHING_NAMES.search(name)}
    assert found - barred == NAMED_OTHERWISE


def test_an_unclassified_op_is_refused(monkeypatch):
    """The ops of another version of TensorFlow are like this until somebody has classified them."""
    line = "Brandnew\t?\tx: T\ty: T\tT: type\n"
    monkeypatch.setattr(raw, "_table", lambda: "\n" + line)
    raw.find.cache_clear()
    program, (diagnostic,) = check(Source("a.tfg", "x = raw.Brandnew(x=1.0)\n"))
    raw.find.cache_clear()
    assert program is None and diagnostic.code == "TFG477"
    assert "nobody has given it a class" in diagnostic.headline


def test_forbidden_ops_are_nodes_that_no_session_executes():
    tried = set()
    for name in forbidden_ops.barred():
        op = raw.find(name)
        inputs = {one.name: dtype_of(op, one, 0) for one in op.inputs}
        attrs = {n: value_of(a, 0) for n, a in op.given.items() if a.default is REQUIRED}
        if None not in (*inputs.values(), *attrs.values()) and not any(one.is_reference for one in op.inputs):
            text = program(op, "[...]", inputs, attrs).replace("_y = ", "y = ")
            text = re.sub(r"placeholder (\w+): (\w+)\[...\]", r"\1 = raw.Placeholder(dtype=\2, shape=none)", text)
            assert not [one for one in tfdsl.check(text) if one.severity == "error"], text
            value = "y[0]" if len(op.outputs) > 1 or (op.outputs and op.outputs[0].is_list) else "y"
            assert "TFG479" in [one.code for one in tfdsl.check(f"{text}session: run {value}\n")], text
            tried.add(name)
    assert len(tried) > 120


def test_ops_that_tensorflow_may_execute_while_it_builds_a_graph():
    """Those of other classes have no kernel for CPUs, or reach nothing."""
    found = {name for name in forbidden_ops.barred() if not op_def(name).is_stateful}
    assert {name for name in found if raw.find(name).reaches not in ("tpu", "races")} == forbidden_ops.EVALUATED


def test_tensorflow_would_execute_such_an_op(tmp_path):
    """Otherwise they need no rule of their own."""
    (tmp_path / "n.txt").write_text("7")
    with tf.Graph().as_default():
        text = tf.raw_ops.ReadFile(filename=str(tmp_path / "n.txt"))
        count = tf.raw_ops.StringToNumber(string_tensor=text, out_type=tf.int32)
        assert tf.raw_ops.Fill(dims=tf.raw_ops.Reshape(tensor=count, shape=[1]), value=1.0).shape == [7]


def test_harmless_attributes_are_accepted():
    text = "x = raw.FixedUnigramCandidateSampler(true_classes=[[1]], num_true=1, num_sampled=1, unique=true, range_max=2, {})\n"
    assert check(Source("a.tfg", text.format('unigrams=[1.0, 2.0], vocab_file=""')))[0] is not None
    assert forbidden_ops.reach(raw.find("DecodeProtoV2"), {"descriptor_source": "bytes://\nx"}) == ("", "")
    assert forbidden_ops.reach(raw.find("DecodeProtoV2"), {"descriptor_source": "local://x"})[0]


def test_a_loaded_program_cannot_use_forbidden_ops():
    program, _ = check(Source("a.tfg", 'x = raw.StringLower(input="x")\n'))
    text = to_yaml(program).replace("raw.StringLower", "raw.ReadFile").replace("input:", "filename:")
    with Compiled(from_yaml(text)).session() as session, pytest.raises(TfgError) as caught:
        session.run("x")
    assert caught.value.diagnostics[0].code == "TFG479"
