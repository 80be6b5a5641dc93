"""Nodes copied from similar ones: the graph is the one that TensorFlow's functions build, op for op."""

import ast
import pathlib
import random
import re

import numpy as np
import pytest
from conftest import some
from programs import Writer

import tfdsl
from tfdsl.driver import check
from tfdsl.lowering.op_cache import OpCache
from tfdsl.lowering.tf import tf
from tfdsl.ops import OPS
from tfdsl.source import Source

ROOT = pathlib.Path(__file__).parents[1]
PROGRAMS = sorted((ROOT.parent / "models").glob("*.tfg")) + sorted((ROOT / "golden").glob("*.tfg"))


@pytest.fixture
def copied(monkeypatch):
    """The number of copied nodes, by op."""
    counts: dict[str, int] = {}
    build = OpCache.build

    def counting(self, node, is_plain):
        result = build(self, node, is_plain)
        if result is not None:
            counts[node.op] = counts.get(node.op, 0) + 1
        return result

    monkeypatch.setattr(OpCache, "build", counting)
    return counts


def graphs(source):
    """The definitions of a program's graphs and the contents of their collections."""
    program = tfdsl.compile(source)
    found = []
    for graph in program.program.graphs:
        built = program.built(graph.name)
        collections = {
            key: [getattr(item, "name", str(item)) for item in built.graph.get_collection(key)]
            for key in built.graph.get_all_collection_keys()
        }
        nodes = {node: [getattr(value, "name", value) for value in values] for node, values in built.values.items()}
        taken = {name: count for name, count in built.graph._names_in_use.items() if "/" not in name}
        shapes = {tensor.name: str(tensor.shape) for op in built.graph.get_operations() for tensor in op.outputs}
        found.append((built.graph.as_graph_def(), collections, nodes, taken, shapes))
    return found


def assert_alike(source, monkeypatch):
    made = graphs(source)
    monkeypatch.setattr(OpCache, "build", lambda self, node, is_plain: None)
    by_hand = graphs(source)
    for (one, *rest), (other, *expected) in zip(made, by_hand, strict=True):
        assert [node.name for node in one.node] == [node.name for node in other.node]
        for mine, theirs in zip(one.node, other.node, strict=True):
            assert mine.op == theirs.op and list(mine.input) == list(theirs.input) and mine.device == theirs.device
            assert mine.attr.keys() == theirs.attr.keys(), mine.name
            for key, value in mine.attr.items():
                if key != "_gradient_op_type":  # TensorFlow numbers it within a process
                    assert same(value, theirs.attr[key]), (mine.name, key)
        assert rest == expected


def same(one, other):
    """Compare attributes: tensors by value, because a value can be encoded in several ways, and functions by
    presence."""
    if one.HasField("tensor"):
        first, second = tf.make_ndarray(one.tensor), tf.make_ndarray(other.tensor)
        texts = first.tolist(), second.tolist()  # the bytes of an array of strings are addresses
        bits = texts if first.dtype == object else (first.tobytes(), second.tobytes())
        return first.dtype == second.dtype and first.shape == second.shape and bits[0] == bits[1]
    return one.HasField("func") == other.HasField("func") and (one.HasField("func") or one == other)


@pytest.mark.parametrize("path", some(PROGRAMS, PROGRAMS[1::8]), ids=lambda path: path.stem)
def test_programs(path, monkeypatch, copied):
    assert_alike(path, monkeypatch)


@pytest.mark.usefixtures("example_files")
@pytest.mark.parametrize("name", some(sorted(OPS), sorted(OPS)[2::32]))
def test_every_op_of_the_table(name, monkeypatch, copied):
    *declarations, expression = OPS[name].example.split("\n")
    lines = [
        *declarations,
        *(f"result{i} = {expression}" for i in range(3)),
        "scope inner:",
        f"    more = {expression}",
    ]
    assert_alike("seed 1\n" + "\n".join(lines) + f"\nlast = {expression}\n", monkeypatch)
    if OPS[name].group == "math" and OPS[name].named and not OPS[name].lowered and "norm" not in name:
        assert copied[name] >= 3


@pytest.mark.parametrize("chunk", some(range(4), [0]))
def test_random_programs_with_repeated_lines(chunk, monkeypatch, copied):
    made = 0
    for number in range(50):
        writer = Writer(random.Random(f"{chunk} {number}"))
        writer.careful = True
        graph = writer.program().split("session")[0].rstrip().split("\n")
        again = [f"{line.partition(' =')[0]}_again{k} ={line.partition(' =')[2]}"
                 for k in range(3) for line in graph if re.match(r"\w+ = ", line)]  # fmt: skip
        source = "\n".join([*graph, *again, ""])
        if check(Source("random", source))[0] is not None:
            made += 1
            with monkeypatch.context() as inner:
                assert_alike(source, inner)
    assert made >= 5 and sum(copied.values()) > 50


_LIST = re.compile(r"\[+[-\d.e, \[\]]*\.[-\d.e, \[\]]*\]+")  # of numbers, at least one of them with a fraction


