"""Whole names of nodes, `EXPR as "loss/error"`, against the names that TensorFlow gives nodes without names."""

import pytest

import tfdsl
from tfdsl.runtime.options import Options

PROGRAM = """\
variable a = 2.0
placeholder c: bool
y = relu(a + 1.0) + 2.0 as "add"
scope s:
    q = (a + 3.0) * 2.0 as "s/add"
if c:
    r = (a + 4.0) + 2.0 as "add"
else:
    r = a
k = reduce_mean([a, 1.0]) * 2.0 as "Mean"

session: print y, q, r, k with c = true
"""


def test_a_whole_name_belongs_to_the_node_that_has_it():
    """A node without a name in the same line, or above it, gets the next free name, as TensorFlow would give it."""
    compiled = tfdsl.compile(PROGRAM)
    graph = compiled.graph
    types = {name: graph.get_operation_by_name(name).type for name in ("add", "add_1", "s/add", "s/add_1", "Mean")}
    assert types == {"add": "AddV2", "add_1": "AddV2", "s/add": "Mul", "s/add_1": "AddV2", "Mean": "Mul"}
    assert graph.get_operation_by_name("add").inputs[0].op.type == "Relu"
    printed = []
    compiled.run(options=Options(write=printed.append))
    assert printed == ["5.0 10.0 8.0 3.0"]


@pytest.mark.parametrize("first", ["add = a + 1.0", 'b = a + 1.0 as "add"'])
def test_a_name_that_the_program_gives_twice_is_an_error(first):
    with pytest.raises(tfdsl.TfgError) as refused:
        tfdsl.compile(f'variable a = 2.0\n{first}\ny = a * 2.0 as "add"\nsession: print y\n')
    assert [one.code for one in refused.value.diagnostics] == ["TFG319"]


def test_a_whole_name_in_another_case_changes_no_name():
    """TensorFlow compares whole names exactly, so these nodes keep the names that they have."""
    graph = tfdsl.compile('variable a = 2.0\ny = (a + 1.0) * 2.0 as "Add"\nsession: print y\n').graph
    assert {one.name for one in graph.get_operations()} >= {"add", "Add"}


def test_nodes_of_functions_keep_their_whole_names():
    text = """\
function double(x: float32[2]) -> (y: float32):
    y = raw.Relu(features=raw.Neg(x=x)) as "Neg"
    return y

x = raw.Placeholder(dtype=float32, shape=[2])
y = raw.PartitionedCall(args=[x], Tout=[float32], f="double")
session: print y
"""
    (function,) = tfdsl.compile(text).graph.as_graph_def().library.function
    assert {node.name: node.op for node in function.node_def} == {"Neg_1": "Neg", "Neg": "Relu"}


@pytest.mark.parametrize("initial", ["zeros", "ones", "random_normal", "glorot_uniform"])
def test_the_initial_value_of_a_variable_does_not_take_the_name_of_a_scope_with_variables(initial):
    """Otherwise the variables of the scope would have other names in the graph and in checkpoints."""
    text = f"""\
variable a: float32[2] = {initial}
scope {initial}:
    variable w: float32[2] = {initial}
    scope inner:
        variable v = 1.0
"""
    names = {one.name for one in tfdsl.compile(text).graph.get_operations()}
    assert names >= {f"{initial}/w", f"{initial}/inner/v"}