@pytest.mark.usefixtures("example_files")
@pytest.mark.parametrize(
    "unknown", [pytest.param(False, marks=pytest.mark.long), True], ids=["sizes known", "one unknown"]
)
@pytest.mark.parametrize("name", some(sorted(OPS), sorted(OPS)[10::32]))
def test_every_op_on_placeholders(name, unknown, monkeypatch, copied):
    *declarations, expression = OPS[name].example.split("\n")
    for found in dict.fromkeys(_LIST.findall(expression)):
        try:
            shape = np.shape(ast.literal_eval(found))
        except (SyntaxError, ValueError):  # unbalanced brackets
            continue
        sizes = ["?" if unknown and at == 0 else str(size) for at, size in enumerate(shape)]
        declarations.append(f"placeholder fed{len(declarations)}: float32[{', '.join(sizes)}]")
        expression = expression.replace(found, f"fed{len(declarations) - 1}")
    lines = [*declarations, *(f"result{i} = {expression}" for i in range(3)), f"last = {expression}"]
    source = "\n".join(["seed 1", *lines, ""])
    if check(Source(name, source))[0] is not None:  # some ops need the value
        assert_alike(source, monkeypatch)


LAYERS = """
seed 7
placeholder X: float32[batch, 4]
placeholder k: int32[]
h = X
for i in range(6):
    scope layer:
        variable w = random_normal([4, 4], seed=3)
        variable b = 0.5 * i
        variable c: float32[4] = zeros
        variable d = [[1.0, 2.0], [3.0, 0.25 * i]], trainable=false
        shared both = 1.0
        h = maximum(h @ w * both + b + c, 0.1 * i) - d[0, 1]
        k2 = k * i + 1
        _e = h[:, 1] if i > 3 else h[:, 0]
        _mean = reduce_mean(h, axis=1) if i % 2 else reduce_mean(h)
        _cast = cast(k2, float32) + b
        _noise = random_uniform([2])
        _unnamed = [square(h), square(h) + square(b)]
    scope other:
        _dropped = dropout(h, rate=0.5)
        _same = identity(h)
"""


def test_layers(monkeypatch, copied):
    assert_alike(LAYERS, monkeypatch)
    assert {"matmul", "multiply", "add", "maximum", "square", "variable", "constant"} - copied.keys() <= {"constant"}
    assert "random_normal" not in copied and "dropout" not in copied and "shared" not in copied


INSIDE = """
placeholder x: float32[3]
a = x * 2.0
b = x * 3.0
device "/cpu:0":
    c = x * 4.0
after a:
    d = x * 5.0
variable v = 1.0
variable w = 2.0
variable u = v * 2.0
variable t = w * 2.0
i = constant(0)
p = x * 6.0
while i < 3:
    i = i + 1
    p = p * 2.0
    p = p * 3.0
"""


def test_devices_control_dependencies_and_loops_are_not_copied(monkeypatch, copied):
    assert_alike(INSIDE, monkeypatch)


def test_a_failure_in_a_copied_op_is_at_its_line():
    source = "\n".join(
        ["placeholder x: float32[n, n]"] + [f"y{i} = matrix_inverse(x) + {i}.0" for i in range(4)]
        + ["session:", "    print y3 with x = [[1.0, 1.0], [1.0, 1.0]]"]
    )  # fmt: skip
    with pytest.raises(tfdsl.TfgError) as error:
        tfdsl.compile(source).run()
    assert (error.value.diagnostics[0].code, error.value.diagnostics[0].span.line) == ("TFG702", 5)


def test_gradients_flow_through_copied_ops():
    source = "variable w = 3.0\ny = w\nfor i in range(5):\n    y = y * w + 1.0\ng, = gradients(y, [w])\n"
    with tfdsl.compile(source).session() as session:
        values = session.run(["y", "g"])
    w = 3.0
    y, derivative = w, 1.0
    for _ in range(5):
        y, derivative = y * w + 1.0, derivative * w + y
    assert values == [y, derivative]


def test_a_node_with_equal_inputs_is_not_a_template_for_different_inputs():
    result = tfdsl.compile("""
variable a = 2.0
variable b = 3.0
placeholder c: float32[2]
placeholder d: float32[2]
first = a * b
twice = b * b
third = a * b
more = c - d
none_left = d - d
again = c - d
packed = add_n([c, d, d])
other = add_n([c, c, d])
same = add_n([d, c, c])
session:
    print first, twice, third
    print more, none_left, again, packed, other, same with c = [1, 2], d = [5, 7]
""").run()
    assert result.printed == [
        "6.0 9.0 6.0",
        "[-4. -5.] [0. 0.] [-4. -5.] [11. 16.] [ 7. 11.] [ 7. 11.]",
    ]


def test_the_result_of_a_write_is_read_after_it():
    text = "variable v = 1.0\na = v * 2.0\nup = assign_add(v, 10.0)\nb = up * 2.0\nsession:\n    print b\n    print v\n    print a\n"
    assert tfdsl.compile(text).run().printed == ["22.0", "11.0", "22.0"]
